"""`freshrec produce FILE`: send a file to the public topics."""

import asyncio
from itertools import islice
from pathlib import Path

import click
import msgspec
from rich.console import Console

from schemas.settings import Settings
from streams.commands.context import pass_settings
from streams.commands.replay import Unreadable
from streams.commands.sending import report, send_with_progress
from streams.formats import FORMATS, FileReader
from streams.sorting import sorted_by_time


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--format", "format_", type=click.Choice(sorted(FORMATS)), required=True)
@click.option(
    "--rate", type=click.FloatRange(0), default=0.0, help="Messages per second; 0: as fast as they go."
)
@click.option("--limit", type=click.IntRange(1), help="Send only so many messages.")
@click.option("--json", "as_json", is_flag=True, help="The summary as one JSON object.")
@pass_settings
def produce(
    settings: Settings, file: Path, format_: str, rate: float, limit: int | None, as_json: bool
) -> None:
    """Send FILE's messages, in time order, to the public topics."""
    console = Console(stderr=True)
    reader, unreadable = FileReader(file, format_), Unreadable(console)
    records = islice(sorted_by_time(unreadable.only_readable(reader)), limit)
    sent = asyncio.run(send_with_progress(settings.kafka, records, rate=rate, console=console))
    extra = {"unreadable": dict(unreadable.reasons), "skipped": dict(reader.skipped)}
    report(msgspec.to_builtins(sent) | extra, as_json=as_json)
