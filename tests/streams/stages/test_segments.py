"""Segments: a fact is sampled once, and everyone's segment is that of the newest centres, or withdrawn."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from online_models.kmeans import assign
from online_models.memory_store import MemoryStore
from online_models.segments import SegmentsStep
from schemas.messages import BEFORE_ALL, Centroids, Fact, Line, Packet, Position, Sample
from schemas.recommendations import Segment
from schemas.state import SegmentRow
from streams.errors import GapError
from streams.outbox import Outgoing
from streams.stages.partition import KeptPartition
from tests.streams.stages.parts import Bench, decoded, facts_record, flushed, settings_of, worked

AT = 10**12 - 5_000
LOW, HIGH = [-0.75], [0.5]


def centres(version: str, *places: float) -> Centroids:
    return Centroids(version, [0.0], [1.0], [[place] for place in places], [], AT)


def a_fact(n: int, features: list[float], *, key: str = "u:anna", **fields: Any) -> Fact:
    """A view of tea; with features, it is sampled at once."""
    given: dict[str, Any] = {
        "kind": "view",
        "lines": [Line("tea", ["drinks"])],
        "gained": [5],
        "session_start": True,
    }
    return Fact(key=key, at=AT + n, features=features, **given | fields)


def an_erasure(n: int, key: str = "u:anna") -> Fact:
    return Fact(key, "erasure", AT + n, [], [], False, [])


class Desk(Bench):
    """The segments stage of partition 0; two centres, unless none are known yet."""

    def __init__(self, state: Path, *, known: bool = True, **segments: Any) -> None:
        super().__init__(settings_of(segments=segments), state)
        self.part: KeptPartition = self.open("segments")
        self.mark: Position = BEFORE_ALL
        if known:
            self.show(centres("1", -1.0, 1.0))

    def show(self, centroids: Centroids) -> None:
        """Other centres arrive."""
        self.follow("centroids", "centroids", centroids, version=(0, 0, self.views.changes))

    def learn(self, *facts: Fact) -> None:
        """Apply the next record, and let samples leave."""
        self.part.apply(facts_record(self.part.progress.next_offset, facts, after=self.mark))
        self.part.end_batch()
        self.mark = (self.mark[0] + len(facts), 0)

    def samples(self) -> list[Sample]:
        return [sample for packet in self.decoded("samples") for sample in packet.entries]

    def published(self) -> list[tuple[str, str]]:
        """Customers and their segments, published since the last time."""
        found: list[Segment] = self.decoded("segments")
        return [(each.user_id, each.segment) for each in found]


def test_samples_leave_at_the_positions_of_their_facts(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(a_fact(0, LOW), a_fact(1, []), a_fact(2, HIGH))
    desk.learn(a_fact(3, LOW, key="u:bert"))
    first, second = desk.decoded("samples")
    assert (first.source_topic, first.after, first.upto) == ("facts", BEFORE_ALL, (0, 2))
    assert first.positions == [(0, 0), (0, 2)]
    assert (second.after, second.upto, second.positions) == ((0, 2), (1, 0), [(1, 0)])
    assert [sample.features for sample in first.entries] == [LOW, HIGH]


def test_samples_equal_the_answers_of_the_step(tmp_path: Path) -> None:
    facts = [a_fact(n, [] if n % 4 else [n / 9], key=f"u:{n % 3}") for n in range(20)]
    desk = Desk(tmp_path)
    for start in range(0, 20, 5):
        desk.learn(*facts[start : start + 5])
    step = SegmentsStep(MemoryStore(SegmentRow))
    assert desk.samples() == [sample for fact in facts for sample in step.learn_one(fact)]


def test_a_packet_is_learned_once_however_often_it_comes(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    facts = [a_fact(0, LOW), a_fact(1, HIGH)]
    desk.learn(*facts)
    worked(desk.part)
    desk.put_records.clear()
    desk.part.apply(facts_record(1, facts, after=BEFORE_ALL))
    desk.part.end_batch()
    worked(desk.part, idle=True, drain=True)
    assert (desk.put_records, desk.part.progress.next_offset) == ([], 2)


def test_a_packet_that_was_cut_elsewhere_is_learned_from_the_mark_on(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    facts = [a_fact(n, LOW) for n in range(5)]
    desk.learn(*facts[:3])
    desk.part.apply(facts_record(1, facts, after=BEFORE_ALL))
    desk.part.end_batch()
    assert [sample.at for sample in desk.samples()] == [fact.at for fact in facts]


def test_a_gap_is_counted_and_refused_and_nothing_of_it_is_learned(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(a_fact(0, LOW))
    with pytest.raises(GapError, match="stage segments, partition 0: events/0 jumps"):
        desk.part.apply(facts_record(1, [a_fact(2, HIGH)], after=(1, 0)))
    desk.part.end_batch()
    assert desk.shows("freshrec_gaps_total 1.0")
    assert [sample.features for sample in desk.samples()] == [LOW]


def test_a_segment_is_published_with_its_distance_and_the_time_of_the_fact(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(a_fact(3, LOW))
    worked(desk.part)
    (record,) = desk.taken("segments")
    assert (record.partition, record.key) == (0, b"anna")
    assert decoded(record) == Segment("anna", "0", 0.25, AT + 3)


def test_a_segment_is_published_again_only_when_it_is_another(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    found = []
    for n, features in enumerate([LOW, [-0.5], HIGH, [0.75], LOW]):
        desk.learn(a_fact(n, features))
        worked(desk.part, idle=True, drain=True)
        found.append(desk.published())
    assert found == [[("anna", "0")], [], [("anna", "1")], [], [("anna", "0")]]


def test_nothing_is_published_when_nothing_changed(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert not desk.part.work(idle=True, drain=True)
    desk.learn(a_fact(0, LOW))
    worked(desk.part, idle=True, drain=True)
    desk.put_records.clear()
    desk.learn()
    desk.learn(a_fact(1, [], key="s:guest"), a_fact(2, HIGH, key="u:bert", kind="link"))
    worked(desk.part, idle=True, drain=True)
    assert desk.put_records == []


def test_customers_wait_for_the_first_centres(tmp_path: Path) -> None:
    desk = Desk(tmp_path, known=False)
    desk.learn(a_fact(0, LOW), a_fact(1, HIGH, key="u:bert"))
    worked(desk.part, idle=True, drain=True)
    assert desk.published() == []
    flushed(desk.part)
    desk.show(centres("1", -1.0, 1.0))
    worked(desk.part, idle=True, drain=True)
    assert sorted(desk.published()) == [("anna", "0"), ("bert", "1")]


def test_centres_that_moved_are_followed_by_those_who_had_no_event_once_there_is_time(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    users = [f"{n:02}" for n in range(50)]
    places = [(n + 1) / 51 for n in range(50)]
    desk.learn(*[a_fact(n, [places[n]], key=f"u:{user}") for n, user in enumerate(users)])
    worked(desk.part)
    flushed(desk.part)
    assert dict(desk.published()) == dict.fromkeys(users, "1")
    moved = centres("2", 0.0, 1.0)
    desk.show(moved)
    worked(desk.part)
    assert desk.taken("segments") == []
    worked(desk.part, idle=True, drain=True)
    found: list[Segment] = desk.decoded("segments")
    expected = [(n, assign(moved, [places[n]])) for n in range(50)]
    assert [(each.user_id, each.segment, each.distance, each.at) for each in found] == [
        (users[n], "0", round(to[1], 6), AT + n) for n, to in expected if to and to[0] == "0"
    ]
    assert len(found) == 25


def test_an_erasure_withdraws_the_segment_and_the_sample(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(a_fact(0, LOW))
    worked(desk.part)
    desk.put_records.clear()
    desk.learn(an_erasure(1))
    worked(desk.part, idle=True, drain=True)
    assert desk.taken("segments") == [Outgoing("segments", 0, b"anna", None)]
    assert desk.samples() == [Sample(AT + 1, [], LOW, [], 0.0, 0)]
    flushed(desk.part)
    desk.show(centres("2", 1.0, -1.0))
    worked(desk.part, idle=True, drain=True)
    assert desk.put_records == []


def test_one_who_is_forgotten_before_being_published_is_not_published(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(a_fact(0, LOW), an_erasure(1))
    worked(desk.part, idle=True, drain=True)
    assert [record.value for record in desk.taken("segments")] == [None]


def test_one_who_comes_back_after_an_erasure_is_published_anew(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for n in range(2):
        desk.learn(a_fact(2 * n, LOW))
        worked(desk.part)
        assert desk.published() == [("anna", "0")]
        desk.learn(an_erasure(2 * n + 1))
        flushed(desk.part)
        worked(desk.part)
    assert desk.part.database.table("s", SegmentRow).get("u:anna") is None


def test_what_was_learned_and_not_published_before_a_crash_is_published_after_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(a_fact(0, LOW), a_fact(1, HIGH, key="u:bert"))
    flushed(desk.part)
    desk.part = desk.reopened(desk.part)
    worked(desk.part, idle=True, drain=True)
    assert desk.published() == [("anna", "0"), ("bert", "1")]


def test_what_was_not_flushed_is_learned_again_into_the_same_packets(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(a_fact(0, LOW))
    flushed(desk.part)
    desk.put_records.clear()
    found = []
    for _ in range(2):
        desk.mark = (0, 0)
        desk.learn(a_fact(1, LOW), a_fact(2, HIGH, key="u:bert"))
        found.append(desk.taken("samples"))
        desk.part = desk.reopened(desk.part)
    assert found[0] == found[1]
    packet = msgspec.msgpack.decode(found[0][0].value or b"", type=Packet[Sample])
    assert (packet.after, packet.upto) == ((0, 0), (1, 1))


def test_centres_that_come_before_the_flush_miss_nobody(tmp_path: Path) -> None:
    desk = Desk(tmp_path, known=False)
    desk.learn(a_fact(0, LOW))
    worked(desk.part)
    desk.show(centres("1", -1.0, 1.0))
    worked(desk.part, idle=True, drain=True)
    assert desk.published() == [("anna", "0")]
