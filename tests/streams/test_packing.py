"""Packets: ranges that follow each other, entries in their partitions, every pair in both directions."""

from collections import Counter

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from online_models.deltas import Delta, PairGroup, Touch
from online_models.pair_columns import groups_of
from online_models.rules import unpack
from schemas.messages import BEFORE_ALL, Fact, ItemDeltas, Packet, Position
from streams.packing import MAX_PACKET_BYTES, DeltaPacker, EntryPacker, PacketSealer, Sealed
from streams.partitioning import partition_of

_facts = msgspec.msgpack.Decoder(Packet[Fact]).decode
_deltas = msgspec.msgpack.Decoder(Packet[ItemDeltas]).decode
ITEMS = [f"i{n}" for n in range(8)]


def a_sealer(topic: str = "item-deltas", sent: dict[str, Position] | None = None) -> PacketSealer:
    return PacketSealer(topic, "events", 3, 7, {} if sent is None else sent)


def a_fact(key: str) -> Fact:
    return Fact(key, "view", 1, [], [], False, [])


@st.composite
def all_deltas(draw: st.DrawFn) -> list[Delta]:
    """Deltas of events, each with touches and with pairs that bind different items."""
    found = []
    for at in range(draw(st.integers(0, 8))):
        items = draw(st.lists(st.sampled_from(ITEMS), unique=True, max_size=4))
        touches = [Touch(item, draw(st.tuples(*[st.integers(0, 3)] * 3)), at, ["c"]) for item in items]
        groups = []
        for _ in range(draw(st.integers(0, 3))):
            item, *partners = draw(st.lists(st.sampled_from(ITEMS), unique=True, min_size=1, max_size=5))
            amounts = [draw(st.integers(1, 9)) for _ in partners]
            groups.append(PairGroup(draw(st.integers(0, 2)), item, partners, amounts))
        found.append(Delta(at, touches, groups))
    return found


def pack(deltas: list[Delta], cuts: set[int], partitions: int) -> list[tuple[int, Packet[ItemDeltas]]]:
    packer = DeltaPacker(partitions, a_sealer())
    sealed: list[Sealed] = []
    for n, delta in enumerate(deltas):
        packer.add((n, 0), delta)
        if n in cuts:
            sealed += packer.seal((n, 0))
            assert packer.size == 0
    sealed += packer.seal((len(deltas), 0))
    return [(each.partition, _deltas(each.value)) for each in sealed]


@given(all_deltas(), st.sets(st.integers(0, 8)), st.integers(1, 4))
def test_every_pair_arrives_in_both_rows_and_every_touch_once(
    deltas: list[Delta], cuts: set[int], partitions: int
) -> None:
    expected: Counter[tuple[int, int, str, str]] = Counter()
    touched: Counter[tuple[int, str, tuple[int, int, int], int]] = Counter()
    for delta in deltas:
        touched.update((delta.at, touch.item, touch.added, touch.weight) for touch in delta.touches)
        for group in delta.groups:
            for partner, amount in zip(group.partners, group.amounts, strict=True):
                expected[delta.at, group.scope, group.item, partner] += amount
                expected[delta.at, group.scope, partner, group.item] += amount
    found: Counter[tuple[int, int, str, str]] = Counter()
    found_touches: Counter[tuple[int, str, tuple[int, int, int], int]] = Counter()
    for partition, packet in pack(deltas, cuts, partitions):
        for entry in packet.entries:
            rows = {entry.names[touch.item] for touch in entry.touches}
            for touch in entry.touches:
                found_touches[entry.ats[touch.event], entry.names[touch.item], touch.added, touch.weight] += 1
            for update in unpack(entry):
                rows.add(update.item)
                for scope, partner, amount in update.pairs:
                    found[update.at, scope, update.item, partner] += amount
            assert {partition_of(item, partitions) for item in rows} <= {partition}
    assert found == expected
    assert found_touches == touched


@given(all_deltas(), st.sets(st.integers(0, 8)), st.integers(1, 4))
def test_the_events_of_a_packet_ascend_within_its_range(
    deltas: list[Delta], cuts: set[int], partitions: int
) -> None:
    for _, packet in pack(deltas, cuts, partitions):
        for entry in packet.entries:
            assert entry.positions == sorted(set(entry.positions))
            assert len(entry.ats) == len(entry.positions)
            assert all(packet.after < position <= packet.upto for position in entry.positions)
            assert [touch.event for touch in entry.touches] == sorted(touch.event for touch in entry.touches)
            events = [pairs.code >> 3 for pairs in groups_of(entry.pairs)]
            assert events == sorted(events)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), max_size=30), st.integers(1, 4))
def test_ranges_to_each_destination_follow_each_other(keys: list[tuple[str, bool]], partitions: int) -> None:
    sent: dict[str, Position] = {}
    packer: EntryPacker[Fact] = EntryPacker(partitions, a_sealer("facts", sent))
    packets: list[tuple[int, Packet[Fact]]] = []
    for n, (key, cut) in enumerate(keys):
        packer.add((n, 1), key, a_fact(key))
        if cut:
            packets += [(each.partition, _facts(each.value)) for each in packer.seal((n, 1))]
    packets += [(each.partition, _facts(each.value)) for each in packer.seal((len(keys), 0))]
    marks: dict[int, Position] = {}
    arrived = []
    for partition, packet in packets:
        assert packet.after == marks.get(partition, BEFORE_ALL)
        assert packet.after < packet.positions[0]
        assert packet.positions[-1] <= packet.upto
        assert (packet.epoch, packet.source_topic, packet.source_partition) == (7, "events", 3)
        marks[partition] = packet.upto
        arrived += list(zip(packet.positions, packet.entries, strict=True))
        assert {partition_of(entry.key, partitions) for entry in packet.entries} == {partition}
    assert sorted(arrived, key=lambda pair: pair[0]) == [
        ((n, 1), a_fact(key)) for n, (key, _) in enumerate(keys)
    ]
    assert sent == {f"facts/{partition}": upto for partition, upto in marks.items()}


def test_a_sealer_goes_on_from_what_was_sent_before() -> None:
    sent = {"facts/0": (4, 2)}
    packet = _facts(a_sealer("facts", sent).seal(0, (9, 1), [(9, 1)], [a_fact("u:a")]).value)
    assert (packet.after, packet.upto) == ((4, 2), (9, 1))
    assert sent == {"facts/0": (9, 1)}


def test_topics_have_ranges_of_their_own() -> None:
    sent: dict[str, Position] = {"facts/0": (4, 2)}
    packet = _deltas(a_sealer("item-deltas", sent).seal(0, (9, 1), [], list[ItemDeltas]()).value)
    assert packet.after == BEFORE_ALL


def test_nothing_to_send_is_no_packet_and_moves_no_range() -> None:
    sent: dict[str, Position] = {}
    entries: EntryPacker[Fact] = EntryPacker(4, a_sealer("facts", sent))
    assert list(entries.seal((5, 0))) == []
    assert list(DeltaPacker(4, a_sealer(sent=sent)).seal((5, 0))) == []
    assert sent == {}


def test_entries_too_large_for_one_packet_go_in_several_that_follow_each_other() -> None:
    packer: EntryPacker[Fact] = EntryPacker(1, a_sealer("facts"))
    facts = [a_fact(f"u:{n}" + "x" * 400_000) for n in range(40)]
    for n, fact in enumerate(facts):
        packer.add((n // 2, 0), fact.key, fact)
    sealed = list(packer.seal((50, 0)))
    assert all(len(each.value) <= MAX_PACKET_BYTES for each in sealed)
    packets = [_facts(each.value) for each in sealed]
    assert [packet.after for packet in packets] == [BEFORE_ALL, *(packet.upto for packet in packets[:-1])]
    assert packets[-1].upto == (50, 0)
    assert [entry for packet in packets for entry in packet.entries] == facts
    for packet in packets:
        assert all(packet.after < position <= packet.upto for position in packet.positions)


def test_entries_of_one_position_are_never_parted() -> None:
    packer: EntryPacker[Fact] = EntryPacker(1, a_sealer("facts"))
    for _ in range(3):
        packer.add((7, 0), "u:a", a_fact("x" * 3_000_000))
    assert [len(_facts(each.value).entries) for each in packer.seal((7, 0))] == [3]


@given(all_deltas(), st.integers(1, 4))
def test_the_size_of_deltas_is_not_underestimated(deltas: list[Delta], partitions: int) -> None:
    packer = DeltaPacker(partitions, a_sealer())
    for n, delta in enumerate(deltas):
        packer.add((10**9 + n, 0), delta)
    names = partitions * sum(len(item) + 1 for item in ITEMS)
    heads = partitions * 100 + len(deltas) * partitions * 30
    size = packer.size
    assert sum(len(each.value) for each in packer.seal((10**9 + 99, 0))) <= size + names + heads
