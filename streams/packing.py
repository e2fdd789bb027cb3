"""Packing what a stage emits into few records: one packet per destination partition and batch.

A packet says which range of the source it covers, from the last one sent to that destination; the
receiver can then tell a repetition from a gap, however batches were cut.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from online_models.deltas import Delta, PairGroup, Touch
from online_models.pair_columns import Columns, encode
from schemas.messages import (
    BACKWARD,
    BEFORE_ALL,
    FORWARD,
    ItemDeltas,
    ItemTouch,
    Packet,
    Position,
)
from streams.partitioning import partition_of
from streams.topology import MAX_MESSAGE_BYTES

Entry = TypeVar("Entry")
MAX_PACKET_BYTES = MAX_MESSAGE_BYTES // 2
"""Larger ones are split before they leave: half of what a topic takes."""

TOUCH_BYTES, GROUP_BYTES, PAIR_BYTES = 32, 12, 36
"""Of one touch, of a group, and of both directions of a pair, at most; ids and categories come on top."""

KEPT_NAMES = 1_000_000
"""Item ids whose number is kept from packet to packet."""

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


class _Names:
    """Numbers of item ids, and the partition of each; kept from packet to packet."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self.numbers: dict[str, int] = {}
        self.texts: list[str] = []
        self.homes = np.empty(1_024, np.int32)

    def number(self, name: str) -> int:
        """Number of an id; a new one gets the next."""
        found = self.numbers.get(name)
        if found is None:
            found = self.numbers[name] = len(self.texts)
            self.texts.append(name)
            if found == len(self.homes):
                self.homes = np.concatenate((self.homes, np.empty_like(self.homes)))
            self.homes[found] = partition_of(name, self._partitions)
        return found


class _Touched(NamedTuple):
    """A touch while it waits: the event and the item by number."""

    event: int
    item: int
    touch: Touch


class _Groups:
    """Pair groups while they wait: one number per group, then per pair."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.items: list[int] = []
        self.lengths: list[int] = []
        self.partners: list[int] = []
        self.amounts: list[int] = []

    def columns(self) -> Columns:
        """All of them as arrays; codes say FORWARD."""
        codes, items, lengths, partners = (
            np.array(numbers, np.int32) for numbers in (self.codes, self.items, self.lengths, self.partners)
        )
        return Columns(codes, items, lengths, partners, np.array(self.amounts, np.int64))


class DeltaPacker:
    """Collects item and pair deltas by the partition of the item whose row they change.

    `size` estimates the bytes of all that waits; seal before it is above `MAX_PACKET_BYTES`.
    """

    def __init__(self, partitions: int, sealer: PacketSealer) -> None:
        self._partitions, self._sealer = partitions, sealer
        self._names = _Names(partitions)
        self._clear()

    def _clear(self) -> None:
        self._positions: list[Position] = []
        self._ats: list[int] = []
        self._touched: list[list[_Touched]] = [[] for _ in range(self._partitions)]
        self._groups = _Groups()
        self.size = 0
        if len(self._names.texts) > KEPT_NAMES:
            self._names = _Names(self._partitions)

    def add(self, position: Position, delta: Delta) -> None:
        """Take a delta of one event; each pair goes to both its items.

        One event may have several, of different times; they are then entries of their own at its position.
        """
        if not self._positions or self._positions[-1] != position or self._ats[-1] != delta.at:
            self._positions.append(position)
            self._ats.append(delta.at)
        event, names = len(self._positions) - 1, self._names
        for touch in delta.touches:
            item = names.number(touch.item)
            self._touched[names.homes[item]].append(_Touched(event, item, touch))
            self.size += TOUCH_BYTES + len(touch.item) + sum(map(len, touch.categories))
        for group in delta.groups:
            if group.partners:
                self._add_group(event, group)

    def _add_group(self, event: int, group: PairGroup) -> None:
        numbers, waiting = self._names.numbers, self._groups
        try:
            partners = [numbers[partner] for partner in group.partners]
        except KeyError:
            partners = [self._names.number(partner) for partner in group.partners]
        waiting.codes.append(event * 8 + group.scope * 2 + FORWARD)
        waiting.items.append(self._names.number(group.item))
        waiting.lengths.append(len(partners))
        waiting.partners += partners
        waiting.amounts += group.amounts
        self.size += GROUP_BYTES + PAIR_BYTES * len(partners) + 2 * sum(map(len, group.partners))

    def seal(self, upto: Position) -> Iterator[Sealed]:
        """Hand out one packet per destination that has deltas."""
        if self._positions:
            groups = self._groups.columns()
            homes = self._names.homes
            of_pairs = np.repeat(np.arange(len(groups.codes), dtype=np.int32), groups.lengths)
            item_homes, partner_homes = homes[groups.items][of_pairs], homes[groups.partners]
            for partition, touched in enumerate(self._touched):
                forward = np.flatnonzero(item_homes == partition)
                backward = np.flatnonzero(partner_homes == partition)
                if touched or len(forward) or len(backward):
                    part = _directed(groups, of_pairs, forward, backward)
                    yield self._sealer.seal(partition, upto, [], [self._packed(touched, part)])
        self._clear()

    def _packed(self, touched: list[_Touched], pairs: Columns) -> ItemDeltas:
        """Number events and items anew, as this packet needs them."""
        touch_events, touch_items = [each.event for each in touched], [each.item for each in touched]
        touch_array = np.array(touch_events, np.int32)
        events = _Renumbered(len(self._positions), np.union1d(pairs.codes >> 3, touch_array))
        items = _Renumbered(len(self._names.texts), touch_items, pairs.items, pairs.partners)
        touches = [
            ItemTouch(event, item, touch.added, touch.weight, touch.categories)
            for event, item, (_, _, touch) in zip(
                events.of[touch_events].tolist(), items.of[touch_items].tolist(), touched, strict=True
            )
        ]
        columns = Columns(
            events.of[pairs.codes >> 3] * 8 + (pairs.codes & 7),
            items.of[pairs.items],
            pairs.lengths,
            items.of[pairs.partners],
            pairs.amounts,
        )
        return ItemDeltas(
            [self._names.texts[item] for item in items.used],
            [self._positions[event] for event in events.used],
            [self._ats[event] for event in events.used],
            touches,
            encode(columns),
        )


class _Renumbered:
    """The numbers below `among` that occur, in the order of their first occurrence, and the place of each."""

    def __init__(self, among: int, *occurring: NDArray[np.int32] | list[int]) -> None:
        numbers = np.concatenate([np.asarray(each, np.int32) for each in occurring])
        first = np.empty(among, np.int32)
        # Of several values for one place the last is kept: backward, that is the first occurrence.
        first[numbers[::-1]] = np.arange(len(numbers) - 1, -1, -1, dtype=np.int32)
        marked = np.zeros(among, np.bool_)
        marked[numbers] = True
        places = np.flatnonzero(marked)
        places = places[np.argsort(first[places])]
        self.used: list[int] = places.tolist()
        self.of = np.empty(among, np.int32)
        self.of[places] = np.arange(len(places), dtype=np.int32)


def _directed(
    groups: Columns,
    of_pairs: NDArray[np.int32],
    forward: NDArray[np.int64],
    backward: NDArray[np.int64],
) -> Columns:
    """Cut out the pairs of one destination: of each group those of its item, then those of partners."""
    pairs = np.concatenate((forward, backward))
    directed = np.concatenate((of_pairs[forward] * 2 + FORWARD, of_pairs[backward] * 2 + BACKWARD))
    order = np.argsort(directed, kind="stable")
    pairs, directed = pairs[order], directed[order]
    starts = np.flatnonzero(np.diff(directed, prepend=-1))
    lengths = np.diff(starts, append=len(directed)).astype(np.int32)
    heads = directed[starts]
    of_groups = heads >> 1
    return Columns(
        groups.codes[of_groups] + (heads & 1),
        groups.items[of_groups],
        lengths,
        groups.partners[pairs],
        groups.amounts[pairs],
    )
