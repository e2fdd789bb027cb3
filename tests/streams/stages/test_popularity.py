"""Popularity: a packet counts once, and the leaders of a scope are published when they changed."""

from pathlib import Path
from typing import Any

import pytest

from online_models.memory_store import MemoryStore
from online_models.popularity import PopularityStep
from schemas.messages import BEFORE_ALL, WEIGHT_ONE, Popular
from schemas.state import PopularityRow
from streams.errors import GapError
from streams.outbox import Record
from streams.stages.partition import KeptPartition
from tests.online_models.packed_log import Change, pack, position
from tests.streams.stages.parts import Bench, decoded, deltas_record, flushed, settings_of, worked

AT, INTERVAL = 10**12, 5_000
NOTHING = (0, 0, 0)


def touched(item: str, weight: int = 1, *categories: str) -> Change:
    """One event that adds `weight` to the popularity of an item."""
    return Change(AT, [(item, NOTHING, weight * WEIGHT_ONE, list(categories))])


LOG = [
    touched("tea", 4, "drinks"),
    touched("cup", 1, "kitchen"),
    touched("tea", 2, "drinks", "hot"),
    touched("pot", 9, "kitchen"),
    touched("cup", 1, "kitchen"),
]


def a_record(offset: int, start: int, stop: int, *, after: int | None = None) -> Record:
    """Events [start, stop) of the log; what was sent before ends with `after`, or right before `start`."""
    first = start if after is None else after
    begins = position(first - 1) if first else BEFORE_ALL
    return deltas_record(offset, pack(LOG, start, stop), after=begins, upto=position(stop - 1))


class Desk(Bench):
    """The popularity stage of one partition of four."""

    def __init__(self, state: Path, partition: int = 0, **popularity: Any) -> None:
        super().__init__(settings_of(4, popularity=popularity), state)
        self.part: KeptPartition = self.open("popularity", partition)

    def learn(self, start: int, stop: int) -> None:
        """Apply the next record."""
        self.part.apply(a_record(self.part.progress.next_offset, start, stop))

    def published(self) -> dict[str, list[tuple[str, float]]]:
        """Leaders by scope, in units of a view, of what was published since the last time."""
        rows: list[Popular] = self.decoded("popular")
        return {row.scope: [(item, value / WEIGHT_ONE) for item, value in row.items] for row in rows}

    def shown(self, scope: str) -> list[tuple[str, float]]:
        """What those who follow the view see of a scope."""
        return list(self.views.popular(scope))


def test_the_leaders_of_each_scope_are_published_best_first(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, 5)
    worked(desk.part)
    assert desk.published() == {
        "all": [("pot", 9.0), ("tea", 6.0), ("cup", 2.0)],
        "category:drinks": [("tea", 6.0)],
        "category:hot": [("tea", 6.0)],
        "category:kitchen": [("pot", 9.0), ("cup", 2.0)],
    }
    assert desk.shows('freshrec_published_rows_total{view="popular"} 4.0')


def test_a_row_is_the_partitions_own_and_has_a_version(tmp_path: Path) -> None:
    desk = Desk(tmp_path, partition=3)
    desk.learn(0, 1)
    worked(desk.part)
    records = desk.taken("popular")
    assert [record.key for record in records] == [b"3|all", b"3|category:drinks"]
    assert {record.version for record in records} == {(0, 3, 1)}
    assert [decoded(record).partition for record in records] == [3, 3]


def test_what_is_published_equals_the_answer_of_the_step(tmp_path: Path) -> None:
    desk = Desk(tmp_path, leaders=2, published=1, half_life_s=3_600)
    for n in range(len(LOG)):
        desk.learn(n, n + 1)
        worked(desk.part, drain=True)
    step = PopularityStep(MemoryStore(PopularityRow), MemoryStore(PopularityRow), desk.settings)
    scopes = step.learn_many(pack(LOG), after=BEFORE_ALL)
    last = {row.scope: row for row in desk.decoded("popular")}
    assert last == {scope: step.popular(scope, 0) for scope in scopes}


def test_a_packet_is_learned_once_however_often_it_comes(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, 3)
    worked(desk.part)
    before = desk.shown("all")
    desk.taken("popular")
    desk.part.apply(a_record(1, 0, 3))
    desk.part.apply(a_record(2, 0, 2))
    worked(desk.part, idle=True, drain=True)
    assert (desk.taken("popular"), desk.shown("all")) == ([], before)
    assert desk.part.progress.next_offset == 3


def test_a_packet_that_was_cut_elsewhere_is_learned_from_the_mark_on(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, 3)
    desk.part.apply(a_record(1, 0, 5))
    worked(desk.part)
    assert desk.shown("all") == [("pot", 9.0), ("tea", 6.0), ("cup", 2.0)]


def test_a_gap_is_counted_and_refused_and_nothing_of_it_is_learned(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, 2)
    with pytest.raises(GapError, match="stage popularity, partition 0"):
        desk.part.apply(a_record(1, 3, 5))
    worked(desk.part)
    assert desk.shows("freshrec_gaps_total 1.0")
    assert desk.shown("all") == [("tea", 4.0), ("cup", 1.0)]


def test_only_scopes_that_changed_are_published(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, 3)
    worked(desk.part)
    desk.published()
    desk.now += INTERVAL
    desk.learn(3, 4)
    worked(desk.part)
    assert sorted(desk.published()) == ["all", "category:kitchen"]


def test_nothing_is_published_when_nothing_changed(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert not desk.part.work(idle=True, drain=True)
    desk.learn(0, 5)
    worked(desk.part)
    desk.taken("popular")
    desk.now += 10 * INTERVAL
    weightless = pack([Change(AT, [("tea", (0, 1, 0), 0, ["drinks"])])])
    weightless.positions[:] = [position(5)]
    desk.part.apply(deltas_record(1, weightless, after=position(4), upto=position(5)))
    worked(desk.part, idle=True, drain=True)
    assert desk.put_records == []


def test_a_scope_is_published_once_per_interval_at_most_and_the_newest_is_not_lost(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, 1)
    worked(desk.part)
    desk.published()
    for n in (1, 2):
        desk.now += 100
        desk.learn(n, n + 1)
        worked(desk.part)
    assert not desk.published().keys() & {"all", "category:drinks"}
    desk.now += INTERVAL - 200
    worked(desk.part)
    published = desk.published()
    assert published["all"] == [("tea", 6.0), ("cup", 1.0)]
    assert published["category:drinks"] == [("tea", 6.0)]


def test_nothing_waits_for_its_interval_when_all_is_drained(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for n in range(3):
        desk.learn(n, n + 1)
        worked(desk.part, drain=True)
    assert desk.shown("all") == [("tea", 6.0), ("cup", 1.0)]


def test_what_was_learned_and_not_published_before_a_crash_is_published_after_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, 5)
    flushed(desk.part)
    desk.part = desk.reopened(desk.part)
    worked(desk.part, idle=True)
    assert desk.shown("all") == [("pot", 9.0), ("tea", 6.0), ("cup", 2.0)]
    assert desk.shown("category:hot") == [("tea", 6.0)]


def test_what_was_not_flushed_is_learned_again_and_counts_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, 2)
    flushed(desk.part)
    desk.learn(2, 5)
    desk.part = desk.reopened(desk.part)
    assert desk.part.progress.next_offset == 1
    desk.learn(2, 5)
    worked(desk.part, drain=True)
    assert desk.shown("all") == [("pot", 9.0), ("tea", 6.0), ("cup", 2.0)]


def test_a_scope_that_has_nothing_left_is_taken_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    log = [touched("tea", 4, "drinks"), touched("cup", 1, "kitchen"), touched("tea", -4)]
    desk.part.apply(deltas_record(0, pack(log, 0, 2), after=BEFORE_ALL, upto=position(1)))
    worked(desk.part, drain=True)
    assert desk.shown("category:drinks") == [("tea", 4.0)]
    desk.part.apply(deltas_record(1, pack(log, 2, 3), after=position(1), upto=position(2)))
    flushed(desk.part)
    # Also if a crash came before it was published.
    desk.part = desk.reopened(desk.part)
    desk.taken("popular")
    worked(desk.part, drain=True)
    assert (desk.shown("all"), desk.shown("category:drinks")) == ([("cup", 1.0)], [])
    assert [record.key for record in desk.taken("popular") if record.value is None] == [b"0|category:drinks"]
    flushed(desk.part)
    keys = [key for prefix in "il~" for key, _ in desk.part.database.rows(prefix)]
    assert keys == [b"icup", b"lall", b"lcategory:kitchen"]


def test_what_is_taken_back_reaches_an_item_in_all_its_categories(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    log = [touched("tea", 4, "drinks"), touched("tea", 2, "hot"), touched("tea", -5)]
    desk.part.apply(deltas_record(0, pack(log), after=BEFORE_ALL, upto=position(2)))
    worked(desk.part, drain=True)
    assert [desk.shown(scope) for scope in ("all", "category:drinks", "category:hot")] == [[("tea", 1.0)]] * 3
