"""One stage at a time, on a real database: what it put into the outbox, and the views it follows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from online_models.memory_store import MemoryStore
from schemas.messages import Event, EventBatch, Fact, ItemDeltas, Line, Packet, Position, Sample
from schemas.settings import (
    KafkaSettings,
    PopularitySettings,
    RecommendSettings,
    RulesSettings,
    SegmentsSettings,
    Settings,
)
from schemas.state import ViewRow
from streams.followed import Views, followed_topic
from streams.monitoring import Metrics
from streams.outbox import Outgoing, Record, Version
from streams.rocks_store import RocksBudget
from streams.stages.opening import open_stage
from streams.stages.partition import KeptPartition, StageContext
from streams.topology import TOPIC_BY_NAME, TOPICS

BUDGET = RocksBudget(8 * 1024 * 1024)
AT = 10**12 - 5_000
"""Before the clock of a bench."""

_TOPICS = {
    "purchase": "purchases",
    "rating": "ratings",
    "customer": "customers",
    "link": "links",
    "impression": "impressions",
    "erasure": "erasures",
}
_pack = msgspec.msgpack.encode


def settings_of(
    partitions: int = 1,
    *,
    rules: dict[str, Any] | None = None,
    popularity: dict[str, Any] | None = None,
    segments: dict[str, Any] | None = None,
    recommend: dict[str, Any] | None = None,
) -> Settings:
    """No decay, one partition unless told, and the given bounds."""
    return Settings(
        kafka=KafkaSettings(partitions=partitions),
        rules=msgspec.convert({"half_life_s": 0} | (rules or {}), RulesSettings),
        popularity=msgspec.convert({"half_life_s": 0} | (popularity or {}), PopularitySettings),
        segments=msgspec.convert(segments or {}, SegmentsSettings),
        recommend=msgspec.convert(recommend or {}, RecommendSettings),
    )


class Bench:
    """Where stages are tried: an outbox that collects, views that follow it, a clock that is set."""

    def __init__(self, settings: Settings | None = None, state: Path | None = None, **fields: Any) -> None:
        using = settings or settings_of()
        if state is not None:
            tree = msgspec.to_builtins(using)
            using = msgspec.convert(tree | {"state": tree["state"] | {"dir": str(state)}}, Settings)
        self.settings = using
        self.put_records: list[Outgoing] = []
        self.now = 10**12
        followed = {
            topic.name: followed_topic(
                topic.name, MemoryStore(ViewRow), _type_of(topic.name), cache_rows=1_000
            )
            for topic in TOPICS
            if topic.kind == "view"
        }
        self.views = Views(followed, using)
        self.metrics = Metrics()
        self.context = StageContext(using, self, self.views, self.metrics, lambda: self.now, **fields)

    def put(self, record: Outgoing) -> None:
        self.put_records.append(record)
        topic = self.views.topics.get(record.topic)
        if topic is not None and record.key is not None and record.version is not None:
            topic.learn(record.key.decode(), record.value, record.version)

    def follow(self, topic: str, key: str, row: msgspec.Struct | None, *, version: Version) -> None:
        """A row of a view arrives from elsewhere; None is a tombstone."""
        self.views.topics[topic].learn(key, None if row is None else _pack(row), version)

    def open(self, stage: str, partition: int = 0) -> KeptPartition:
        """Open a stage in the state folder of the bench."""
        return open_stage(stage, partition, self.context, BUDGET, cluster="c", topic_id="t")

    def reopened(self, part: KeptPartition) -> KeptPartition:
        """Open a stage again after a crash: what was not flushed is gone."""
        part.database.close()
        return self.open(part.stage, part.partition)

    def shows(self, line: str) -> bool:
        """Whether the metrics have this line."""
        return line in self.metrics.render().decode().splitlines()

    def taken(self, topic: str) -> list[Outgoing]:
        """What was put for a topic since the last time."""
        found = [record for record in self.put_records if record.topic == topic]
        self.put_records = [record for record in self.put_records if record.topic != topic]
        return found

    def decoded(self, topic: str) -> list[Any]:
        """The messages among them."""
        return [decoded(record) for record in self.taken(topic) if record.value is not None]


def _type_of(topic: str) -> type[object]:
    found = TOPIC_BY_NAME[topic].message
    assert isinstance(found, type)
    return found


def decoded(record: Outgoing) -> Any:
    """The message of a record, as its topic says."""
    topic = TOPIC_BY_NAME[record.topic]
    decode = msgspec.json.decode if topic.codec == "json" else msgspec.msgpack.decode
    return decode(record.value or b"", type=topic.message)


def flushed(part: KeptPartition) -> None:
    """Write a cut, as a worker does."""
    part.end_batch()
    part.database.write(part.freeze())
    part.database.thaw()


def worked(part: KeptPartition, *, idle: bool = False, drain: bool = False) -> None:
    """Let a stage do all that is due."""
    while part.work(idle=idle, drain=drain):
        pass


def an_event(offset: int, kind: str = "view", *items: str, key: str = "u:anna", **fields: Any) -> Event:
    """What ingest made of a public record at `offset` of partition 0; it is about tea unless told."""
    given: dict[str, Any] = {
        "topic": _TOPICS.get(kind, "browses"),
        "partition": 0,
        "event_id": f"{kind}-{offset}",
        "session_id": "s1",
        "lines": [Line(item, []) for item in items or ("tea",)],
    }
    at = AT + offset
    return Event(key=key, kind=kind, at=at, offset=offset, sent_at=at, ingested_at=at + 1, **given | fields)


def a_batch(offset: int, *events: Event, ids: dict[str, str] | None = None) -> Record:
    """A record of `events`."""
    return Record(offset, 0, _pack(EventBatch(ids or {}, list(events))))


def facts_record(offset: int, facts: Sequence[Fact], *, after: Position, epoch: int = 0) -> Record:
    """A record of `facts` that covers one position per fact, right after `after`."""
    first = after[0] + 1
    positions = [(first + n, 0) for n in range(len(facts))]
    packet = Packet(epoch, "events", 0, after, positions[-1] if positions else after, positions, list(facts))
    return Record(offset, 0, _pack(packet))


def samples_record(offset: int, samples: Sequence[Sample], *, after: Position) -> Record:
    """A record of `samples` that covers one position per sample, right after `after`."""
    first = after[0] + 1
    positions = [(first + n, 0) for n in range(len(samples))]
    return Record(offset, 0, _pack(Packet(0, "facts", 0, after, positions[-1], positions, list(samples))))


def deltas_record(
    offset: int, deltas: ItemDeltas, *, after: Position, upto: Position, epoch: int = 0, source: int = 0
) -> Record:
    """A record of `item-deltas`."""
    return Record(offset, 0, _pack(Packet(epoch, "events", source, after, upto, [], [deltas])))
