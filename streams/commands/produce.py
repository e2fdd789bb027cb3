"""`freshrec produce FILE`: send a file to the public topics."""

from itertools import islice, takewhile
from pathlib import Path

import click
import msgspec
from rich.console import Console

from schemas.settings import Settings
from streams.cli import INTERRUPTED
from streams.commands.context import pass_settings
from streams.commands.replay import Unreadable
from streams.commands.sending import report, send, stoppable
from streams.formats import FORMATS, FileReader
from streams.sorting import sorted_by_time


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--format", "format_", type=click.Choice(sorted(FORMATS)), required=True, help="What FILE holds."
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="PER_S",
    help="Messages per second, evenly spaced; as fast as they go by default.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Send only the first so many, in time order.")
@click.option("--sort/--no-sort", default=True, help="Put them in time order first (default), or leave them.")
@click.option("--json", "as_json", is_flag=True, help="The summary as one JSON object.")
@pass_settings
def produce(
    settings: Settings, file: Path, format_: str, rate: float, limit: int | None, sort: bool, as_json: bool
) -> int:
    """Send the messages of FILE to the public topics.

    Lines that cannot be read are counted, the first ones shown with their reason; the others are sent. Ends
    once every message is acknowledged. Ctrl-C stops sending and still prints the summary.
    """
    # What a line holds is shown as it is, never taken for markup.
    console = Console(stderr=True, markup=False)
    unreadable, reader = Unreadable(console), FileReader(file, format_)
    with stoppable() as stop:
        lines = takewhile(lambda _: not stop(), reader)
        records = unreadable.only_readable(lines)
        records = islice(sorted_by_time(records) if sort else records, limit)
        sent = send(
            settings.kafka, records, what="messages", stop=stop, total=limit, rate=rate, console=console
        )
        interrupted = stop()
    counted = {"unreadable": dict(unreadable.reasons), "skipped": dict(reader.skipped)}
    summary = msgspec.to_builtins(sent) | counted | {"interrupted": interrupted}
    report(summary, as_json=as_json)
    return INTERRUPTED if interrupted else 0
