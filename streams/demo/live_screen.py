"""A demo on a terminal: set-up with ticks, two customers side by side whose lists change in place.

Draws to standard output only; `screen` has the plain form.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.status import Status
from rich.table import Table
from rich.text import Text

from streams.demo.figures import Figures, rows
from streams.demo.screen import CLOSING, Frame, Stopwatch, Told
from streams.demo.watcher import SHOWN_ACTS, Card
from streams.demo.words import Place, duration, fitted

WIDE = 120
_LOW = 20
_MOVES = {"n": "bold green", "+": "green", "-": "yellow"}
_COLOURS = ("cyan", "magenta", "yellow")


class LiveScreen:
    """Colours and frames, for a terminal that can draw them.

    Parameters
    ----------
    console : Console
        The terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._live: Live | None = None
        self._watch = Stopwatch()

    def title(self, text: str) -> None:
        self._console.print(Text(text, style="bold"))

    def doing(self, text: str) -> None:
        self._watch.begin()
        self.progress(text)

    def progress(self, text: str) -> None:
        if self._status is None:
            self._status = self._console.status("")
            self._status.start()
        self._status.update(Text(f"{text} ...", no_wrap=True, overflow="ellipsis"))

    def done(self, text: str) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
        self._console.print(Text.assemble(("✓ ", "green"), text, (self._watch.taken(), "dim")))

    @contextmanager
    def story(self) -> Iterator[None]:
        with Live(console=self._console, auto_refresh=False, vertical_overflow="crop") as self._live:
            yield
        self._live = None

    def frame(self, frame: Frame) -> None:
        if self._live is not None:
            self._live.update(self._drawn(frame), refresh=True)

    def told(self, told: Told) -> None:
        if told.phase == "glimpse":
            return
        for n, line in enumerate(told.lines):
            time = f"{told.at_s:5.1f} s  " if n == 0 else " " * 9
            self._console.print(Text.assemble((time, "dim"), line))
        if told.phase == "apart":
            self._console.print(Text(f"{'':9}{told.verdict}", style="green"))

    def figures(self, figures: Figures) -> None:
        table = Table(title="Figures", box=box.SIMPLE_HEAVY, show_header=False, title_justify="left")
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in rows(figures):
            table.add_row(name, value)
        self._console.print(table)
        self._console.print(Text(CLOSING, style="dim"))

    def _drawn(self, frame: Frame) -> RenderableType:
        width, height = self._console.size
        count = 3 if width >= WIDE else 2
        cards = frame.cards[:count]
        places = 5 if height >= _LOW else 3
        side_by_side = Table.grid()
        side_by_side.add_row(
            *(
                _panel(card, width // len(cards), places, colour)
                for card, colour in zip(cards, _COLOURS, strict=False)
            )
        )
        return Group(_head(frame, width), side_by_side, _foot(frame))


def _head(frame: Frame, width: int) -> RenderableType:
    bar = Table.grid(padding=(0, 1))
    room = max(10, width - len(frame.phase) - 16)
    bar.add_row(
        Text(frame.phase, style="bold"),
        ProgressBar(total=frame.seconds, completed=frame.elapsed_s, width=room),
        f"{frame.elapsed_s:.0f} of {frame.seconds:.0f} s",
    )
    counts = Text(no_wrap=True, overflow="ellipsis")
    for number, what in (
        (f"{frame.sent:,}", " events in · "),
        (f"{frame.lists:,}", " lists out · median "),
        (duration(frame.latency_ms / 1000), " to the list · "),
        (f"{frame.rejected:,}", " rejected"),
    ):
        counts.append(number, style="bold").append(what)
    return Group(bar, counts)


def _foot(frame: Frame) -> RenderableType:
    return Text(frame.verdict, style="bold green", no_wrap=True, overflow="ellipsis")


def _panel(card: Card, width: int, places: int, colour: str) -> Panel:
    inside = width - 4
    acts = [Text(fitted(each, inside), style="dim") for each in card.acts]
    if acts:
        acts[-1].style = "bold"
    lines = [*(Text() for _ in range(SHOWN_ACTS - len(acts))), *acts]
    if card.latency_ms is None:
        lines.append(Text("no list yet", style="dim"))
    else:
        lines.append(Text(f"{duration(card.latency_ms / 1000)} later:", style=colour))
    for place in card.places[:places]:
        lines += _place(place, inside)
    lines += [Text()] * (SHOWN_ACTS + 1 + 2 * places - len(lines))
    title = Text(card.user, style=f"bold {colour}")
    return Panel(Group(*lines), title=title, width=width, border_style=colour)


def _place(place: Place, width: int) -> tuple[Text, Text]:
    """Two lines: the item with how it moved, and why it is there."""
    moved, style = place.change, _MOVES.get(place.change[:1], "")
    if moved != "new":
        moved = moved.replace("+", "▲").replace("-", "▼")
    name = Text(fitted(f"{place.rank} {place.title}", width - len(moved) - 1), style=style)
    name.append(f" {moved}", style="reverse" if moved == "new" else "")
    return name, Text("  " + fitted(place.why, width - 2), style="dim")
