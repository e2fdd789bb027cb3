"""`freshrec reset STAGE`: begin a stage anew, with all below it."""

from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from schemas.settings import Settings
from streams.cluster import topic_specs
from streams.commands.context import pass_settings
from streams.errors import BrokerError
from streams.groups import move_groups, wait_until_nobody_reads
from streams.state.lock import exclusive
from streams.state.reset import REPLACED, Beginning, Reset, names
from streams.state.stores import cluster_of
from streams.topics import check_topics
from streams.topology import STAGES

KEPT = [stage.name for stage in STAGES if stage.keeps]


@click.command()
@click.argument("stage", type=click.Choice(KEPT))
@click.option("--from-latest", is_flag=True, help="Begin with what comes from now on.")
@click.option("--epoch", type=click.IntRange(1), help="Number of the new epoch; one above the highest known.")
@click.option("--delete", is_flag=True, help="Delete the old stores instead of keeping them aside.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@pass_settings
def reset(
    settings: Settings,
    stage: str,
    from_latest: bool,
    epoch: int | None,
    delete: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Begin a stage anew, with all that learn from it: empty stores in a new epoch.

    STAGE reads its topic again from the earliest record that is there, under the settings of now. Every
    worker has to be stopped. The old stores are moved to the folder .replaced of the state directory.
    If it is interrupted, workers refuse to start until it was run again to its end.
    """
    problems = check_topics(settings.kafka, topic_specs(settings.kafka))
    if problems:
        raise BrokerError(problems[0])
    with exclusive(Path(settings.state.dir)):
        wait_until_nobody_reads(settings.kafka)
        work = Reset(settings, cluster_of(settings.kafka), stage, from_latest=from_latest, epoch=epoch)
        if not yes:
            what = f"Begin {names(work.stages)} anew in epoch {work.epoch}, in {settings.state.dir}?"
            click.confirm(what, abort=True, err=True)
        done = work.carry_out(delete=delete)
        starts = {(each.stage, each.partition): each.begins_at for each in done}
        move_groups(settings.kafka, starts)
        work.finish()
    if as_json:
        click.echo(msgspec.json.encode(done).decode())
    else:
        _show(done, settings)


def _show(done: list[Beginning], settings: Settings) -> None:
    table = Table(box=None, header_style="bold")
    for name in ("store", "epoch", "begins at"):
        table.add_column(name, justify="left" if name == "store" else "right", no_wrap=True)
    for each in done:
        table.add_row(f"{each.stage}/{each.partition}", str(each.epoch), f"{each.begins_at:,}")
    Console(markup=False, highlight=False).print(table)
    if any(each.replaced for each in done):
        click.echo(
            f"the old stores are in {Path(settings.state.dir) / REPLACED}; delete them once all is well"
        )
    click.echo("state directories of other machines still hold the old epoch: run the same there, too")
