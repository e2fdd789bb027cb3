"""Packing what a stage emits into few records: one packet per destination partition and batch.

A packet says which range of the source it covers, from the last one sent to that destination; the
receiver can then tell a repetition from a gap, however batches were cut.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec

from online_models.deltas import Delta, PairGroup
from schemas.messages import (
    BACKWARD,
    BEFORE_ALL,
    FORWARD,
    ItemDeltas,
    ItemTouch,
    Packet,
    PairDeltas,
    Position,
)
from streams.partitioning import partition_of
from streams.topology import MAX_MESSAGE_BYTES

Entry = TypeVar("Entry")
MAX_PACKET_BYTES = MAX_MESSAGE_BYTES // 2
"""Larger ones are split before they leave: half of what a topic takes."""

TOUCH_BYTES, PAIR_BYTES = 32, 24
"""Of one touch, and of both directions of a pair, about; ids and categories come on top."""

_encode = msgspec.msgpack.Encoder().encode


class Sealed(msgspec.Struct, frozen=True):
    """A packet ready to leave for one partition."""

    partition: int
    value: bytes


class PacketSealer:
    """Writes ranges on packets and remembers the last one sent to each partition of a topic.

    Parameters
    ----------
    topic, source_topic : str
        Destination and source, without prefix.
    source_partition, epoch : int
        Whose outputs these are.
    sent : dict
        "topic/partition" -> last `upto`; part of the stage's progress, changed here.
    """

    def __init__(
        self, topic: str, source_topic: str, source_partition: int, epoch: int, sent: dict[str, Position]
    ) -> None:
        self._topic, self._source, self._partition = topic, source_topic, source_partition
        self._epoch, self._sent = epoch, sent

    def seal(self, partition: int, upto: Position, positions: list[Position], entries: list[Entry]) -> Sealed:
        """Encode the entries of (last sent, upto] for one destination partition."""
        value = self._value(partition, upto, positions, entries)
        self._sent[f"{self._topic}/{partition}"] = upto
        return Sealed(partition, value)

    def seal_split(
        self, partition: int, upto: Position, positions: list[Position], entries: list[Entry]
    ) -> Iterator[Sealed]:
        """Encode them in as many packets as their size asks for, each the range after the one before."""
        value = self._value(partition, upto, positions, entries)
        half = bisect_left(positions, positions[len(positions) // 2])
        if len(value) > MAX_PACKET_BYTES and half:
            yield from self.seal_split(partition, positions[half - 1], positions[:half], entries[:half])
            yield from self.seal_split(partition, upto, positions[half:], entries[half:])
        else:
            self._sent[f"{self._topic}/{partition}"] = upto
            yield Sealed(partition, value)

    def _value(
        self, partition: int, upto: Position, positions: list[Position], entries: list[Entry]
    ) -> bytes:
        after = self._sent.get(f"{self._topic}/{partition}", BEFORE_ALL)
        return _encode(Packet(self._epoch, self._source, self._partition, after, upto, positions, entries))


class EntryPacker(Generic[Entry]):
    """Collects entries (facts, samples) by destination partition."""

    def __init__(self, partitions: int, sealer: PacketSealer) -> None:
        self._partitions, self._sealer = partitions, sealer
        self._waiting: dict[int, tuple[list[Position], list[Entry]]] = {}

    def add(self, position: Position, key: str, entry: Entry) -> None:
        """Take an entry that the record at `position` caused."""
        partition = partition_of(key, self._partitions)
        positions, entries = self._waiting.setdefault(partition, ([], []))
        positions.append(position)
        entries.append(entry)

    def seal(self, upto: Position) -> Iterator[Sealed]:
        """Hand out one packet, or more if it is large, per destination that has entries."""
        waiting, self._waiting = self._waiting, {}
        for partition, (positions, entries) in waiting.items():
            yield from self._sealer.seal_split(partition, upto, positions, entries)


class _Builder:
    """The deltas for one destination partition while they are collected."""

    __slots__ = ("ats", "names", "pairs", "positions", "touches")

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.positions: list[Position] = []
        self.ats: list[int] = []
        self.touches: list[ItemTouch] = []
        self.pairs: list[PairDeltas] = []

    def event(self, position: Position, at: int) -> int:
        """Index of the event at `position`; noted when it is new."""
        if not self.positions or self.positions[-1] != position:
            self.positions.append(position)
            self.ats.append(at)
        return len(self.positions) - 1


class DeltaPacker:
    """Collects item and pair deltas by the partition of the item whose row they change.

    `size` estimates the bytes of all that waits; seal before it is above `MAX_PACKET_BYTES`.
    """

    def __init__(self, partitions: int, sealer: PacketSealer) -> None:
        self._partitions, self._sealer = partitions, sealer
        self._builders: dict[int, _Builder] = {}
        self.size = 0

    def add(self, position: Position, delta: Delta) -> None:
        """Take the deltas of one event; each pair goes to both its items."""
        for touch in delta.touches:
            builder = self._builder(partition_of(touch.item, self._partitions))
            event, names = builder.event(position, delta.at), builder.names
            item = names.setdefault(touch.item, len(names))
            builder.touches.append(ItemTouch(event, item, touch.added, touch.weight, touch.categories))
            self.size += TOUCH_BYTES + len(touch.item) + sum(map(len, touch.categories))
        for group in delta.groups:
            self._add_group(position, delta.at, group)

    def _add_group(self, position: Position, at: int, group: PairGroup) -> None:
        """Send an item all its pairs, and each partner its own."""
        partitions, item = self._partitions, group.item
        mine = self._builder(partition_of(item, partitions))
        code, names = mine.event(position, at) * 8 + group.scope * 2, mine.names
        row = names.setdefault(item, len(names))
        columns = [names.setdefault(partner, len(names)) for partner in group.partners]
        mine.pairs.append(PairDeltas(code + FORWARD, row, columns, group.amounts))
        self.size += PAIR_BYTES * len(columns) + 2 * sum(map(len, group.partners))
        if partitions == 1:
            mine.pairs.append(PairDeltas(code + BACKWARD, row, columns, group.amounts))
            return
        theirs: dict[int, PairDeltas] = {}
        for partner, amount in zip(group.partners, group.amounts, strict=True):
            partition = partition_of(partner, partitions)
            each = theirs.get(partition)
            if each is None:
                builder = self._builder(partition)
                code = builder.event(position, at) * 8 + group.scope * 2 + BACKWARD
                row = builder.names.setdefault(item, len(builder.names))
                each = theirs[partition] = PairDeltas(code, row, [], [])
                builder.pairs.append(each)
            names = self._builders[partition].names
            each.partners.append(names.setdefault(partner, len(names)))
            each.amounts.append(amount)

    def seal(self, upto: Position) -> Iterator[Sealed]:
        """Hand out one packet per destination that has deltas."""
        for partition, builder in self._builders.items():
            deltas = ItemDeltas(
                list(builder.names), builder.positions, builder.ats, builder.touches, builder.pairs
            )
            yield self._sealer.seal(partition, upto, [], [deltas])
        self._builders = {}
        self.size = 0

    def _builder(self, partition: int) -> _Builder:
        builder = self._builders.get(partition)
        if builder is None:
            builder = self._builders[partition] = _Builder()
        return builder
