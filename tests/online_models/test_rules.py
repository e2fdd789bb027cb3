from hypothesis import example, given
from hypothesis import strategies as st

from online_models.memory_store import MemoryStore
from online_models.pair_shape import counted
from online_models.pair_table import by_key, name_key, named, used
from online_models.recount import recount_baskets
from online_models.rules import RulesStep, unpack
from schemas.messages import BEFORE_ALL, ORDERS, SESSIONS, SIMILARITY, WEIGHT_ONE
from schemas.settings import RulesSettings, Settings
from schemas.state import RuleRow
from tests.online_models.packed_log import Change, basket, batches, pack, position

HALF_LIFE_S = 10
STEP_MS = HALF_LIFE_S * 1000
ONE = 1 << 16
ITEMS = st.sampled_from("abcdefgh")
CUTS = st.sets(st.integers(0, 20))


def step_with(*, max_row: int = 0, half_life_s: int = 0) -> RulesStep:
    return RulesStep(
        MemoryStore(RuleRow),
        MemoryStore(str),
        Settings(rules=RulesSettings(max_row=max_row, half_life_s=half_life_s)),
    )


def row_of(step: RulesStep, item: str) -> RuleRow:
    row = step.rows.get(item)
    assert row is not None
    return row


def rows_of(step: RulesStep) -> dict[str, RuleRow]:
    assert isinstance(step.rows, MemoryStore)
    return {item: row_of(step, item) for item in step.rows.rows()}


def pairs_of(step: RulesStep, item: str, scope: int = ORDERS) -> dict[str, int]:
    """Counts of an item's pairs by partner; the step has noted the id of each."""
    assert isinstance(step.names, MemoryStore)
    names = by_key(name for key in step.names.rows() if (name := step.names.get(key)) is not None)
    return named(row_of(step, item).pairs, scope, names)


def learn(step: RulesStep, log: list[Change], cuts: set[int] | None = None) -> RulesStep:
    mark = BEFORE_ALL
    for start, stop in batches(len(log), cuts or set()):
        step.learn_many(pack(log, start, stop), mark)
        mark = position(stop - 1)
    return step


@st.composite
def changes(draw: st.DrawFn) -> Change:
    amounts = st.integers(-2, 4)
    touches = draw(st.lists(st.tuples(ITEMS, st.tuples(amounts, amounts, amounts)), max_size=3))
    pairs = draw(st.lists(st.tuples(st.integers(0, 2), ITEMS, ITEMS, amounts), max_size=8))
    at = draw(st.integers(-3, 12)) * STEP_MS // 2
    return Change(at, [(item, added, 0, []) for item, added in touches], pairs)


def test_each_item_of_an_order_gains_its_own_count_and_one_pair_per_other_item() -> None:
    step = step_with()
    changed = step.learn_many(pack([basket(5, "tea", "cup", "pot"), basket(9, "tea", "cup")]), BEFORE_ALL)
    assert set(changed) == {"tea", "cup", "pot"}
    assert row_of(step, "tea") == RuleRow(0, 5, [0, 2, 0], counted([{}, {"cup": 2, "pot": 1}, {}]), 9)
    assert row_of(step, "pot") == RuleRow(0, 3, [0, 1, 0], counted([{}, {"tea": 1, "cup": 1}, {}]), 5)


def test_scopes_are_counted_apart() -> None:
    step = learn(step_with(), [basket(0, "a", "b", scope=scope) for scope in (SIMILARITY, ORDERS, SESSIONS)])
    assert row_of(step, "a").counts == [1, 1, 1]
    assert [pairs_of(step, "a", scope) for scope in range(3)] == [{"b": 1}] * 3


def test_events_up_to_the_mark_are_skipped_and_the_rest_of_their_batch_is_applied() -> None:
    log = [basket(0, "a", "b"), basket(1, "b", "c"), basket(2, "c", "d")]
    step = learn(step_with(), log[:2])
    assert set(step.learn_many(pack(log), position(1))) == {"c", "d"}
    assert rows_of(step) == rows_of(learn(step_with(), log))


def test_a_batch_that_was_applied_changes_nothing() -> None:
    log = [basket(0, "a", "b"), basket(1, "b", "c")]
    step = learn(step_with(), log)
    before = rows_of(step)
    assert step.learn_many(pack(log), position(1)) == {}
    assert rows_of(step) == before


def test_a_touch_that_only_makes_popular_is_no_change_of_the_row() -> None:
    step = step_with()
    assert step.learn_many(pack([Change(0, [("a", (0, 0, 0), WEIGHT_ONE, [])])]), BEFORE_ALL) == {}
    assert step.rows.get("a") is None


def test_a_pair_whose_count_returns_to_zero_is_forgotten() -> None:
    step = learn(step_with(), [basket(0, "a", "b"), Change(1, [], [(ORDERS, "a", "b", -1)])])
    assert pairs_of(step, "a") == {}


def test_after_one_half_life_a_count_is_worth_half() -> None:
    step = learn(step_with(half_life_s=HALF_LIFE_S), [basket(0, "a", "b"), basket(STEP_MS, "a", "b")])
    row = row_of(step, "a")
    assert (row.epoch, row.counts[ORDERS], pairs_of(step, "a")) == (1, ONE + ONE // 2, {"b": ONE + ONE // 2})


def test_a_late_event_counts_as_much_as_if_it_had_been_on_time() -> None:
    on_time, late = [basket(0, "a", "b"), basket(STEP_MS, "a", "b")], basket(3 * STEP_MS, "a", "b")
    one = learn(step_with(half_life_s=HALF_LIFE_S), [*on_time, late])
    other = learn(step_with(half_life_s=HALF_LIFE_S), [late, *on_time])
    assert rows_of(one) == rows_of(other)
    assert row_of(other, "a").at == 3 * STEP_MS


def test_what_decayed_to_nothing_is_dropped_when_the_row_is_next_changed() -> None:
    log = [basket(0, "a", "b"), basket(17 * STEP_MS, "a", "c")]
    assert pairs_of(learn(step_with(half_life_s=HALF_LIFE_S), log), "a") == {"c": ONE}


def test_a_full_row_keeps_the_largest_counts_and_among_equal_ones_the_smaller_keys() -> None:
    log = [basket(0, "a", partner) for partner in "zzzxyybcd"]
    step = learn(step_with(max_row=5), log)
    left = sorted("bcdx", key=name_key)[:2]
    assert pairs_of(step, "a") == {"z": 3, "y": 2} | dict.fromkeys(left, 1)


def test_a_bound_of_one_keeps_one_partner() -> None:
    step = learn(step_with(max_row=1), [basket(0, "a", "c"), basket(0, "a", "b")])
    assert pairs_of(step, "a") == {min("bc", key=name_key): 1}


def test_a_row_stays_bounded_on_ten_times_as_many_partners_and_keeps_the_frequent_ones() -> None:
    bound = 50
    step = step_with(max_row=bound)
    log = [
        basket(n, "a", "often" if n % 10 == 0 else f"rare-{n}", scope=scope)
        for n in range(10 * bound)
        for scope in (ORDERS, SESSIONS)
    ]
    for start, stop in batches(len(log), set(range(0, len(log), 37))):
        step.learn_many(pack(log, start, stop), BEFORE_ALL)
        assert all(used(row_of(step, "a").pairs, scope) <= bound for scope in (ORDERS, SESSIONS))
    assert pairs_of(step, "a")["often"] == bound
    assert row_of(step, "a").counts[ORDERS] == 10 * bound


@given(st.lists(changes(), max_size=20), CUTS, st.sampled_from([0, 2, 4]), st.sampled_from([0, HALF_LIFE_S]))
@example([basket(2 * STEP_MS, "a", "b"), basket(0, "a", "b"), basket(0, "c", "a")], set(), 0, HALF_LIFE_S)
def test_learn_many_equals_learn_one_in_a_loop_however_batches_are_cut(
    log: list[Change], cuts: set[int], max_row: int, half_life_s: int
) -> None:
    fast = learn(step_with(max_row=max_row, half_life_s=half_life_s), log, cuts)
    plain = step_with(max_row=max_row, half_life_s=half_life_s)
    for update in unpack(pack(log)):
        assert plain.learn_one(update) == [plain.key(update)]
    assert rows_of(fast) == rows_of(plain)


@given(st.lists(changes(), max_size=20), CUTS)
def test_learn_many_names_exactly_the_rows_that_it_changed(log: list[Change], cuts: set[int]) -> None:
    step = step_with(half_life_s=HALF_LIFE_S, max_row=2)
    for start, stop in batches(len(log), cuts):
        before = rows_of(step)
        changed = step.learn_many(pack(log, start, stop), BEFORE_ALL)
        after = rows_of(step)
        assert set(changed) == {item for item in after if after[item] != before.get(item)}


@given(st.lists(changes(), max_size=20), CUTS)
def test_updates_count_every_touch_and_pair_of_the_row(log: list[Change], cuts: set[int]) -> None:
    rows = rows_of(learn(step_with(max_row=2, half_life_s=HALF_LIFE_S), log, cuts))
    touched = [item for change in log for item, added, _, _ in change.touches if any(added)]
    touched += [item for change in log for _, item, _, _ in change.pairs]
    assert {item: row.updates for item, row in rows.items()} == {
        item: touched.count(item) for item in set(touched)
    }


@given(st.lists(st.lists(ITEMS, max_size=6, unique=True), max_size=20), CUTS)
def test_without_bound_and_decay_counts_equal_a_recount(baskets: list[list[str]], cuts: set[int]) -> None:
    step = learn(step_with(), [basket(n, *items) for n, items in enumerate(baskets)], cuts)
    rows, expected = rows_of(step), recount_baskets(baskets)
    assert {item: row.counts[ORDERS] for item, row in rows.items()} == expected.items
    pairs = {(item, other): n for item in rows for other, n in pairs_of(step, item).items()}
    assert pairs == expected.pairs


@given(st.permutations(range(6)), CUTS)
def test_up_to_rounding_the_order_of_arrival_does_not_matter(order: list[int], cuts: set[int]) -> None:
    log = [basket(n * STEP_MS // 2, "a", "b") for n in order]
    step = learn(step_with(half_life_s=HALF_LIFE_S), log, cuts)
    expected = sum(ONE * 2 ** (n / 2 - 2) for n in range(6))
    assert row_of(step, "a").epoch == 2
    assert abs(pairs_of(step, "a")["b"] - expected) <= len(order) * 4
