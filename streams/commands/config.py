"""`freshrec config`: the settings in force and where each came from. Reads, changes nothing."""

import json
from collections.abc import Iterator

import click
from rich.console import Console
from rich.table import Table

from streams.commands.context import loaded_of
from streams.config import Loaded, default_toml
from streams.experiment_settings import flat
from streams.settings_fields import FIELDS, read


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option("--toml", "as_toml", is_flag=True, help="Print a freshrec.toml with every default, explained.")
@click.pass_context
def config(ctx: click.Context, *, as_json: bool, as_toml: bool) -> None:
    """Show the effective settings and where each came from.

    Environment variables FRESHREC_SECTION__KEY win over the file, the file over the defaults.
    """
    if as_json and as_toml:
        raise click.UsageError("--json and --toml cannot be combined: the TOML holds defaults only")
    if as_toml:
        click.echo(default_toml(), nl=False)
    elif as_json:
        click.echo(json.dumps(_entries(loaded_of(ctx)), indent=2))
    else:
        _print_table(loaded_of(ctx))


def _entries(loaded: Loaded) -> dict[str, dict[str, object]]:
    return {key: {"value": value, "origin": loaded.origins[key]} for key, value in _values(loaded)}


def _values(loaded: Loaded) -> Iterator[tuple[str, object]]:
    yield from ((key, read(loaded.settings, key)) for key in FIELDS)
    yield from flat(loaded.settings.experiments)


def _print_table(loaded: Loaded) -> None:
    table = Table(box=None, header_style="bold")
    table.add_column("setting", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("from", overflow="fold")
    for key, value in _values(loaded):
        origin = loaded.origins[key]
        style = None if origin == "default" else "bold green"
        table.add_row(key, str(value), origin, style=style)
    Console(markup=False, highlight=False).print(table)
