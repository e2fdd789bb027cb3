"""The oracle: what state and outputs have to be, from the recorded input of each stage and nothing else.

Every stage partition reads its recorded input topic once more, in offset order, into a fresh store; what
a worker left, whatever happened to it, has to be the same. Whoever compares has stopped the worker.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from online_models.rules import unpack
from schemas.clusters import ClusterRow
from schemas.messages import Fact, ItemDeltas, Packet, Position, Sample
from schemas.settings import Settings
from schemas.state import ProgressRow
from streams.followed import Views
from streams.monitoring import Metrics
from streams.outbox import Outgoing, Record
from streams.rocks_store import META, PROGRESS, RocksBudget, RocksDatabase
from streams.stages.opening import database_path, open_stage
from streams.stages.partition import KeptPartition, StageContext
from streams.topology import STAGES, TOPIC_BY_NAME, Stage, partitions_of
from tests.integration.shop_topics import ShopTopics, Stored

KEPT_STAGES = tuple(stage for stage in STAGES if stage.keeps)
TOLERANCE = 1e-9
_BOOKKEEPING = b"~"
_CACHE_BYTES = 16 * 1024 * 1024
_decode_progress = msgspec.msgpack.Decoder(ProgressRow).decode
_decode_clusters = msgspec.msgpack.Decoder(ClusterRow).decode
_ENTRY: dict[str, msgspec.msgpack.Decoder[Packet[Any]]] = {
    "facts": msgspec.msgpack.Decoder(Packet[Fact]),
    "samples": msgspec.msgpack.Decoder(Packet[Sample]),
    "item-deltas": msgspec.msgpack.Decoder(Packet[ItemDeltas]),
}

Place = tuple[int, Position, str]
"""Where an entry between two stages comes from: source partition, position there, item or nothing."""


class Outputs:
    """An outbox that keeps what stages send to stages, and drops the rest."""

    def __init__(self) -> None:
        self.records: list[Outgoing] = []

    def put(self, record: Outgoing) -> None:
        if record.topic in _ENTRY:
            self.records.append(record)


class Oracle:
    """Replays recorded topics and compares.

    Parameters
    ----------
    topics : ShopTopics
        The topology's topics; its settings are those of the worker.
    folder : Path
        An empty folder for the stores of the replay.
    """

    def __init__(self, topics: ShopTopics, folder: Path) -> None:
        self._topics, self._folder, self._settings = topics, folder, topics.settings
        self._budget = RocksBudget(_CACHE_BYTES)
        self._recorded: dict[str, list[Stored]] = {}
        self.outputs = Outputs()
        self.rows: dict[str, int] = {}
        """Rows compared, by stage."""

    def check(self) -> None:
        """Compare state, progress and everything between stages.

        Raises
        ------
        AssertionError
            Something differs; the message says what.
        """
        differences = list(self._compare())
        assert not differences, "\n".join([f"{len(differences)} differences:", *differences[:20]])

    def _compare(self) -> Iterator[str]:
        progress: dict[tuple[str, int], ProgressRow] = {}
        for stage in KEPT_STAGES:
            self.rows[stage.name] = 0
            for partition in range(self._partitions(stage.reads[0])):
                expected = self._replay(stage, partition)
                found = read_rows(self._settings, stage.name, partition)
                progress[stage.name, partition] = _decode_progress(found[PROGRESS])
                for text in self._differences(stage.name, expected, found):
                    yield f"{stage.name}/{partition}: {text}"
        yield from self._unsent(progress)
        for topic in _ENTRY:
            yield from self._compare_entries(topic)

    def _partitions(self, topic: str) -> int:
        return partitions_of(TOPIC_BY_NAME[topic], self._settings.kafka.partitions)

    def _records(self, topic: str) -> list[Stored]:
        if topic not in self._recorded:
            self._recorded[topic] = self._topics.read(topic)
        return self._recorded[topic]

    def _replay(self, stage: Stage, partition: int) -> dict[bytes, bytes]:
        """Rows and progress after the recorded input of one stage partition."""
        source = stage.reads[0]
        part = self._open(stage.name, partition)
        try:
            for record in self._records(source):
                if record.partition == partition:
                    part.apply(Record(record.offset, record.sent_at, record.value))
                    part.end_batch()
            part.database.write(part.freeze())
            return dict(part.database.rows())
        finally:
            part.database.close()

    def _open(self, stage: str, partition: int) -> KeptPartition:
        replace = msgspec.structs.replace
        settings = replace(
            self._settings,
            state=replace(self._settings.state, dir=str(self._folder)),
            recommend=replace(self._settings.recommend, enabled=False),
        )
        context = StageContext(
            settings, self.outputs, Views({}, settings), Metrics(), lambda: 0, self._topics.topic_ids
        )
        topic_id = self._topics.topic_ids[TOPIC_BY_NAME[_source(stage)].name]
        return open_stage(
            stage, partition, context, self._budget, cluster=self._topics.cluster, topic_id=topic_id
        )

    def _differences(
        self, stage: str, expected: Mapping[bytes, bytes], found: Mapping[bytes, bytes]
    ) -> Iterator[str]:
        for key in sorted(expected.keys() | found.keys()):
            if key == META or key.startswith(_BOOKKEEPING):
                continue
            if key not in expected or key not in found:
                yield f"{key!r} is {'missing' if key in expected else 'too much'}"
            elif key == PROGRESS:
                yield from _progress_differences(expected[key], found[key])
            else:
                self.rows[stage] += 1
                if not _same(stage, expected[key], found[key]):
                    shown = [msgspec.msgpack.decode(each) for each in (expected[key], found[key])]
                    yield f"{key!r} should be {shown[0]}, is {shown[1]}"

    def _unsent(self, progress: Mapping[tuple[str, int], ProgressRow]) -> Iterator[str]:
        """What a stage says it sent and the stage that reads it has not applied."""
        readers: dict[str, list[str]] = {stage.reads[0]: [] for stage in KEPT_STAGES}
        for stage in KEPT_STAGES:
            readers[stage.reads[0]].append(stage.name)
        for (stage_name, partition), row in progress.items():
            for destination, upto in row.sent.items():
                topic, _, number = destination.partition("/")
                for reader in readers[topic]:
                    source = f"{_source(stage_name)}/{partition}"
                    applied = progress[reader, int(number)].applied.get(source)
                    if applied is None or applied[1] != upto:
                        place = f"{stage_name}/{partition}"
                        yield f"{place} sent {destination} up to {upto}, {reader} is at {applied}"

    def _compare_entries(self, topic: str) -> Iterator[str]:
        """What stages put into a topic, sent twice or not, against what they should have."""
        expected = dict(_entries(topic, (each.value for each in self.outputs.records if each.topic == topic)))
        found: dict[Place, object] = {}
        for place, entry in _entries(topic, (each.value for each in self._records(topic))):
            if found.setdefault(place, entry) != entry:
                yield f"{topic}: {place} was sent twice and differs: {found[place]} and {entry}"
        for place in sorted(expected.keys() | found.keys()):
            if expected.get(place) != found.get(place):
                yield f"{topic}: {place} should be {expected.get(place)}, is {found.get(place)}"


def read_rows(settings: Settings, stage: str, partition: int) -> dict[bytes, bytes]:
    """Everything that a worker's store holds on disk."""
    path = database_path(Path(settings.state.dir), stage, partition)
    database = RocksDatabase(path, RocksBudget(_CACHE_BYTES), cache_bytes=_CACHE_BYTES, read_only=True)
    try:
        return dict(database.rows())
    finally:
        database.close()


def _source(stage: str) -> str:
    return next(each.reads[0] for each in STAGES if each.name == stage)


def _progress_differences(expected: bytes, found: bytes) -> Iterator[str]:
    """Where batches end is free, so what was sent may reach farther than its last entry."""
    wanted, row = _decode_progress(expected), _decode_progress(found)
    if wanted.next_offset != row.next_offset:
        yield f"next offset should be {wanted.next_offset}, is {row.next_offset}"
    if wanted.applied != row.applied:
        yield f"applied should be {wanted.applied}, is {row.applied}"
    if wanted.sent.keys() != row.sent.keys() or any(row.sent[x] < wanted.sent[x] for x in wanted.sent):
        yield f"sent should reach {wanted.sent}, is {row.sent}"


def _same(stage: str, expected: bytes, found: bytes) -> bool:
    if expected == found:
        return True
    return stage == "clusters" and _close(_decode_clusters(expected), _decode_clusters(found))


def _close(left: object, right: object) -> bool:
    """Whether two clusterings are equal but for rounding; their bytes are vectors of float64."""
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=TOLERANCE)
    if isinstance(left, bytearray) and isinstance(right, bytearray):
        if len(left) != len(right):
            return False
        return np.allclose(np.frombuffer(left, "<f8"), np.frombuffer(right, "<f8"), rtol=TOLERANCE, atol=0.0)
    if isinstance(left, msgspec.Struct) and isinstance(right, msgspec.Struct):
        return _close(msgspec.structs.astuple(left), msgspec.structs.astuple(right))
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and _close(list(left.values()), list(right.values()))
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(_close, left, right))
    return left == right


def _entries(topic: str, values: Iterable[bytes | None]) -> Iterator[tuple[Place, object]]:
    for value in values:
        packet = _ENTRY[topic].decode(value or b"")
        for entry, position in zip(packet.entries, packet.positions, strict=False):
            yield (packet.source_partition, position, ""), entry
        for entry in packet.entries:
            if isinstance(entry, ItemDeltas):
                for update in unpack(entry):
                    yield (packet.source_partition, update.position, update.item), update
