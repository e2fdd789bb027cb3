"""`freshrec snapshot`: take, list, verify and restore snapshots of the state."""

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from schemas.settings import Settings
from streams.commands.context import pass_settings
from streams.errors import NotFoundError, StateError
from streams.snapshots import by_hand
from streams.snapshots.examining import Examined, examine
from streams.snapshots.library import open_library
from streams.topology import STAGES

Command = TypeVar("Command", bound=Callable[..., Any])
DAMAGED = 1
_STAGES = click.Choice([stage.name for stage in STAGES if stage.keeps])


@click.group()
def snapshot() -> None:
    """Take, list, verify and restore snapshots of the state.

    They are at snapshot.url of the settings or, without one, in the folder `snapshots` beside state.dir.
    """


def _options(command: Command) -> Command:
    url = click.option(
        "--url", help="Folder or fsspec URL of the snapshots; that of the settings by default."
    )
    as_json = click.option("--json", "as_json", is_flag=True, help="One JSON array on standard output.")
    return url(as_json(command))


def _chosen(command: Command) -> Command:
    stage = click.option("--stage", type=_STAGES, help="Only this stage.")
    partition = click.option("--partition", type=click.IntRange(0), help="Only this partition.")
    return stage(partition(command))


def _print(message: object) -> None:
    click.echo(msgspec.json.encode(message).decode())


@snapshot.command()
@_chosen
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="State directory; state.dir of the settings by default.",
)
@_options
@pass_settings
def create(
    settings: Settings,
    stage: str | None,
    partition: int | None,
    state: Path | None,
    url: str | None,
    as_json: bool,
) -> int:
    """Take a snapshot of every store, beside a running worker, too.

    The worker that holds a store is asked for it, and flushes first. If snapshot.url is set, workers take
    snapshots by themselves, every snapshot.interval_s and when they stop.
    """
    folder = state or Path(settings.state.dir)
    library = open_library(settings, url)
    stores = by_hand.stores_in(folder, stage, partition)
    if not stores:
        raise NotFoundError(f"there is no such store in {folder}; check --state, --stage and --partition")
    created = []
    for store in stores:
        created.append(by_hand.create_or_ask(library, folder, store, keep=settings.snapshot.keep))
        if not as_json:
            made = created[-1]
            click.echo(
                f"{made.stage}/{made.partition}: epoch {made.epoch}, offset {made.offset}, "
                f"{made.new_files} of {made.files} files were new, {decimal(made.new_bytes)}"
            )
    if as_json:
        _print(created)
    return 0


@snapshot.command(name="list")
@_options
@pass_settings
def list_(settings: Settings, url: str | None, as_json: bool) -> int:
    """List snapshots: what each holds, and whether its manifest and files are there.

    Contents are not read: `freshrec snapshot verify` does.
    """
    library = open_library(settings, url)
    found = list(examine(library, content=False))
    if as_json:
        _print(found)
    elif not found:
        click.echo(f"there are no snapshots at {library.storage.url}")
    else:
        Console(markup=False, highlight=False).print(_table(found))
    return 0


@snapshot.command()
@_options
@pass_settings
def verify(settings: Settings, url: str | None, as_json: bool) -> int:
    """Read every file of every snapshot and compare its digest; exit 1 if anything is damaged."""
    library = open_library(settings, url)
    found = list(examine(library, content=True))
    damaged = [each for each in found if each.fault is not None]
    if as_json:
        _print(found)
    else:
        for each in damaged:
            click.echo(f"{each.stage}/{each.partition} {each.name}: {each.fault}", err=True)
        click.echo(
            f"{len(found) - len(damaged)} of {len(found)} snapshots at {library.storage.url} are whole"
        )
    return DAMAGED if damaged else 0


@snapshot.command()
@_chosen
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    help="State directory to fill; state.dir of the settings by default.",
)
@_options
@pass_settings
def restore(
    settings: Settings,
    stage: str | None,
    partition: int | None,
    to: Path | None,
    url: str | None,
    as_json: bool,
) -> int:
    """Put the newest whole snapshot of each partition into a state directory that has no such store.

    A worker with snapshot.url does this itself; here it is done ahead of one, or to look at the state.
    """
    folder = to or Path(settings.state.dir)
    library = open_library(settings, url)
    shelves = by_hand.shelves_of(library, stage, partition)
    if not shelves:
        raise NotFoundError(
            f"there is no such snapshot at {library.storage.url}; see `freshrec snapshot list`"
        )
    taken = by_hand.stores_in(folder, stage, partition)
    if taken:
        raise StateError(
            f"{folder} has a store of {', '.join(map(str, taken[:3]))} already; restore into another folder "
            f"with --to, or delete it first"
        )
    restored = []
    for shelf in shelves:
        restored.append(by_hand.restore(library, settings, shelf, folder))
        if not as_json:
            made = restored[-1]
            click.echo(f"{shelf}: epoch {made.epoch}, offset {made.offset}, {decimal(made.bytes)}")
    if as_json:
        _print(restored)
    return 0


def _table(found: list[Examined]) -> Table:
    table = Table(box=None, header_style="bold")
    for name in ("stage", "partition", "epoch", "offset", "age", "files", "bytes", "new", "signed"):
        table.add_column(name, no_wrap=True, justify="left" if name in ("stage", "signed") else "right")
    table.add_column("valid", overflow="fold")
    now_ms = time.time_ns() // 1_000_000
    for each in found:
        table.add_row(
            each.stage,
            str(each.partition),
            str(each.epoch),
            str(each.offset),
            "?" if each.created_at is None else in_words((now_ms - each.created_at) // 1000),
            str(each.files),
            decimal(each.bytes),
            decimal(each.bytes_new),
            "yes" if each.signed else "no",
            each.fault or "yes",
        )
    return table


def in_words(age_s: int) -> str:
    """Write an age for people, in its two largest units.

    Examples
    --------
    >>> in_words(42), in_words(3_725), in_words(200_000)
    ('42 s', '1 h 2 min', '2 d 7 h')
    """
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    for (large, size), (small, part) in pairwise(units):
        if age_s >= size:
            return f"{age_s // size} {large} {age_s % size // part} {small}"
    return f"{max(0, age_s)} s"
