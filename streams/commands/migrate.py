"""`freshrec migrate`: go on under other learning settings, with the counts as they are."""

from pathlib import Path

import click
import msgspec

from schemas.settings import Settings
from streams.commands.context import pass_settings
from streams.state.interrupted import refuse_interrupted
from streams.state.lock import exclusive
from streams.state.migrate import Change, Migration
from streams.state.stores import cluster_of, stores_in


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@pass_settings
def migrate(settings: Settings, yes: bool, as_json: bool) -> None:
    """Go on under other learning settings, with the counts as they are.

    A worker refuses a store that was learned under other settings. This writes the settings of now into the
    stores, which count by them from here on; they can't be recounted any more from the log, and snapshots
    that are older can't be restored. Every worker that uses the state directory has to be stopped.
    """
    folder = Path(settings.state.dir)
    places = stores_in(folder, (), ())
    with exclusive(folder):
        refuse_interrupted(folder)
        migration = Migration(settings, cluster_of(settings.kafka))
        changes = migration.changes(places)
        if changes and not yes:
            _show(changes)
            click.confirm(f"Go on with these settings in {folder}?", abort=True, err=True)
        migration.carry_out(changes)
    if as_json:
        click.echo(msgspec.json.encode(changes).decode())
        return
    if yes:
        _show(changes)
    click.echo(f"{len(changes)} of {len(places)} stores were migrated")


def _show(changes: list[Change]) -> None:
    for each in changes:
        click.echo(f"{each.stage}/{each.partition}: {'; '.join(each.differences)}")
