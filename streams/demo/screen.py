"""What a demo tells while it runs, and how it reads as plain lines: for files, pipes and simple terminals.

`live_screen` is the other form. Writes to standard output only.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter
from typing import Protocol

import click
import msgspec

from streams.demo.figures import Figures, rows
from streams.demo.script import Phase
from streams.demo.watcher import Card
from streams.demo.words import duration

CLOSING = (
    "README.md goes on from here: the same from a file or on your own Kafka, the picture, topics and messages"
)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A moment of the story with its outcome: the cards of those concerned, and how their lists compare."""

    at_s: float
    phase: Phase
    cards: tuple[Card, ...]
    differing: int = 0
    k: int = 0
    after_s: float = 0.0

    @property
    def lines(self) -> tuple[str, ...]:
        """Who did what: one line for two who did the same and got the same."""
        done = tuple(
            f"{card.user} {card.acts[-1] if card.acts else 'has done nothing yet'}" for card in self.cards
        )
        return (f"{done[0]}; so does {self.cards[1].user}",) if self.alike else done

    @property
    def alike(self) -> bool:
        """Whether two did the same and got the same list."""
        return self.phase == "shared" and bool(self.k) and not self.differing

    @property
    def verdict(self) -> str:
        """How two lists compare, in words; empty for one alone."""
        if len(self.cards) < 2:
            return ""
        if not self.k:
            return "no list has come"
        first, second = self.cards[0].user, self.cards[1].user
        if not self.differing:
            return f"{first} and {second} have the same list: {self.k} of {self.k} places"
        return (
            f"{first}'s and {second}'s lists differ in {self.differing} of {self.k} places, "
            f"{duration(self.after_s)} after"
        )


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a running demo."""

    phase: str
    elapsed_s: float
    seconds: float
    sent: int
    lists: int
    rejected: int
    latency_ms: float
    cards: tuple[Card, ...]
    verdict: str


class Stopwatch:
    """How long a step took, from `doing` to `done`."""

    def __init__(self) -> None:
        self._began_s: float | None = None

    def begin(self) -> None:
        """Begin a step."""
        self._began_s = perf_counter()

    def taken(self) -> str:
        """End the step; its time in words, or nothing when it had no beginning."""
        began_s, self._began_s = self._began_s, None
        return "" if began_s is None else f" ({perf_counter() - began_s:.1f} s)"


class Screen(Protocol):
    """Where a demo is told."""

    def title(self, text: str) -> None:
        """Tell what is going to happen."""
        ...

    def doing(self, text: str) -> None:
        """Tell what is being done."""
        ...

    def progress(self, text: str) -> None:
        """Tell how that goes."""
        ...

    def done(self, text: str) -> None:
        """Tell what has been done."""
        ...

    def story(self) -> AbstractContextManager[None]:
        """The time in which frames are drawn."""
        ...

    def frame(self, frame: Frame) -> None:
        """Draw the state as it is now."""
        ...

    def told(self, told: Told) -> None:
        """Tell a moment."""
        ...

    def figures(self, figures: Figures) -> None:
        """Show what was measured."""
        ...


class PlainScreen:
    """Plain lines without any control character; frames aren't drawn."""

    def __init__(self) -> None:
        self._phase = ""
        self._watch = Stopwatch()

    def title(self, text: str) -> None:
        click.echo(text)

    def doing(self, text: str) -> None:
        self._watch.begin()
        self.progress(text)

    def progress(self, text: str) -> None:
        click.echo(f"  {text} ...")

    def done(self, text: str) -> None:
        click.echo(f"  {text}{self._watch.taken()}")

    @contextmanager
    def story(self) -> Iterator[None]:
        yield

    def frame(self, frame: Frame) -> None:
        if frame.phase != self._phase:
            self._phase = frame.phase
            click.echo(f"\n-- {frame.phase} --")

    def told(self, told: Told) -> None:
        click.echo("")
        for n, (line, card) in enumerate(zip(told.lines, told.cards, strict=False)):
            time = f"{told.at_s:5.1f} s" if n == 0 else ""
            click.echo(f"{time:<9}{line}")
            _print_list(card)
        if told.verdict:
            click.echo(f"{'':9}{told.verdict}")

    def figures(self, figures: Figures) -> None:
        click.echo("\nFigures")
        for name, value in rows(figures):
            click.echo(f"  {name:<24} {value}")
        click.echo(f"\n{CLOSING}")


def _print_list(card: Card) -> None:
    if card.latency_ms is not None:
        click.echo(f"{'':9}{duration(card.latency_ms / 1000)} later the list begins with")
    for place in card.places:
        moved = f"  [{place.change}]" if place.change else ""
        click.echo(f"{'':11}{place.rank}. {place.title:<22} {place.why}{moved}")
