"""What `produce` and `simulate` share: progress while sending, a clean end on a signal, the summary.

Progress goes to stderr, the summary to stdout.
"""

import asyncio
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

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

from schemas.settings import KafkaSettings
from streams.producing import Message, Sent, send_all


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Turn the first SIGINT or SIGTERM into an answer; the next one ends the process as ever.

    Yields a function that tells whether to stop. It also works while a long computation keeps the event
    loop waiting.
    """
    wanted = False
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(_number: int, _frame: FrameType | None) -> None:
        nonlocal wanted
        wanted = True
        restore()

    for number in before:
        signal.signal(number, note)
    try:
        yield lambda: wanted
    finally:
        restore()


@contextmanager
def progress_of(
    what: str, total: int | None = None, console: Console | None = None
) -> Iterator[Callable[[int], None]]:
    """Show how many there are already, on stderr by default; yields the function that is told."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = console or Console(stderr=True)
    quiet = not console.is_terminal
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True, disable=quiet) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


def send(
    settings: KafkaSettings,
    messages: Iterable[Message],
    *,
    what: str,
    stop: Callable[[], bool],
    total: int | None = None,
    rate: float = 0.0,
    at_event_time: bool = False,
    console: Console | None = None,
) -> Sent:
    """Send messages with progress until they end or `stop` says so; see `streams.producing.send_all`."""
    with progress_of(what, total, console) as on_progress:
        return asyncio.run(
            send_all(
                settings,
                messages,
                rate=rate,
                at_event_time=at_event_time,
                stop=stop,
                on_progress=on_progress,
            )
        )


def report(summary: dict[str, Any], *, as_json: bool, err: bool = False) -> None:
    """Print a summary as JSON or as a table."""
    if as_json:
        click.echo(msgspec.json.encode(summary).decode(), err=err)
        return
    table = Table(show_header=False)
    for name, value in summary.items():
        table.add_row(name.replace("_", " "), _in_words(value))
    Console(stderr=err).print(table)


def _in_words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {count:,}" for key, count in sorted(value.items())) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int | float) else str(value)
