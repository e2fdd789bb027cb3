"""Rules: a packet counts once, rows are published as they grow, and a sweep leaves nothing stale."""

import random
from pathlib import Path

import msgspec
import pytest

from online_models import publishing
from online_models.memory_store import MemoryStore
from online_models.pair_table import by_key, name_key, named
from online_models.publishing import ItemPublisher
from online_models.rules import RulesStep
from schemas.messages import BEFORE_ALL, ORDERS, ItemCounts, Neighbours, Totals
from schemas.settings import Settings
from schemas.state import RuleRow
from streams.errors import GapError
from streams.outbox import Outgoing, Record
from streams.stages.partition import KeptPartition
from tests.online_models.packed_log import Change, basket, pack, position
from tests.streams.stages.parts import Bench, decoded, deltas_record, flushed, settings_of, worked

AT, INTERVAL = 10**12, 1_000
TOPICS = ("item-counts", "neighbours", "association-rules")
TEA_CUP = [basket(AT + n, "tea", "cup") for n in range(40)]


def a_record(offset: int, log: list[Change], start: int, stop: int, *, after: int | None = None) -> Record:
    """Events [start, stop) of a log; what was sent before ends with `after`, or right before `start`."""
    first = start if after is None else after
    begins = position(first - 1) if first else BEFORE_ALL
    return deltas_record(offset, pack(log, start, stop), after=begins, upto=position(stop - 1))


class Desk(Bench):
    """The rules stage of partition 0, with N of a shop that has a hundred orders."""

    def __init__(self, state: Path, settings: Settings | None = None) -> None:
        super().__init__(settings or settings_of(), state)
        self.part: KeptPartition = self.open("rules")
        self.told = 0
        self.last: dict[tuple[str, str, str], Outgoing] = {}
        self.tell_totals(100)

    def tell_totals(self, orders: int) -> None:
        self.told += 1
        self.follow("totals", "0", Totals(0, 0, (0, orders, 0), AT), version=(0, 0, self.told))

    def put(self, record: Outgoing) -> None:
        super().put(record)
        scope = decoded(record).scope if record.topic == "association-rules" and record.value else ""
        self.last[record.topic, (record.key or b"").decode(), scope] = record

    def learn(self, log: list[Change], start: int, stop: int) -> None:
        """Apply the next record."""
        self.part.apply(a_record(self.part.progress.next_offset, log, start, stop))

    def crash(self) -> None:
        """Begin again with what was flushed."""
        self.part = self.reopened(self.part)

    def settle(self) -> None:
        """Let the stage do all there is to do, without waiting for any interval."""
        worked(self.part, idle=True, drain=True)

    def sent(self) -> list[tuple[str, str]]:
        """Topics and items of what was put since the last time."""
        found = [(record.topic, (record.key or b"").decode()) for record in self.put_records]
        self.put_records.clear()
        return found

    def row(self, item: str) -> RuleRow:
        row = self.part.database.table("r", RuleRow).get(item)
        assert row is not None
        return row

    def rows(self) -> dict[str, RuleRow]:
        """All rows, which are flushed for it."""
        flushed(self.part)
        found = self.part.database.rows("r")
        return {key[1:].decode(): msgspec.msgpack.decode(raw, type=RuleRow) for key, raw in found}

    def assert_nothing_is_stale(self) -> None:
        """The last messages equal what is computed from the rows and the views as they are."""
        rules = self.settings.rules
        for item, row in self.rows().items():
            made = ItemPublisher(item, row, self.views.counts_of, self.views.totals(), self.settings)
            best = made.neighbours(similar=rules.neighbour_similar, rules=rules.neighbour_rules)
            assert decoded(self.last["neighbours", item, ""]) == best
            assert decoded(self.last["item-counts", item, ""]) == publishing.counts(item, row)
            expected = {each.scope: each for each in made.association_rules()}
            # A scope without rules was taken back.
            found = {
                scope
                for (topic, name, scope), record in self.last.items()
                if (topic, name) == (TOPICS[2], item) and decoded(record).rules
            }
            assert found == set(expected)
            for scope, each in expected.items():
                assert decoded(self.last["association-rules", item, scope]) == each


def test_a_packet_is_learned_once_however_often_it_comes(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(TEA_CUP, 0, 4)
    once = desk.rows()
    assert once["tea"].counts == [0, 4, 0]
    assert named(once["tea"].pairs, ORDERS, by_key(["cup"])) == {"cup": 4}
    desk.settle()
    desk.sent()
    desk.part.apply(a_record(1, TEA_CUP, 0, 4))
    desk.part.apply(a_record(2, TEA_CUP, 0, 3))
    desk.settle()
    assert (desk.rows(), desk.sent()) == (once, [])
    assert desk.part.progress.next_offset == 3


def test_a_packet_that_was_cut_elsewhere_is_learned_from_the_mark_on(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(TEA_CUP, 0, 3)
    desk.part.apply(a_record(1, TEA_CUP, 0, 7))
    expected = RulesStep(MemoryStore(RuleRow), MemoryStore(str), desk.settings)
    expected.learn_many(pack(TEA_CUP, 0, 7), after=BEFORE_ALL)
    assert desk.row("tea") == expected.rows.get("tea")
    assert desk.row("tea").counts[ORDERS] == 7


def test_a_gap_is_counted_and_refused_and_nothing_of_it_is_learned(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(TEA_CUP, 0, 2)
    before = desk.rows()
    with pytest.raises(GapError, match="stage rules, partition 0: events/0 jumps"):
        desk.part.apply(a_record(1, TEA_CUP, 3, 5))
    assert desk.shows("freshrec_gaps_total 1.0")
    assert desk.rows() == before
    assert desk.part.progress.next_offset == 1


def test_new_items_are_published_at_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(TEA_CUP, 0, 2)
    worked(desk.part)
    assert {item for _, item in desk.sent()} == {"tea", "cup"}
    record = desk.last["item-counts", "tea", ""]
    assert decoded(record) == ItemCounts("tea", 0, (0, 2, 0))
    assert (record.partition, record.version) == (0, (0, 0, 1))
    assert desk.shows('freshrec_published_rows_total{view="item-counts"} 2.0')


def test_an_item_is_published_again_once_it_grew_enough(tmp_path: Path) -> None:
    desk = Desk(tmp_path, settings_of(rules={"republish_growth": 0.5, "republish_interval_ms": 0}))
    desk.learn(TEA_CUP, 0, 10)
    worked(desk.part)
    desk.sent()
    grown = []
    for n in range(10, 16):
        desk.learn(TEA_CUP, n, n + 1)
        worked(desk.part)
        grown.append(bool(desk.sent()))
    assert grown == [False] * 5 + [True]


def test_an_item_is_published_once_per_interval_at_most_and_the_newest_is_not_lost(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(TEA_CUP, 0, 2)
    worked(desk.part)
    desk.sent()
    for n in range(2, 6):
        desk.now += 100
        desk.learn(TEA_CUP, n, n + 1)
        worked(desk.part)
    assert desk.sent() == []
    desk.now += INTERVAL - 400
    worked(desk.part)
    assert ("item-counts", "tea") in desk.sent()
    assert decoded(desk.last["item-counts", "tea", ""]).counts[ORDERS] == 6


def test_nothing_waits_for_its_interval_when_all_is_drained(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for n in range(3):
        desk.learn(TEA_CUP, n, n + 1)
        worked(desk.part, drain=True)
        assert decoded(desk.last["item-counts", "tea", ""]).counts[ORDERS] == n + 1


def test_what_did_not_grow_enough_is_published_when_there_is_nothing_else_to_do(tmp_path: Path) -> None:
    desk = Desk(tmp_path, settings_of(rules={"republish_growth": 9.0}))
    desk.learn(TEA_CUP, 0, 10)
    desk.settle()
    desk.learn(TEA_CUP, 10, 11)
    desk.sent()
    worked(desk.part)
    assert desk.sent() == []
    desk.settle()
    assert ("item-counts", "tea") in desk.sent()
    desk.assert_nothing_is_stale()


def similarity_of(desk: Desk, item: str) -> float:
    message: Neighbours = decoded(desk.last["neighbours", item, ""])
    return message.similar[0].similarity


def test_a_sweep_publishes_what_the_counts_of_other_items_made_stale(tmp_path: Path) -> None:
    """The partner is another partition's item: this one only follows its count."""
    desk = Desk(tmp_path)
    desk.part.apply(a_record(0, [Change(AT, [("tea", (4, 0, 0), 4, [])], [(0, "tea", "cup", 4)])], 0, 1))
    desk.settle()
    assert decoded(desk.last["neighbours", "tea", ""]).similar == []
    desk.follow("item-counts", "cup", ItemCounts("cup", 0, (4, 0, 0)), version=(0, 1, 1))
    desk.settle()
    assert similarity_of(desk, "tea") == 1.0
    desk.sent()
    desk.follow("item-counts", "cup", ItemCounts("cup", 0, (16, 0, 0)), version=(0, 1, 2))
    desk.settle()
    assert similarity_of(desk, "tea") == 0.5
    assert desk.sent() == [("neighbours", "tea")]
    desk.assert_nothing_is_stale()


def test_a_sweep_publishes_what_totals_made_stale_and_only_that(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(TEA_CUP, 0, 10)
    desk.settle()
    desk.sent()
    desk.tell_totals(1_000)
    worked(desk.part)
    assert desk.sent() == []
    desk.settle()
    assert sorted(desk.sent()) == [
        (topic, item) for topic in ("association-rules", "neighbours") for item in ("cup", "tea")
    ]
    assert decoded(desk.last["association-rules", "tea", "orders"]).transactions == 1_000
    desk.assert_nothing_is_stale()


def test_what_is_as_last_published_is_not_sent_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(TEA_CUP, 0, 10)
    desk.settle()
    flushed(desk.part)
    desk.settle()
    desk.sent()
    desk.tell_totals(100)
    desk.follow("item-counts", "stranger", ItemCounts("stranger", 0, (1, 1, 1)), version=(0, 1, 1))
    desk.settle()
    assert desk.sent() == []


def test_a_sweep_finds_every_row_and_no_faster_than_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path, settings_of(rules={"sweep_rows_per_s": 20}))
    items = [f"i{n:02}" for n in range(45)]
    desk.learn([basket(AT, *items), basket(AT, *items)], 0, 2)
    desk.settle()
    flushed(desk.part)
    desk.now += 60_000
    worked(desk.part, idle=True)
    desk.tell_totals(1_000)
    desk.sent()
    found: list[set[str]] = []
    for _ in range(10):
        desk.now += INTERVAL
        worked(desk.part, idle=True)
        found.append({item for _, item in desk.sent()})
    assert max(map(len, found)) <= 20
    assert set().union(*found) == set(items)
    desk.assert_nothing_is_stale()


def test_what_was_learned_and_not_published_before_a_crash_is_published_after_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(TEA_CUP, 0, 10)
    flushed(desk.part)
    desk.crash()
    assert desk.sent() == []
    desk.settle()
    desk.assert_nothing_is_stale()


def test_what_was_published_and_not_flushed_is_learned_and_published_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(TEA_CUP, 0, 4)
    desk.settle()
    flushed(desk.part)
    desk.learn(TEA_CUP, 4, 8)
    desk.settle()
    last = dict(desk.last)
    desk.crash()
    assert desk.row("tea").counts[ORDERS] == 4
    desk.last.clear()
    desk.learn(TEA_CUP, 4, 8)
    desk.settle()
    assert desk.last == last


def test_after_a_flush_and_a_crash_nothing_is_sent_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(TEA_CUP, 0, 10)
    desk.settle()
    flushed(desk.part)
    desk.crash()
    desk.sent()
    desk.settle()
    assert desk.sent() == []
    desk.assert_nothing_is_stale()


def random_log(chance: random.Random) -> list[Change]:
    """Orders, sessions and similarities of up to four of eight items."""
    sizes = [chance.randint(1, 4) for _ in range(60)]
    return [
        basket(AT + n, *chance.sample("abcdefgh", size), scope=chance.randint(0, 2))
        for n, size in enumerate(sizes)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_the_last_messages_equal_a_recount_whatever_happened_on_the_way(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # seeded, so that it repeats
    log = random_log(chance)
    records = [a_record(offset, log, cut, cut + 5) for offset, cut in enumerate(range(0, 60, 5))]
    desk = Desk(tmp_path, settings_of(rules={"republish_growth": 0.3}))
    while desk.part.progress.next_offset < len(records):
        desk.part.apply(records[desk.part.progress.next_offset])
        desk.now += chance.choice([0, 50, 2_000])
        desk.tell_totals(chance.randint(50, 60))
        worked(desk.part, idle=chance.random() < 0.3)
        if chance.random() < 0.4:
            flushed(desk.part)
        elif chance.random() < 0.4:
            desk.crash()
    desk.settle()
    expected = RulesStep(MemoryStore(RuleRow), MemoryStore(str), desk.settings)
    items = sorted(expected.learn_many(pack(log), after=BEFORE_ALL))
    rows = desk.rows()
    assert rows == {item: expected.rows.get(item) for item in items}
    assert desk.views.counts_of(list(map(name_key, items))) == [
        publishing.counts(item, rows[item]) for item in items
    ]
    desk.assert_nothing_is_stale()


def test_rules_that_decayed_away_are_taken_back(tmp_path: Path) -> None:
    day_ms = 86_400_000
    desk = Desk(tmp_path, settings_of(rules={"half_life_s": 86_400}))
    desk.learn([basket(AT, "tea", "cup") for _ in range(3)], 0, 3)
    desk.tell_totals(100)
    desk.settle()
    assert decoded(desk.last["association-rules", "tea", "orders"]).rules
    later = Totals(0, AT // day_ms, (0, 100 << 20, 0), AT + 10 * day_ms)
    desk.follow("totals", "0", later, version=(0, 0, desk.told + 1))
    desk.settle()
    assert decoded(desk.last["association-rules", "tea", "orders"]).rules == []
    desk.assert_nothing_is_stale()


def test_a_new_item_does_not_wait_behind_one_that_was_just_published(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    log = [basket(AT, "tea", "cup"), basket(AT, "tea", "cup"), basket(AT, "pot", "pan")]
    for n in range(3):
        desk.learn(log, n, n + 1)
        worked(desk.part)
        desk.now += 10
    assert ("item-counts", "pot", "") in desk.last


def taken_back(change: Change) -> Change:
    """The last word of a customer on all that an event added."""
    touches = [(item, (-a, -b, -c), -1, names) for item, (a, b, c), _, names in change.touches]
    pairs = [(scope, item, partner, -amount) for scope, item, partner, amount in change.pairs]
    return Change(change.at, touches, pairs)


POT = Change(AT, 2 * basket(AT, "pot", "tea").touches, 2 * basket(AT, "pot", "tea").pairs)
ONCE = [*TEA_CUP[:3], POT, taken_back(POT)]


def test_when_nothing_is_left_of_an_item_all_that_was_published_of_it_is_taken_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(ONCE, 0, 4)
    desk.settle()
    assert desk.last["item-counts", "pot", ""].value is not None
    desk.sent()
    desk.learn(ONCE, 4, 5)
    desk.settle()
    assert [each for each in desk.sent() if each[1] == "pot"] == [(topic, "pot") for topic in sorted(TOPICS)]
    assert {desk.last[topic, "pot", ""].value for topic in ("item-counts", "neighbours")} == {None}
    assert desk.rows().keys() == {"tea", "cup"}
    assert desk.views.counts_of([name_key("pot")]) == [None]
    desk.assert_nothing_is_stale()
    desk.settle()
    assert desk.sent() == []


def test_what_a_crash_kept_from_being_taken_back_is_taken_back_on_opening(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(ONCE, 0, 4)
    desk.settle()
    desk.learn(ONCE, 4, 5)
    flushed(desk.part)
    desk.sent()
    desk.crash()
    desk.settle()
    assert [each for each in desk.sent() if each[1] == "pot"] == [(topic, "pot") for topic in sorted(TOPICS)]
    flushed(desk.part)
    desk.crash()
    desk.settle()
    assert desk.sent() == []


def test_an_item_that_comes_back_is_published_like_a_new_one(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    log = [*ONCE, basket(AT, "pot", "cup"), basket(AT, "pot", "cup")]
    desk.learn(log, 0, len(log))
    desk.settle()
    assert desk.row("pot").counts == [0, 2, 0]
    # What was counted before it went is not remembered in any way.
    assert desk.row("pot").updates == 4
    desk.assert_nothing_is_stale()
