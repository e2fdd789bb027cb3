"""`freshrec state`: proving that the stores count what the log says."""

from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from schemas.settings import Settings
from streams.commands.context import pass_settings, with_state
from streams.state.stores import cluster_of, stores_in
from streams.state.verify import Verification, Verified
from streams.topology import STAGES

KEPT = [stage.name for stage in STAGES if stage.keeps]


@click.group()
def state() -> None:
    """Look after the stores."""


@state.command()
@click.option("--stage", "stages", type=click.Choice(KEPT), multiple=True, help="All by default.")
@click.option("--partition", "partitions", type=click.IntRange(0), multiple=True, help="All by default.")
@click.option(
    "--state",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="State directory; state.dir of the settings by default.",
)
@click.option(
    "--scratch",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where to count; the system's folder for temporary files by default.",
)
@click.option(
    "--url", help="Folder or fsspec URL of snapshots to count on from; that of the settings by default."
)
@click.option("--show-keys", is_flag=True, help="Name rows by their keys, which are ids of customers.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@pass_settings
def verify(
    settings: Settings,
    stages: tuple[str, ...],
    partitions: tuple[int, ...],
    folder: Path | None,
    scratch: Path | None,
    url: str | None,
    show_keys: bool,
    as_json: bool,
) -> int:
    """Count every store again from its topic on Kafka, and compare all rows.

    Works beside a running worker, too: compared is what it flushed last. Whole numbers have to be equal,
    floats within 1e-9 of their size. Where the topic does not reach back to where a store began, it is
    counted on from the oldest snapshot that the topic reaches. Exit code 1 if anything differs or can't be
    recounted.
    """
    settings = with_state(settings, folder)
    places = stores_in(Path(settings.state.dir), stages, partitions)
    verification = Verification(settings, cluster_of(settings.kafka), scratch, url=url, show_keys=show_keys)
    done = [verification.verify(place) for place in places]
    if as_json:
        click.echo(msgspec.json.encode(done).decode())
    else:
        _show(done)
    return 0 if all(each.well for each in done) else 1


def _show(done: list[Verified]) -> None:
    table = Table(box=None, header_style="bold")
    for name in ("store", "epoch", "offsets", "rows", "differing", "seconds"):
        table.add_column(name, justify="left" if name == "store" else "right", no_wrap=True)
    for each in done:
        begin = f"{each.begins_at:,}" if each.base is None else f"{each.base:,} (snapshot)"
        offsets = f"{begin} to {each.upto:,}"
        differing = f"{each.differing:,}" if each.problem is None else "not recounted"
        numbers = (f"{each.rows:,}", differing, f"{each.seconds:.1f}")
        table.add_row(f"{each.stage}/{each.partition}", str(each.epoch), offsets, *numbers)
    console = Console(markup=False, highlight=False)
    console.print(table)
    for each in done:
        if each.problem is not None:
            click.echo(f"{each.stage}/{each.partition}: {each.problem}")
        for row in each.differences:
            values = f" should be {row.expected}, is {row.found}" if row.expected or row.found else ""
            click.echo(f"{each.stage}/{each.partition}: {row.key}{values}")
    well = sum(each.well for each in done)
    click.echo(f"{well} of {len(done)} stores are what their input makes them")
