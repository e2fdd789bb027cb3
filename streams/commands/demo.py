"""`freshrec demo`: watch recommendations change, on a real Kafka or without one."""

import asyncio
import shutil
import tempfile
from pathlib import Path

import click
from rich.console import Console

from streams.showcase.figures import Figures
from streams.showcase.floors import kafka_floor, replay_floor
from streams.showcase.story import Story


@click.command()
@click.option("--no-kafka", is_flag=True, help="The same topology in this process, without a broker.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Kafka's port; a free one by default.")
@click.option("--warm-up", "warm_up_s", type=click.FloatRange(min=1), default=20.0, show_default=True)
@click.option("--keep", is_flag=True, help="Keep the folder with state and logs.")
def demo(no_kafka: bool, port: int, warm_up_s: float, keep: bool) -> None:
    """Simulate a shop; two customers with the same past part, and their lists with them."""
    console = Console(width=None if Console().is_terminal else 120)
    folder = Path(tempfile.mkdtemp(prefix="freshrec-demo-"))
    try:
        asyncio.run(_run(folder, console, no_kafka=no_kafka, port=port, warm_up_s=warm_up_s))
    finally:
        if keep:
            console.print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    console.print("done. Next: README.md, 'From a file to the first recommendation'")


async def _run(folder: Path, console: Console, *, no_kafka: bool, port: int, warm_up_s: float) -> None:
    figures = Figures()

    def say(text: str) -> None:
        console.print(f"[dim]{text}[/]", highlight=False)

    if no_kafka:
        async with replay_floor(folder, figures) as floor:
            await Story(floor, figures, console, warm_up_s=warm_up_s).tell()
    else:
        async with kafka_floor(folder, figures, say, port=port) as floor:
            await Story(floor, figures, console, warm_up_s=warm_up_s).tell()
