"""Logs for models to learn, made from the simulated shops by the real ingest, history and segments.

What a preset produces is decoded, checked and enriched as a worker would, in memory.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import Any, NamedTuple

import msgspec
import pytest

from online_models.catalog import STEPS
from online_models.checks.doubles import Memory
from online_models.deltas import Delta
from online_models.lessons import Teacher
from online_models.memory_views import MemoryViews
from online_models.ranker_step import RankerStep
from online_models.session_index import SessionIndex
from online_models.worlds import PRESETS, Emitted, Storefront
from schemas.events import TOPIC_OF_TYPE
from schemas.messages import (
    BEFORE_ALL,
    CustomerFacts,
    Event,
    EventBatch,
    Fact,
    ItemDeltas,
    ItemFacts,
    Lesson,
    Packet,
)
from schemas.settings import (
    DensitySettings,
    HistorySettings,
    KafkaSettings,
    PopularitySettings,
    ProfilesSettings,
    RankerSettings,
    RulesSettings,
    SegmentsSettings,
    SessionsSettings,
    Settings,
    TreesSettings,
)
from schemas.state import HistoryRow, RankerRow, ViewRow
from streams.followed import FollowedTopic, Views
from streams.memory_log import MemoryLog
from streams.monitoring import Metrics
from streams.outbox import Record
from streams.packing import DeltaPacker, PacketSealer
from streams.stages.ingest import IngestPartition
from streams.stages.partition import StageContext

COUNT = 600
PRESET_NAMES = ("small", "demo", "groups", "drift")
PRESETS_IN_TURN = [
    "small",
    *(pytest.param(name, marks=pytest.mark.slow) for name in PRESET_NAMES[1:]),
]
"""One of them in every check, all of them where there is time."""

DEFAULTS = Settings(ranker=RankerSettings(tries_per_s=0))
"""But for one: ingest reads these logs in a moment, of which only some events would be tried as lessons."""
TIGHT = Settings(
    history=HistorySettings(
        linked_items=3,
        linked_age_days=1,
        max_items=5,
        max_seen=6,
        max_sessions=2,
        max_follows=1,
        guest_ttl_s=60,
    ),
    rules=RulesSettings(half_life_s=600, max_set_size=4, max_row=6, max_events_per_hour=20),
    popularity=PopularitySettings(half_life_s=60, leaders=5, published=3),
    segments=SegmentsSettings(
        clusters=3, forgetting_cap=20, warmup_samples=10, max_unsent_events=2, top_items=4, top_categories=2
    ),
    sessions=SessionsSettings(held=30, sample=10, candidates=12),
    density=DensitySettings(radius=0.8, half_life_samples=20, shared=0.2),
    profiles=ProfilesSettings(half_life_s=600, horizon_s=600, trends_s=600, panel=10),
    ranker=RankerSettings(warm_up=20, all_lessons=60, tries_per_s=0, lesson_candidates=6),
    trees=TreesSettings(
        depth=2, grace=20, delta=0.2, tie=0.3, warm_up=15, categories=3, looks=3, open_sessions=4
    ),
)
"""Every bound is reached, and decay moves on, within a few hundred events."""

_decode = msgspec.msgpack.Decoder(EventBatch).decode
_unpack = msgspec.msgpack.Decoder(Packet[ItemDeltas]).decode


@lru_cache
def events(preset: str, count: int) -> tuple[Event, ...]:
    """Give the first events of a quiet shop of 30 customers and 40 items, some hours, with some erasures."""
    world = msgspec.structs.replace(
        PRESETS[preset],
        customers=30,
        items=40,
        pairs=4,
        scripted_customers=0,
        named_customers=(),
        events_per_s=0.05,
        consent_share=0.8,
        guest_share=0.3,
    )
    shop = Storefront(world)
    messages = chain(shop.catalogue(), _with_erasures(islice(shop.events(), count)))
    item_rows, customer_rows = Memory().make("v", ViewRow), Memory().make("v", ViewRow)
    views = Views(
        {
            "item-view": FollowedTopic(item_rows, ItemFacts, cache_rows=1_000),
            "customer-view": FollowedTopic(customer_rows, CustomerFacts, cache_rows=1_000),
        },
        DEFAULTS,
    )
    log = MemoryLog(views, lambda _: None)
    one_partition = Settings(kafka=KafkaSettings(partitions=1))
    context = StageContext(one_partition, log, views, Metrics(), lambda: world.start_at_ms)
    queue = log.read("events", 0, 0)
    ingests = {topic: IngestPartition(topic, 0, context) for topic in TOPIC_OF_TYPE.values()}
    for offset, message in enumerate(messages):
        ingests[message.topic].apply(Record(offset, message.at, message.value))
        ingests[message.topic].end_batch()
    return tuple(event for record in queue for event in _decode(record.value or b"").events)


def _with_erasures(messages: Iterator[Emitted]) -> Iterator[Emitted]:
    """Let the customer of every fiftieth event ask to be forgotten."""
    for number, message in enumerate(messages):
        yield message
        if number % 50 == 49 and message.topic == "browses" and message.key.startswith("c"):
            erasure = {"type": "erasure", "user_id": message.key, "at": message.at}
            yield Emitted("erasures", message.key, msgspec.json.encode(erasure), message.at)


@lru_cache
def history_outputs(preset: str, count: int, settings: Settings) -> tuple[tuple[int, Fact | Delta], ...]:
    """What the history step makes of a shop's events, with the number of the event."""
    step = STEPS["history"].make(Memory().make, settings)
    numbered = enumerate(events(preset, count))
    return tuple((number, output) for number, event in numbered for output in step.learn_one(event))


class Taught(NamedTuple):
    """What is learned of a shop while lessons are made of its events: the lessons, sessions and weights."""

    lessons: list[Lesson]
    views: MemoryViews


@lru_cache
def taught(preset: str, count: int, settings: Settings) -> Taught:
    """Let a teacher make lessons of a shop's events as they come, from what was learned before each.

    The ranker learns them at once, so that in time fewer lessons are made, of candidates that it chose.
    """
    index, memory = SessionIndex(sessions=settings.sessions.held, width=8), Memory()
    views, lessons = MemoryViews(sessions=index), list[Lesson]()
    histories, ranker = memory.make("h", HistoryRow), RankerStep(memory.make("w", RankerRow))
    step, teacher = STEPS["history"].make(memory.make, settings), Teacher(views, settings)
    for event in events(preset, count):
        wanted = teacher.wants(event)
        made = teacher.lessons(event, histories.get(event.key)) if wanted else []
        outputs = step.learn_one(event)
        for lesson in made if outputs else ():
            lessons.append(lesson)
            ranker.learn_one(lesson)
            views.ranker_weights = ranker.weights()
        for output in outputs:
            if isinstance(output, Fact):
                index.learn_fact(output)
    return Taught(lessons, views)


def deltas(preset: str, count: int, settings: Settings, *, batch: int) -> list[ItemDeltas]:
    """A shop's deltas, packed for one partition in batches of so many events."""
    packer = DeltaPacker(1, PacketSealer("item-deltas", "events", 0, 0, {}))
    packed: list[ItemDeltas] = []
    for number, output in history_outputs(preset, count, settings):
        if isinstance(output, Delta):
            packer.add((number, 0), output)
        if number % batch == batch - 1:
            packed += _sealed(packer, number)
    return packed + _sealed(packer, count)


def _sealed(packer: DeltaPacker, number: int) -> list[ItemDeltas]:
    packets = [_unpack(sealed.value) for sealed in packer.seal((number, 0))]
    assert all(packet.after >= BEFORE_ALL for packet in packets)
    return [entry for packet in packets for entry in packet.entries]


@lru_cache
def log_for(model: str, preset: str, count: int, settings: Settings) -> Sequence[Any]:
    """Inputs of a model's `learn_one`, from a shop's events."""
    if model == "history":
        return events(preset, count)
    if model == "ranker":
        return taught(preset, count, settings).lessons
    split = STEPS[model].split
    if split is not None:
        return [x for each in deltas(preset, count, settings, batch=50) for x in split(each)]
    facts = [output for _, output in history_outputs(preset, count, settings) if isinstance(output, Fact)]
    if model in ("segments", "profiles"):
        return facts
    if model == "outcomes":
        return facts
    if model == "trees":
        outcomes = STEPS["outcomes"].make(Memory().make, DEFAULTS)
        return [outcome for fact in facts for outcome in outcomes.learn_one(fact)]
    if model == "needs":
        profiles = STEPS["profiles"].make(Memory().make, settings)
        return [lesson for fact in facts for lesson in profiles.learn_one(fact)]
    segments = STEPS["segments"].make(Memory().make, settings)
    return [sample for fact in facts for sample in segments.learn_one(fact)]
