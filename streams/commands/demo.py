"""`freshrec demo`: a shop, its recommendations and how they change, from an empty machine to the figures.

Everything is made in a folder of its own and gone at the end, also after Ctrl-C and errors.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from schemas.settings import LogSettings
from streams.demo.folder import own_folder
from streams.demo.house import House
from streams.demo.kafka_house import kafka_house
from streams.demo.live_screen import LiveScreen
from streams.demo.memory_house import memory_house
from streams.demo.screen import PlainScreen, Screen
from streams.demo.settings import STATE, demo_settings
from streams.demo.show import Show
from streams.interrupts import interruptible, run
from streams.logging_setup import configure

SECONDS = 42.0
EVENTS_PER_S = 120.0


@click.command()
@click.option("--no-kafka", is_flag=True, help="The same topology in this process, without a broker.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Where Kafka listens, on 127.0.0.1 only; a free port by default.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for everything, absent or empty; a temporary one by default.",
)
@click.option("--keep", is_flag=True, help="Don't remove the folder at the end.")
@click.option(
    "--seconds",
    type=click.FloatRange(5.0),
    default=SECONDS,
    hidden=True,
    help="How long the shop is open.",
)
@click.option(
    "--rate",
    type=click.FloatRange(1.0),
    default=EVENTS_PER_S,
    hidden=True,
    help="Events of the simulated customers per second.",
)
def demo(no_kafka: bool, port: int, data: Path | None, keep: bool, seconds: float, rate: float) -> None:
    """Watch recommendations change: a real Kafka, a worker and a simulated shop, for about a minute.

    Two customers with the same past part ways, and so do their lists. Settings files and FRESHREC_ variables
    play no part in it.
    """
    if no_kafka and port:
        raise click.UsageError("--port is Kafka's: it cannot be combined with --no-kafka")
    configure(LogSettings(level="warning"))
    screen = _screen()
    with interruptible(), own_folder(data, keep=keep) as folder:
        screen.title(_title(folder, no_kafka=no_kafka, keep=keep))
        with _house(folder, screen, no_kafka=no_kafka, port=port) as house:
            show = Show(house, screen, seconds=seconds, events_per_s=rate)
            figures = run(show.run())
        screen.figures(figures)
        if keep:
            name = figures.parting.first if figures.parting else "anna"
            screen.done(f"all is kept: try freshrec recommend {name} --state {folder / STATE}")


@contextmanager
def _house(folder: Path, screen: Screen, *, no_kafka: bool, port: int) -> Iterator[House]:
    settings = demo_settings(folder)
    if no_kafka:
        with memory_house(settings, screen) as in_memory:
            yield in_memory
    else:
        with kafka_house(settings, folder, port, screen) as on_kafka:
            yield on_kafka


def _screen() -> Screen:
    console = Console(highlight=False)
    draws = sys.stdout.isatty() and not console.is_dumb_terminal and console.encoding.startswith("utf")
    return LiveScreen(console) if draws else PlainScreen()


def _title(folder: Path, *, no_kafka: bool, keep: bool) -> str:
    what = "the whole topology in one process" if no_kafka else "a real Kafka, a worker"
    fate = "kept" if keep else "removed at the end"
    return f"freshrec demo: {what} and a simulated shop, in {folder} ({fate})"
