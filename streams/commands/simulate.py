"""`freshrec simulate`: a synthetic storefront, to Kafka or to a file."""

import asyncio
import time
from collections.abc import Iterator
from itertools import chain, islice
from typing import IO

import click
import msgspec
from rich.console import Console

from online_models.worlds import PRESETS, Emitted, Storefront, StorefrontSettings
from schemas.settings import Settings
from streams.commands.context import pass_settings
from streams.commands.sending import report, send_with_progress


@click.command()
@click.option("--preset", type=click.Choice(sorted(PRESETS)), default="small", show_default=True)
@click.option("--rate", type=click.FloatRange(min=0.1), help="Events per second; the preset's by default.")
@click.option("--events", type=click.IntRange(1), help="End after so many events.")
@click.option(
    "--duration", type=click.FloatRange(min=0.1), help="End after so many seconds of the shop's time."
)
@click.option("--seed", type=int, help="Another seed makes another shop.")
@click.option(
    "--out", type=click.File("wb"), help="Write JSON lines there ('-' is standard output), not to Kafka."
)
@click.option("--json", "as_json", is_flag=True, help="The summary as one JSON object.")
@pass_settings
def simulate(
    settings: Settings,
    preset: str,
    rate: float | None,
    events: int | None,
    duration: float | None,
    seed: int | None,
    out: IO[bytes] | None,
    as_json: bool,
) -> None:
    """Produce a synthetic storefront: catalogue and customers first, then events until stopped."""
    world = PRESETS[preset]
    if rate is not None:
        world = msgspec.structs.replace(world, events_per_s=rate)
    if seed is not None:
        world = msgspec.structs.replace(world, seed=seed)
    if out is None:
        world = msgspec.structs.replace(world, start_at_ms=time.time_ns() // 1_000_000)
    limit = events if duration is None else min(events or 1 << 62, int(duration * world.events_per_s))
    if out is not None:
        if limit is None:
            raise click.UsageError("--out needs --events or --duration: the shop never closes by itself")
        _write(world, limit, out)
        return
    console = Console(stderr=True)
    sent = asyncio.run(_send(settings, world, limit, console))
    report(sent, as_json=as_json)


def _write(world: StorefrontSettings, limit: int, out: IO[bytes]) -> None:
    shop = Storefront(world)
    for each in chain(shop.catalogue(), shop.past(), islice(shop.events(), limit)):
        out.write(each.value + b"\n")


async def _send(
    settings: Settings, world: StorefrontSettings, limit: int | None, console: Console
) -> dict[str, object]:
    shop = Storefront(world)
    first: Iterator[Emitted] = chain(shop.catalogue(), shop.past())
    before = await send_with_progress(settings.kafka, first, rate=0.0, console=console)
    events = islice(shop.events(), limit)
    sent = await send_with_progress(settings.kafka, events, rate=world.events_per_s, console=console)
    return {"catalogue": before.topics, "topics": sent.topics, "messages": sent.messages} | {
        "seconds": sent.seconds,
        "per_s": sent.per_s,
    }
