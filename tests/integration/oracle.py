"""The oracle: what state and outputs have to be, from the recorded input of each stage and nothing else.

Every stage partition reads its recorded input topic once more, in offset order, into a fresh store; what
a worker left, whatever happened to it, has to be the same. Whoever compares has stopped the worker.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from online_models.rules import unpack
from schemas.messages import Fact, ItemDeltas, Packet, Position, Sample
from schemas.settings import Settings
from schemas.state import MetaRow, ProgressRow
from streams.outbox import Outgoing, Record
from streams.rocks_store import RocksBudget, RocksDatabase
from streams.stages.opening import database_path
from streams.stages.partition import KeptPartition
from streams.state.compare import pairs, progress_differences, same
from streams.state.recount import recount
from streams.topology import STAGES, TOPIC_BY_NAME, Stage, partitions_of
from tests.integration.shop_topics import ShopTopics, Stored

KEPT_STAGES = tuple(stage for stage in STAGES if stage.keeps)
_CACHE_BYTES = 16 * 1024 * 1024
_ENTRY: dict[str, msgspec.msgpack.Decoder[Packet[Any]]] = {
    "facts": msgspec.msgpack.Decoder(Packet[Fact]),
    "samples": msgspec.msgpack.Decoder(Packet[Sample]),
    "item-deltas": msgspec.msgpack.Decoder(Packet[ItemDeltas]),
}
_AS_HEARD = frozenset({"learning"})
"""Topics of which less may be sent when the input is read again: what becomes a lesson goes by what was heard
of the ranker until then. Who reads them passes over what is applied already."""

Place = tuple[int, int, Position, str]
"""Where an entry between two stages comes from: epoch, source partition, position there, item or nothing."""


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
        self._epochs: dict[tuple[str, int], int] = {}
        self.outputs = Outputs()
        self.rows: dict[str, int] = {}
        """Rows compared, by stage."""

        self._entries_compared = 0

    def check(self) -> None:
        """Compare state, progress and everything between stages.

        Raises
        ------
        AssertionError
            Something differs; the message says what.
        """
        differences = self.differences()
        assert not differences, "\n".join([f"{len(differences)} differences:", *differences[:20]])

    def differences(self) -> list[str]:
        """What differs, a sentence each."""
        return list(self._compare())

    @property
    def compared(self) -> int:
        """Rows and entries between stages that were compared so far."""
        return sum(self.rows.values()) + self._entries_compared

    def _compare(self) -> Iterator[str]:
        progress: dict[tuple[str, int], ProgressRow] = {}
        for stage in KEPT_STAGES:
            self.rows[stage.name] = 0
            for partition in range(self._partitions(stage.reads[0])):
                with closing(self._stored(stage, partition)) as found:
                    progress[stage.name, partition] = found.progress()
                    part = self._recount(stage, partition, found.meta())
                    self._epochs[stage.reads[0], partition] = part.epoch
                    with closing(part.database):
                        for text in self._differences(part, found):
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

    def _stored(self, stage: Stage, partition: int) -> RocksDatabase:
        path = database_path(Path(self._settings.state.dir), stage.name, partition)
        return RocksDatabase(path, self._budget, cache_bytes=1, read_only=True)

    def _recount(self, stage: Stage, partition: int, meta: MetaRow | None) -> KeptPartition:
        """One stage partition after its recorded input."""
        assert meta is not None, f"{stage.name}/{partition} was never stamped"
        records = [
            Record(each.offset, each.sent_at, each.value)
            for each in self._records(stage.reads[0])
            if each.partition == partition and each.offset >= meta.begins_at
        ]
        return recount(meta, records, self._settings, self._folder, self._budget, outbox=self.outputs)

    def _differences(self, part: KeptPartition, found: RocksDatabase) -> Iterator[str]:
        yield from progress_differences(part.progress, found.progress())
        for pair in pairs(part.database, found):
            self.rows[part.stage] += 1
            if not same(part.database, pair):
                shown = [each and msgspec.msgpack.decode(each) for each in (pair.expected, pair.found)]
                yield f"{pair.key!r} should be {shown[0]}, is {shown[1]}"

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
                    ahead = topic in _AS_HEARD and applied is not None and applied[1] > upto
                    if not ahead and (applied is None or applied[1] != upto):
                        place = f"{stage_name}/{partition}"
                        yield f"{place} sent {destination} up to {upto}, {reader} is at {applied}"

    def _compare_entries(self, topic: str) -> Iterator[str]:
        """What stages put into a topic, sent twice or not, against what they should have in their epoch."""
        (source,) = (stage.reads[0] for stage in KEPT_STAGES if topic in stage.writes)
        expected = dict(_entries(topic, (each.value for each in self.outputs.records if each.topic == topic)))
        found: dict[Place, object] = {}
        for place, entry in _entries(topic, (each.value for each in self._records(topic))):
            if place[0] != self._epochs[source, place[1]]:
                continue
            if found.setdefault(place, entry) != entry:
                yield f"{topic}: {place} was sent twice and differs: {found[place]} and {entry}"
        for place in sorted(expected.keys() | found.keys()):
            self._entries_compared += 1
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


def _entries(topic: str, values: Iterable[bytes | None]) -> Iterator[tuple[Place, object]]:
    for value in values:
        packet = _ENTRY[topic].decode(value or b"")
        for entry, position in zip(packet.entries, packet.positions, strict=False):
            yield (packet.epoch, packet.source_partition, position, ""), entry
        for entry in packet.entries:
            if isinstance(entry, ItemDeltas):
                for update in unpack(entry):
                    place = (packet.epoch, packet.source_partition, update.position, update.item)
                    yield place, update
