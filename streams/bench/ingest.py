"""Scenario `ingest`: raw records become checked events, beside a plain Faust agent on the same records.

Both go from what a fetch brought to the end of what an agent does with it, in one process without a broker:
ours through the worker's transport, runtime and ingest, whose outputs are put together and dropped; the other
through Faust's own consumer into models (`faust.Record`), one agent for each topic, which does nothing with
them. Ours looks categories up, checks every field and puts a record together for each partition, besides.
"""

import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import faust
import msgspec
import uvloop
from faust.types import TP
from msgspec.structs import replace

from schemas.settings import Settings
from streams.app import credentials_of, make_app
from streams.bench.alone import Plan as Shop
from streams.bench.alone import records_of
from streams.bench.fed import FedApp, FedBatches, FedRecords, fetches_of
from streams.bench.figures import Figures, at_least, figures_of, in_own_process
from streams.config import load
from streams.errors import FreshrecError
from streams.formats import FileRecord
from streams.garbage import collect_rarely
from streams.hosted import Hosted
from streams.kafka_outbox import KafkaOutbox
from streams.memory_log import MemoryLog
from streams.monitoring import Metrics
from streams.outbox import Outgoing, Record
from streams.rocks_store import RocksBudget
from streams.runtime import Runtime
from streams.stages.ingest import IngestPartition
from streams.stages.partition import StageContext
from streams.view_store import VIEWS, followed_by, open_views

NAME = "ingest"
STAGE = ("ingest",)
Parts = Sequence[Sequence[FileRecord]]
BARS = (at_least("events_per_s", 150_000), at_least("times_as_fast_as_plain_faust", 10))


class Plan(msgspec.Struct, frozen=True):
    """How many events are taken in, after `settle` events that fill caches; the plain agent gets `plain`."""

    items: int = Shop().items
    count: int = 200_000
    settle: int = 20_000
    plain: int = 20_000


class RefusedError(FreshrecError):
    """Something was refused where all is good: what was measured is not what was asked for."""


class Nowhere(KafkaOutbox):
    """The worker's outbox, from which nothing is sent."""

    async def _send(self, record: Outgoing) -> None:
        if record.topic == "rejected":
            _no_output(record)


def measure(plan: Plan, *, runs: int) -> Figures:
    """Measure some times, each in a process of its own; events differ from run to run by their seed."""
    taken = [in_own_process(_run, plan, seed) for seed in range(1, runs + 1)]
    return figures_of(NAME, taken, *BARS)


def _run(plan: Plan, seed: int) -> dict[str, float]:
    shop = Shop(items=plan.items, past=0, settle=plan.settle, count=plan.count)
    catalogue, before, events = records_of(shop, seed)
    plainly = events[: plan.plain]
    with tempfile.TemporaryDirectory(prefix="freshrec-bench-") as folder:
        settings = load(environ={"FRESHREC_STATE__DIR": folder}).settings
        collect_rarely()
        ours = uvloop.run(_ours(settings, catalogue, [before, events]))[1]
        plain = uvloop.run(_plain(settings, [plainly[:1000], plainly]))[1]
    per_event, per_plain = ours / len(events), plain / len(plainly)
    return {
        "events_per_s": 1 / per_event,
        "event_us": 1e6 * per_event,
        "plain_faust_event_us": 1e6 * per_plain,
        "times_as_fast_as_plain_faust": per_plain / per_event,
    }


async def _ours(settings: Settings, catalogue: Iterable[FileRecord], parts: Parts) -> list[float]:
    """Take parts in, one after another; the processor seconds of each."""
    views, databases = open_views(
        Path(settings.state.dir) / VIEWS,
        followed_by(STAGE, settings),
        RocksBudget(settings.state.rocksdb_bytes),
        settings,
    )
    outbox = Nowhere(settings.kafka, _raise)
    context = StageContext(settings, outbox, views, Metrics(), lambda: 0)
    _learn_catalogue(catalogue, replace(context, outbox=MemoryLog(views, _no_output)))
    for database in databases.values():
        database.flush()
    runtime = Runtime(STAGE, context, outbox, _raise, cluster="none")
    fed = FedApp(make_app("bench", settings, runtime, slot=0), FedBatches)
    for topic in runtime.topics:
        hosted = Hosted(IngestPartition(topic, 0, context), None, topic, 0, 0, calm_ms=1_000)
        hosted.generation = fed.consumer.app.consumer_generation_id
        runtime.hosted[TP(topic, 0)] = hosted
    await fed.start()
    try:
        return [
            await fed.seconds(part, lambda: sum(each.next_offset for each in runtime.hosted.values()))
            for part in fetches_of(parts, settings.kafka.max_batch_records)
        ]
    finally:
        await fed.stop()
        runtime.close()
        for database in databases.values():
            database.close()


def _learn_catalogue(catalogue: Iterable[FileRecord], context: StageContext) -> None:
    """Take items and customers in, so that events can be looked up."""
    ingests: dict[str, IngestPartition] = {}
    for record in catalogue:
        if record.topic not in ingests:
            ingests[record.topic] = IngestPartition(record.topic, 0, context)
        ingests[record.topic].apply(Record(record.line, None, record.value))


def _no_output(record: Outgoing) -> None:
    raise RefusedError(f"a record of bench-1 was refused: {(record.value or b'')!r}")


def _raise(error: Exception) -> None:
    raise error


class Browse(faust.Record, serializer="json"):
    """A browse as a plain Faust agent would have it."""

    event_id: str
    item_id: str
    at: int
    user_id: str | None = None
    session_id: str | None = None
    action: str | None = None


class Line(faust.Record, serializer="json"):
    """A line of an order."""

    item_id: str
    quantity: float
    unit_price: float


class Purchase(faust.Record, serializer="json"):
    """An order."""

    lines: list[Line]
    at: int
    event_id: str | None = None
    order_id: str | None = None
    user_id: str | None = None


class Rating(faust.Record, serializer="json"):
    """A rating."""

    event_id: str
    user_id: str
    item_id: str
    value: float
    scale_max: float
    at: int


MODELS = {"browses": Browse, "purchases": Purchase, "ratings": Rating}


async def _plain(settings: Settings, parts: Parts) -> list[float]:
    """Let a plain Faust app have the parts, one after another; the processor seconds of each."""
    app = faust.App(
        "plain",
        broker="kafka://",
        broker_credentials=credentials_of(settings.kafka),
        datadir=settings.state.dir,
        web_enabled=False,
    )
    seen: Counter[str] = Counter()
    for topic, model in MODELS.items():
        _add_agent(app, topic, model, seen)
    fed = FedApp(app, FedRecords)
    await fed.start()
    try:
        return [
            await fed.seconds(part, seen.total)
            for part in fetches_of(parts, settings.kafka.max_batch_records)
        ]
    finally:
        await fed.stop()


def _add_agent(app: faust.App, topic: str, model: type[faust.Record], seen: Counter[str]) -> None:
    async def agent(stream: faust.StreamT[faust.Record]) -> None:
        async for message in stream:
            seen[topic] += message.at > 0

    app.agent(app.topic(topic, value_type=model), name=topic)(agent)
