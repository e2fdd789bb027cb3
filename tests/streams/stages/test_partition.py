"""What every stage does with the ranges of packets: each position counts once, a gap never passes."""

import random
from pathlib import Path

import msgspec
import pytest

from schemas.messages import BEFORE_ALL, Packet, Position
from schemas.state import GuestChunk, MetaRow, ProgressRow
from streams.errors import EpochError, GapError
from streams.outbox import Record
from streams.rocks_store import RocksDatabase
from streams.stages.partition import KeptPartition
from tests.streams.stages.parts import BUDGET, Bench, settings_of

_decode = msgspec.msgpack.Decoder(Packet[str]).decode


class Ledger(KeptPartition):
    """A stage that notes the entries that it learns, as every stage reads packets."""

    def __init__(self, bench: Bench, database: RocksDatabase) -> None:
        super().__init__("rules", 2, database, bench.context)
        self.learned: list[str] = []

    def apply(self, record: Record) -> None:
        packet = _decode(record.value or b"")
        if self.admit(packet):
            mark = self.mark_of(packet)
            entries = zip(packet.positions, packet.entries, strict=True)
            self.learned += [entry for position, entry in entries if position > mark]
            self.applied(packet)
        self.progress.next_offset = record.offset + 1

    def learn(self, packet: Packet[str]) -> list[str]:
        """Apply the next record, and give what was learned of it."""
        known = len(self.learned)
        self.apply(Record(self.progress.next_offset, 0, msgspec.msgpack.encode(packet)))
        return self.learned[known:]


def a_database(path: Path) -> RocksDatabase:
    return RocksDatabase(path, BUDGET, cache_bytes=10_000)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(Bench(settings_of(4)), a_database(tmp_path / "db"))


def a_packet(
    first: int, last: int, *, after: Position | None = None, epoch: int = 0, source: int = 0
) -> Packet[str]:
    """Entries of the positions (first, 0) to (last, 0), named after epoch and position."""
    begins = after or ((first - 1, 0) if first else BEFORE_ALL)
    numbers = range(first, last + 1)
    names = [f"{epoch}:{n}" for n in numbers]
    return Packet(epoch, "events", source, begins, (last, 0), [(n, 0) for n in numbers], names)


def test_packets_that_follow_each_other_are_learned(ledger: Ledger) -> None:
    assert ledger.learn(a_packet(0, 1)) == ["0:0", "0:1"]
    assert ledger.learn(a_packet(2, 2)) == ["0:2"]
    assert ledger.progress.applied == {"events/0": (0, (2, 0))}
    assert ledger.progress.next_offset == 2


def test_a_repetition_is_not_admitted_and_moves_no_mark(ledger: Ledger) -> None:
    ledger.learn(a_packet(0, 5))
    for last in (5, 3, 0):
        packet = a_packet(0, last)
        assert not ledger.admit(packet)
        assert ledger.learn(packet) == []
    assert ledger.progress.applied == {"events/0": (0, (5, 0))}
    assert ledger.progress.next_offset == 4


def test_of_a_packet_that_was_cut_elsewhere_only_the_rest_is_learned(ledger: Ledger) -> None:
    ledger.learn(a_packet(0, 2))
    packet = a_packet(1, 4)
    assert ledger.admit(packet)
    assert ledger.mark_of(packet) == (2, 0)
    assert ledger.learn(packet) == ["0:3", "0:4"]


def test_entries_of_one_record_are_told_apart_by_their_ordinals(ledger: Ledger) -> None:
    ledger.learn(Packet(0, "events", 0, BEFORE_ALL, (7, 1), [(7, 0), (7, 1)], ["a", "b"]))
    rest = Packet(0, "events", 0, BEFORE_ALL, (7, 2), [(7, 0), (7, 1), (7, 2)], ["a", "b", "c"])
    assert ledger.learn(rest) == ["c"]


def test_a_packet_without_entries_moves_the_mark(ledger: Ledger) -> None:
    ledger.learn(a_packet(0, 1))
    assert ledger.learn(Packet(0, "events", 0, (1, 0), (9, 0), [], [])) == []
    assert ledger.learn(a_packet(10, 10, after=(9, 0))) == ["0:10"]


@pytest.mark.parametrize(("known", "after"), [(None, (0, 0)), (3, (3, 1)), (3, (8, 0))])
def test_a_gap_is_refused_counted_and_named(ledger: Ledger, known: int | None, after: Position) -> None:
    if known is not None:
        ledger.learn(a_packet(0, known))
    before = msgspec.msgpack.encode(ledger.progress)
    with pytest.raises(
        GapError, match=r"stage rules, partition 2: events/0 jumps from .* to .*Check retention"
    ):
        ledger.learn(a_packet(9, 9, after=after))
    assert "freshrec_gaps_total 1.0" in ledger.context.metrics.render().decode()
    assert msgspec.msgpack.encode(ledger.progress) == before


def test_each_source_partition_has_its_own_mark(ledger: Ledger) -> None:
    assert ledger.learn(a_packet(0, 5)) == [f"0:{n}" for n in range(6)]
    assert ledger.learn(a_packet(0, 1, source=3)) == ["0:0", "0:1"]
    with pytest.raises(GapError, match="events/3 jumps"):
        ledger.learn(a_packet(6, 6, source=3))
    assert ledger.progress.applied == {"events/0": (0, (5, 0)), "events/3": (0, (1, 0))}


def begun_anew(folder: Path, **least: int) -> Ledger:
    """A stage whose store began anew, and takes nothing below these epochs of partitions of `events`."""
    database = a_database(folder / "anew")
    epochs = {f"events/{name[1:]}": epoch for name, epoch in least.items()}
    database.write_meta(
        MetaRow(1, "1", "c", "item-deltas", "t", 2, 4, "rules", 3, "f", {}, least_epochs=epochs)
    )
    return Ledger(Bench(settings_of(4)), database)


def test_a_stage_that_began_anew_goes_on_from_the_first_range_it_sees(tmp_path: Path) -> None:
    ledger = begun_anew(tmp_path)
    assert ledger.learn(a_packet(40, 41)) == ["0:40", "0:41"]
    assert ledger.learn(a_packet(38, 42)) == ["0:42"]
    with pytest.raises(GapError):
        ledger.learn(a_packet(44, 44))
    assert ledger.learn(a_packet(7, 7, source=1)) == ["0:7"]


def test_a_source_that_began_anew_with_its_readers_is_learned_from_the_new_epoch_on(tmp_path: Path) -> None:
    ledger = begun_anew(tmp_path, p0=2)
    for old in (a_packet(0, 5), a_packet(6, 9, epoch=1)):
        assert not ledger.admit(old)
        assert ledger.learn(old) == []
    assert ledger.progress.applied == {}
    assert ledger.learn(a_packet(0, 2, epoch=2)) == ["2:0", "2:1", "2:2"]
    assert ledger.learn(a_packet(10, 11)) == []
    assert ledger.learn(a_packet(3, 3, source=1)) == ["0:3"]
    assert ledger.progress.applied == {"events/0": (2, (2, 0)), "events/1": (0, (3, 0))}


def test_a_store_that_did_not_begin_anew_refuses_a_newer_epoch_before_it_counts_twice(ledger: Ledger) -> None:
    ledger.learn(a_packet(0, 5))
    before = msgspec.msgpack.encode(ledger.progress)
    with pytest.raises(EpochError, match=r"events/0 began anew with epoch 1.*freshrec reset rules"):
        ledger.learn(a_packet(0, 2, epoch=1))
    assert msgspec.msgpack.encode(ledger.progress) == before


def test_a_store_that_saw_nothing_yet_may_begin_with_any_epoch(ledger: Ledger) -> None:
    assert ledger.learn(a_packet(0, 2, epoch=2)) == ["2:0", "2:1", "2:2"]
    for late in (a_packet(3, 9), a_packet(3, 3, epoch=1), a_packet(90, 99)):
        assert not ledger.admit(late)
        assert ledger.learn(late) == []
    assert ledger.progress.applied == {"events/0": (2, (2, 0))}


def test_marks_and_the_offset_are_cut_with_the_rows(tmp_path: Path) -> None:
    bench = Bench(settings_of(4))
    ledger = Ledger(bench, a_database(tmp_path / "db"))
    rows = ledger.database.table("g", GuestChunk)
    ledger.learn(a_packet(0, 2))
    rows.put("x", GuestChunk(ledger.learned))
    frozen = ledger.freeze()
    ledger.learn(a_packet(3, 4))
    ledger.database.write(frozen)
    ledger.database.close()
    again = Ledger(bench, a_database(tmp_path / "db"))
    assert again.database.table("g", GuestChunk).get("x") == GuestChunk(["0:0", "0:1", "0:2"])
    assert again.progress.applied == {"events/0": (0, (2, 0))}
    assert again.progress.next_offset == 1
    assert again.learn(a_packet(3, 4)) == ["0:3", "0:4"]


def test_a_stage_knows_its_source_and_the_epoch_of_its_store(tmp_path: Path) -> None:
    bench = Bench(settings_of(4))
    database = a_database(tmp_path / "db")
    assert (Ledger(bench, database).source, Ledger(bench, database).epoch) == ("item-deltas", 0)
    database.write_meta(MetaRow(1, "1", "c", "item-deltas", "t", 2, 4, "rules", 7, "f", {}))
    assert Ledger(bench, database).epoch == 7


def test_a_stage_that_publishes_nothing_has_nothing_to_do(ledger: Ledger) -> None:
    ledger.end_batch()
    assert not ledger.work(idle=True, drain=True)
    assert ledger.database.dirty == 0


@pytest.mark.parametrize(("topic", "partitions"), [("facts", 4), ("samples", 1), ("centroids", 1)])
def test_a_topic_has_as_many_partitions_as_the_topology_or_the_settings_say(
    topic: str, partitions: int
) -> None:
    assert Bench(settings_of(4)).context.partitions(topic) == partitions


def a_stream(chance: random.Random) -> list[Packet[str]]:
    """What a sender lets leave that crashes now and then, and cuts other batches after each crash."""
    packets, sent, flushed = [], -1, -1
    while sent < 30:
        if chance.random() < 0.2:
            sent = flushed
        last = sent + chance.randint(1, 6)
        packets.append(a_packet(sent + 1, last))
        sent = last
        if chance.random() < 0.3:
            flushed = sent
    return packets


def test_every_position_is_learned_once_however_batches_are_cut_and_sent_again(ledger: Ledger) -> None:
    repeated = 0
    for seed in range(200):
        packets = a_stream(random.Random(seed))  # noqa: S311  # seeded, so that it repeats
        ledger.progress, ledger.learned = ProgressRow(), []
        for packet in packets:
            ledger.learn(packet)
        newest = max(packet.upto[0] for packet in packets)
        assert ledger.learned == [f"0:{n}" for n in range(newest + 1)]
        repeated += sum(len(packet.entries) for packet in packets) - len(ledger.learned)
    assert repeated > 1_000
