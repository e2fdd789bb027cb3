"""`freshrec replay`: the same topology in one process, without a broker."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

import click
import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from schemas.recommendations import Rejection
from schemas.settings import Settings
from streams.commands.context import pass_settings, with_state
from streams.formats import FORMATS, FileReader, FileRecord, UnreadableLine
from streams.garbage import collect_rarely
from streams.pseudonyms import pseudonyms_of
from streams.replay import Replay
from streams.sorting import sorted_by_time
from streams.stored_views import StoredViews

SHOWN_UNREADABLE = 20
MAX_REJECTED_KEPT = 10_000


class Unreadable:
    """Lines that could not be read: counted all, the first ones shown."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.reasons: Counter[str] = Counter()

    def only_readable(self, lines: Iterable[FileRecord | UnreadableLine]) -> Iterator[FileRecord]:
        """Pass readable records on."""
        for line in lines:
            if isinstance(line, FileRecord):
                yield line
                continue
            self.reasons[line.reason] += 1
            if self.reasons.total() <= SHOWN_UNREADABLE:
                self._console.print(f"line {line.line}: {line.reason}: {line.detail}", highlight=False)


class Summary(msgspec.Struct):
    """What a replay did, as `--json` prints it."""

    events: dict[str, int]
    duplicates: int
    rejected: dict[str, int]
    unreadable: dict[str, int]
    skipped: dict[str, int]
    users: int
    items: int
    pairs: int
    recommendations: int
    seconds: float
    events_per_s: float
    hit_rate: float | None
    popularity_hit_rate: float | None
    hit_rate_last_tenth: float | None
    popularity_hit_rate_last_tenth: float | None
    queries_last_tenth: int


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--format", "format_", type=click.Choice(sorted(FORMATS)), required=True, help="What FILE holds."
)
@click.option(
    "--state", type=click.Path(file_okay=False, path_type=Path), help="State directory; state.dir by default."
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Recommendations, one JSON a line."
)
@click.option("--json", "as_json", is_flag=True, help="The summary as one JSON object.")
@pass_settings
def replay(
    settings: Settings, file: Path, format_: str, state: Path | None, out: Path | None, as_json: bool
) -> None:
    """Run the whole topology over FILE in one process, without a broker."""
    settings = with_state(settings, state)
    console = Console(stderr=True, markup=False)
    reader, unreadable = FileReader(file, format_), Unreadable(console)
    with ExitStack() as stack:
        folder = Path(settings.state.dir)
        folder.mkdir(parents=True, exist_ok=True)
        refused = stack.enter_context((folder / "rejected.jsonl").open("ab"))
        lists = stack.enter_context(out.open("wb")) if out is not None else None
        kept = 0

        def on_recommendation(value: bytes) -> None:
            if lists is not None:
                lists.write(value + b"\n")

        def on_rejected(rejection: Rejection) -> None:
            nonlocal kept
            kept += 1
            if kept <= MAX_REJECTED_KEPT:
                refused.write(msgspec.json.encode(rejection) + b"\n")

        collect_rarely()
        run = Replay(
            settings,
            on_recommendation=on_recommendation,
            on_rejected=on_rejected,
            pseudonyms=pseudonyms_of(settings.privacy),
        )
        stack.callback(run.close)
        started = perf_counter()
        _run(run, sorted_by_time(unreadable.only_readable(reader)), console)
        seconds = perf_counter() - started
    summary = _summary(run, settings, unreadable.reasons, reader.skipped, seconds)
    if as_json:
        click.echo(msgspec.json.encode(summary).decode())
    else:
        _show(summary)


def _run(run: Replay, records: Iterable[FileRecord], console: Console) -> None:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task("records", total=None)

        def counted() -> Iterator[FileRecord]:
            for number, record in enumerate(records):
                if number % 256 == 0:
                    progress.update(task, completed=number)
                yield record

        run.feed(counted())
        progress.update(task, description="publishing what is stale, refreshing every customer")
        run.finish()


def _summary(
    run: Replay,
    settings: Settings,
    unreadable: Counter[str],
    skipped: Counter[str],
    seconds: float,
) -> Summary:
    views = StoredViews(settings)
    try:
        users, items, pairs = views.sizes()
    finally:
        views.close()
    events = sum(run.events.values())
    late = run.last_tenth() if run.hits else None
    return Summary(
        dict(run.events),
        run.duplicates,
        dict(run.rejected),
        dict(unreadable),
        dict(skipped),
        users,
        items,
        pairs,
        run.recommendations,
        round(seconds, 3),
        round(events / seconds, 1) if seconds else 0.0,
        round(run.hits.hit_rate, 6) if run.hits else None,
        round(run.hits.popular_hit_rate, 6) if run.hits else None,
        round(late[1] / late[0], 6) if late and late[0] else None,
        round(late[2] / late[0], 6) if late and late[0] else None,
        late[0] if late else 0,
    )


def _show(summary: Summary) -> None:
    table = Table(show_header=False, title="replay")
    for name, value in msgspec.structs.asdict(summary).items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {count:,}" for key, count in sorted(value.items())) or "none"  # noqa: PLW2901
        elif isinstance(value, int):
            value = f"{value:,}"  # noqa: PLW2901  # shown, not kept
        table.add_row(name.replace("_", " "), "-" if value is None else str(value))
    Console(markup=False).print(table)
