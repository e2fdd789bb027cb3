"""Outcomes: looks at open sessions are kept over restarts, and leave once it is known what came of them."""

from pathlib import Path

import msgspec

from online_models.visit_features import VERSION
from schemas.messages import BEFORE_ALL, Fact, Line, Packet, Position
from schemas.trees import Outcome, VisitRow
from streams.outbox import Record
from tests.streams.stages.parts import Bench, flushed, settings_of

AT = 10**12


def a_fact(n: int, kind: str = "view") -> Fact:
    return Fact("u:anna", kind, AT + n, [Line(f"i{n}", ["drinks"])], [0], n == 0, [])


def a_record(offset: int, facts: list[Fact], *, after: Position = BEFORE_ALL) -> Record:
    """One record of `facts`, caused by the events from there on."""
    first = after[0] + 1
    positions = [(first + n, 0) for n in range(len(facts))]
    packet = Packet(0, "events", 0, after, positions[-1], positions, facts)
    return Record(offset, AT, msgspec.msgpack.encode(packet))


def outcomes(bench: Bench) -> list[Packet[Outcome]]:
    records = bench.taken("outcomes")
    assert all(record.partition == 0 and record.key is None for record in records)
    return [msgspec.msgpack.decode(record.value or b"", type=Packet[Outcome]) for record in records]


def test_looks_wait_in_the_store_until_their_outcome_is_known(tmp_path: Path) -> None:
    bench = Bench(settings_of(1), tmp_path)
    part = bench.open("outcomes")
    part.apply(a_record(0, [a_fact(0), a_fact(1)]))
    part.end_batch()
    assert outcomes(bench) == []
    flushed(part)
    part.database.close()
    again = bench.open("outcomes")
    again.apply(a_record(1, [a_fact(2, "purchase"), a_fact(10**9)], after=(1, 0)))
    again.end_batch()
    (packet,) = outcomes(bench)
    assert [(each.at, each.version, each.bought) for each in packet.entries] == [
        (AT, VERSION, True),
        (AT + 1, VERSION, True),
    ]
    assert (packet.source_topic, packet.positions, packet.upto) == ("facts", [(1, 1), (1, 1)], (1, 1))


def test_a_packet_that_comes_again_changes_nothing(tmp_path: Path) -> None:
    bench = Bench(settings_of(1), tmp_path)
    part = bench.open("outcomes")
    for offset in (0, 1):
        part.apply(a_record(offset, [a_fact(0), a_fact(1)]))
    part.end_batch()
    row = part.database.table("v", VisitRow).get("u:anna")
    assert row is not None
    assert (row.events, part.progress.next_offset) == (2, 2)
