"""Profiles: facts are learned once, customers are told of once per interval, never after an erasure."""

from pathlib import Path
from typing import Any

import pytest

from online_models.memory_store import MemoryStore
from online_models.profiles import ProfilesStep
from schemas.messages import BEFORE_ALL, Centroids, Fact, Line, Position, SegmentTop
from schemas.profiles import CustomerProfile, NeedLesson, Needs, ProfileRow
from schemas.settings import KafkaSettings, PrivacySettings, ProfilesSettings, Settings
from streams.errors import GapError
from streams.outbox import Outgoing
from streams.stages.partition import KeptPartition
from tests.streams.stages.parts import Bench, facts_record, flushed, worked

AT = 10**12 - 5_000
INTERVAL_MS = 300_000


def a_view(n: int, item: str = "tea", *, key: str = "u:anna", **fields: Any) -> Fact:
    given: dict[str, Any] = {
        "kind": "view",
        "lines": [Line(item, ["drinks"], tags=["green"])],
        "gained": [5],
        "session_start": True,
        "features": [],
    }
    return Fact(key=key, at=AT + n, **given | fields)


def an_erasure(n: int, key: str = "u:anna") -> Fact:
    return Fact(key, "erasure", AT + n, [], [], False, [])


class Desk(Bench):
    """The profiles stage of partition 0."""

    def __init__(self, state: Path, **settings: Any) -> None:
        super().__init__(Settings(kafka=KafkaSettings(partitions=1), **settings), state)
        self.part: KeptPartition = self.open("profiles")
        self.mark: Position = BEFORE_ALL

    def learn(self, *facts: Fact) -> None:
        """Apply the next record, and let lessons leave."""
        self.part.apply(facts_record(self.part.progress.next_offset, facts, after=self.mark))
        self.part.end_batch()
        self.mark = (self.mark[0] + len(facts), 0)

    def lessons(self) -> list[NeedLesson]:
        return [lesson for packet in self.decoded("need-lessons") for lesson in packet.entries]

    def told(self) -> list[CustomerProfile]:
        """What was published since the last time."""
        found: list[CustomerProfile] = self.decoded("customer-profiles")
        return found


def test_lessons_equal_the_answers_of_the_step(tmp_path: Path) -> None:
    facts = [a_view(n * 9, key=f"u:{n % 3}", session_start=n % 4 == 0) for n in range(20)]
    desk = Desk(tmp_path)
    for start in range(0, 20, 5):
        desk.learn(*facts[start : start + 5])
    step = ProfilesStep(MemoryStore(ProfileRow), Settings())
    assert desk.lessons() == [lesson for fact in facts for lesson in step.learn_one(fact)] != []


def test_a_packet_is_learned_once_however_often_it_comes(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    facts = [a_view(0), a_view(1)]
    desk.learn(*facts)
    worked(desk.part, drain=True)
    desk.put_records.clear()
    desk.part.apply(facts_record(1, facts, after=BEFORE_ALL))
    desk.part.end_batch()
    worked(desk.part, idle=True, drain=True)
    assert (desk.put_records, desk.part.progress.next_offset) == ([], 2)


def test_a_gap_is_refused(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(a_view(0))
    with pytest.raises(GapError, match="stage profiles, partition 0: events/0 jumps"):
        desk.part.apply(facts_record(1, [a_view(2)], after=(1, 0)))


def test_a_customer_is_told_of_once_per_interval_with_all_that_happened_in_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(a_view(0), a_view(1, session_start=False))
    worked(desk.part)
    assert desk.told() == []
    desk.now += INTERVAL_MS
    worked(desk.part)
    (told,) = desk.told()
    assert (told.user_id, told.at, told.behaviour.events["view"]) == ("anna", desk.now, 2)
    assert [(each.name, each.share) for each in (*told.categories, *told.tags)] == [
        ("drinks", 1.0),
        ("green", 1.0),
    ]
    desk.learn(a_view(2))
    desk.now += INTERVAL_MS - 1
    worked(desk.part)
    assert desk.told() == []
    desk.now += 1
    worked(desk.part)
    assert [each.behaviour.events["view"] for each in desk.told()] == [3]
    assert desk.shows('freshrec_published_rows_total{view="customer-profiles"} 2.0')


def test_what_a_crash_left_behind_is_published_by_the_sweep(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(a_view(0), a_view(1, key="u:ben"))
    flushed(desk.part)
    desk.part = desk.reopened(desk.part)
    worked(desk.part, idle=True, drain=True)
    assert sorted(each.user_id for each in desk.told()) == ["anna", "ben"]
    flushed(desk.part)
    desk.part = desk.reopened(desk.part)
    worked(desk.part, idle=True, drain=True)
    assert desk.told() == []


def test_an_erasure_withdraws_the_profile_and_tells_the_panel(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(a_view(0))
    worked(desk.part, drain=True)
    (before,) = desk.lessons()
    desk.put_records.clear()
    desk.learn(a_view(1), an_erasure(2))
    worked(desk.part, idle=True, drain=True)
    assert desk.taken("customer-profiles") == [Outgoing("customer-profiles", 0, b"anna", None)]
    forgotten = desk.lessons()[-1]
    assert (forgotten.who, forgotten.forget, forgotten.visits) == (before.who, True, 0)
    flushed(desk.part)
    assert not list(desk.part.database.rows("p"))
    assert not list(desk.part.database.rows("~"))


def test_guests_have_no_profile(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(a_view(0, key="s:1"), a_view(1, key="o:2", kind="purchase"))
    worked(desk.part, idle=True, drain=True)
    assert desk.put_records == []


def test_attributes_are_told_as_given(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    given = {"gender": "f", "location": "GB"}
    desk.learn(Fact("u:anna", "customer", AT, [], [], False, [0.5], attributes=given))
    worked(desk.part, drain=True)
    (told,) = desk.told()
    assert (told.attributes, told.behaviour.visits, told.next_categories) == (given, 0, [])


def test_a_segment_of_few_is_not_told(tmp_path: Path) -> None:
    tops = [SegmentTop(size, 0.0, 0.0, 0.0, [], []) for size in (2, 9)]
    centroids = Centroids("1", [0.0], [1.0], [[-1.0], [1.0]], tops, AT)
    for least, expected in ((1, ["0", "1"]), (5, [None, "1"])):
        desk = Desk(tmp_path / str(least), privacy=PrivacySettings(min_customers=least))
        desk.follow("centroids", "centroids", centroids, version=(0, 0, 1))
        desk.learn(a_view(0, features=[-0.75]), a_view(1, key="u:ben", features=[0.5]))
        worked(desk.part, drain=True)
        assert [each.segment for each in desk.told()] == expected


def test_the_needs_of_all_customers_speak_once_they_are_known(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    needs = Needs(
        9,
        500,
        604_800,
        [0.5, 0.0, 0.5, 0.0],
        {"drinks": [("pots", 3), ("drinks", 1)]},
        {"drinks": 4},
        [("drinks", 1.0)],
        [0.0] * 8,
        [0.0] * 7,
        [1.0] * 7,
        [1.0, 1.0, 1.0, 1.0],
        0.5,
        10.0,
        0.5,
        0.01,
        AT,
    )
    desk.follow("needs", "needs", needs, version=(0, 0, 1))
    desk.learn(a_view(0))
    worked(desk.part, drain=True)
    (told,) = desk.told()
    assert [(each.category, each.chance) for each in told.next_categories] == [
        ("drinks", 0.625),
        ("pots", 0.375),
    ]
    assert told.next_categories[1].reasons == [
        {"source": "others", "chance": 0.375, "after": "drinks", "count": 3}
    ]
    assert told.buying.chance == 0.5
    assert len(told.buying.reasons) == 3


def test_where_profiles_are_off_nothing_is_kept_and_the_stage_moves_on(tmp_path: Path) -> None:
    desk = Desk(tmp_path, profiles=ProfilesSettings(enabled=False))
    desk.learn(a_view(0), a_view(1))
    worked(desk.part, idle=True, drain=True)
    flushed(desk.part)
    assert (desk.put_records, desk.part.progress.next_offset) == ([], 1)
    assert not list(desk.part.database.rows("p"))
