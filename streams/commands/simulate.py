"""`freshrec simulate`: a synthetic storefront, live to Kafka or as lines to a file."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count, islice, takewhile
from time import perf_counter
from typing import IO, Any

import click
import msgspec

from online_models.worlds import PRESETS, Emitted, Storefront, StorefrontSettings
from schemas.settings import KafkaSettings, Settings
from streams.commands.context import pass_settings
from streams.commands.sending import progress_of, report, send, stoppable
from streams.producing import Sent

HEAD_START_MS = 1_000
"""The shop opens so long after its first events are asked for: making them takes a moment."""


@click.command()
@click.option(
    "--preset", type=click.Choice(sorted(PRESETS)), default="small", show_default=True, help="Which shop."
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0),
    metavar="PER_S",
    help="Events per second, the preset's by default; 0 sends as fast as they go, dated as in a file.",
)
@click.option("--events", type=click.IntRange(min=1), help="End after so many events.")
@click.option(
    "--duration", type=click.FloatRange(min=0.1), metavar="S", help="End after so many seconds of the shop."
)
@click.option("--seed", type=click.IntRange(min=0), help="Another seed makes another shop.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=str),
    metavar="FILE",
    help="Write JSON lines to FILE ('-' is standard output) instead of sending them to Kafka.",
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
    out: str | None,
    as_json: bool,
) -> None:
    """Produce the events of a synthetic storefront, after its catalogue and its customers.

    To Kafka, events happen now and leave at their own time, until Ctrl-C, SIGTERM, --events or --duration.
    With --out they begin on 2025-01-06 and are the same bytes each time. A summary tells what was sent.
    """
    changes: dict[str, Any] = {"events_per_s": rate or None, "seed": seed}
    world = msgspec.structs.replace(
        PRESETS[preset], **{key: value for key, value in changes.items() if value is not None}
    )
    if out is None:
        with stoppable() as stop:
            report(_live(settings.kafka, world, events, duration, stop, paced=rate != 0), as_json=as_json)
        return
    if events is None and duration is None and out != "-":
        raise click.UsageError("--out FILE needs --events or --duration: the shop never closes by itself")
    with stoppable() as stop, click.open_file(out, "wb") as lines:
        summary = _written(world, events, duration, stop, lines)
    report(summary, as_json=as_json, err=out == "-")


def opened(shop: Storefront, events: int | None, duration_s: float | None) -> Iterator[Emitted]:
    """Events of a shop up to a number of them, or to a time after its start."""
    found: Iterator[Emitted] = shop.events()
    if duration_s is not None:
        end_ms = shop.settings.start_at_ms + 1_000 * duration_s
        found = takewhile(lambda event: event.at < end_ms, found)
    return islice(found, events)


def _live(
    kafka: KafkaSettings,
    world: StorefrontSettings,
    events: int | None,
    duration_s: float | None,
    stop: Callable[[], bool],
    *,
    paced: bool,
) -> dict[str, Any]:
    world = _starting_now(world) if paced else world
    shop = Storefront(world)
    known = send(kafka, chain(shop.catalogue(), shop.past()), what="items, customers, past", stop=stop)
    # The catalogue of a large shop takes seconds: its events begin only now.
    shop = Storefront(_starting_now(world)) if paced else shop
    happened = send(
        kafka, opened(shop, events, duration_s), what="events", stop=stop, total=events, at_event_time=paced
    )
    return _summary(known.topics, happened)


def _starting_now(world: StorefrontSettings) -> StorefrontSettings:
    now_ms = time.time_ns() // 1_000_000
    return msgspec.structs.replace(world, start_at_ms=now_ms + HEAD_START_MS)


def _written(
    world: StorefrontSettings,
    events: int | None,
    duration_s: float | None,
    stop: Callable[[], bool],
    lines: IO[bytes],
) -> dict[str, Any]:
    shop = Storefront(world)
    known = _write(chain(shop.catalogue(), shop.past()), "items, customers, past", stop, lines)
    happened = _write(opened(shop, events, duration_s), "events", stop, lines)
    return _summary(known.topics, happened)


def _write(messages: Iterable[Emitted], what: str, stop: Callable[[], bool], lines: IO[bytes]) -> Sent:
    started, topics = perf_counter(), Counter[str]()
    with progress_of(what) as on_progress:
        for number, each in zip(count(1), takewhile(lambda _: not stop(), messages), strict=False):
            lines.write(each.value + b"\n")
            topics[each.topic] += 1
            if number % 1_000 == 0:
                on_progress(number)
    seconds = max(perf_counter() - started, 1e-6)
    total = topics.total()
    return Sent(dict(topics), total, round(seconds, 3), round(total / seconds, 1))


def _summary(known: dict[str, int], happened: Sent) -> dict[str, Any]:
    """What was there before the events, then the events with their time."""
    told: dict[str, Any] = msgspec.to_builtins(happened)
    return {"catalogue": known} | told
