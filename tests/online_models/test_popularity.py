from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from online_models.memory_store import MemoryStore
from online_models.popularity import PopularityStep, PopularityTouch, merge
from online_models.protocols import Store
from schemas.messages import BEFORE_ALL, WEIGHT_ONE, Popular
from schemas.settings import PopularitySettings, Settings
from schemas.state import PopularityRow
from tests.online_models.packed_log import Change, batches, pack, position

HALF_LIFE_S = 10
STEP_MS = HALF_LIFE_S * 1_000
CATEGORIES = {"a": ["x"], "b": ["x", "y"], "c": [], "d": ["y"], "e": ["x"], "f": ["x", "y", "z"]}
CUTS = st.sets(st.integers(0, 20))


def with_settings(*, half_life_s: int = 0, leaders: int = 200, published: int = 100) -> Settings:
    return Settings(
        popularity=PopularitySettings(half_life_s=half_life_s, leaders=leaders, published=published)
    )


def step_with(settings: Settings) -> PopularityStep:
    return PopularityStep(MemoryStore(PopularityRow), MemoryStore(PopularityRow), settings)


def act(at: int, *items: str, weight: int = 1) -> Change:
    """One event that adds `weight` to the popularity of each item."""
    change = Change(at)
    for item in items:
        change.touches.append((item, (0, 0, 0), weight * WEIGHT_ONE, CATEGORIES.get(item, [])))
    return change


def taken_from(change: Change) -> set[str]:
    """Scopes in which an item loses weight."""
    losing = [item for item, _, weight, _ in change.touches if weight < 0]
    return {scope for item in losing for scope in ("all", *(f"category:{name}" for name in CATEGORIES[item]))}


def learn(step: PopularityStep, log: list[Change], cuts: set[int] | None = None) -> PopularityStep:
    mark = BEFORE_ALL
    for start, stop in batches(len(log), cuts or set()):
        step.learn_many(pack(log, start, stop), mark)
        mark = position(stop - 1)
    return step


def rows_of(store: Store[PopularityRow]) -> dict[str, PopularityRow]:
    assert isinstance(store, MemoryStore)
    return {key: row for key in store.rows() if (row := store.get(key)) is not None}


def shown(step: PopularityStep, scope: str, settings: Settings, at: int = 0) -> list[tuple[str, float]]:
    popular = step.popular(scope, partition=0)
    return [] if popular is None else merge([popular], at, settings)


@st.composite
def logs(draw: st.DrawFn, *, least: int = -1) -> list[Change]:
    events = st.tuples(
        st.integers(-2, 8), st.lists(st.sampled_from(sorted(CATEGORIES)), max_size=4), st.integers(least, 4)
    )
    found = draw(st.lists(events, max_size=20))
    return [act(at * STEP_MS // 2, *items, weight=weight) for at, items, weight in found]


def test_items_are_popular_overall_and_in_each_of_their_categories() -> None:
    settings = with_settings()
    step = step_with(settings)
    changed = step.learn_many(pack([act(0, "a", "b"), act(1, "b", weight=4), act(2, "c")]), BEFORE_ALL)
    assert changed == {"all", "category:x", "category:y"}
    assert shown(step, "all", settings) == [("b", 5.0), ("a", 1.0), ("c", 1.0)]
    assert shown(step, "category:x", settings) == [("b", 5.0), ("a", 1.0)]
    assert shown(step, "category:y", settings) == [("b", 5.0)]
    assert step.popular("category:z", partition=0) is None


def test_published_items_are_the_best_ones_with_ties_by_id() -> None:
    step = learn(step_with(with_settings(published=2)), [act(0, "c", "b", "a"), act(0, "c")])
    assert step.popular("all", partition=7) == Popular(
        7, "all", 0, [("c", 2 * WEIGHT_ONE), ("a", WEIGHT_ONE)]
    )


def test_popularity_halves_with_each_half_life() -> None:
    settings = with_settings(half_life_s=HALF_LIFE_S)
    step = learn(step_with(settings), [act(0, "a", weight=4), act(2 * STEP_MS, "b")])
    assert shown(step, "all", settings, at=2 * STEP_MS) == [("a", 1.0), ("b", 1.0)]
    assert shown(step, "all", settings, at=3 * STEP_MS) == [("a", 0.5), ("b", 0.5)]


def test_a_late_event_weighs_what_it_would_have_weighed_on_time() -> None:
    settings = with_settings(half_life_s=HALF_LIFE_S)
    log = [act(3 * STEP_MS, "b"), act(0, "a", weight=4), act(STEP_MS, "b", weight=4)]
    step = learn(step_with(settings), log)
    assert shown(step, "all", settings, at=3 * STEP_MS) == [("b", 2.0), ("a", 0.5)]


def test_events_up_to_the_mark_are_skipped() -> None:
    log = [act(0, "a"), act(0, "b"), act(0, "d")]
    step = learn(step_with(with_settings()), log[:2])
    assert step.learn_many(pack(log), position(1)) == {"all", "category:y"}
    assert step.learn_many(pack(log), position(2)) == set()
    assert rows_of(step.items) == rows_of(learn(step_with(with_settings()), log).items)


def test_a_touch_without_weight_changes_nothing() -> None:
    step = step_with(with_settings())
    assert step.learn_many(pack([act(0, "a", weight=0)]), BEFORE_ALL) == set()
    assert rows_of(step.items) == {}


def test_a_scope_stays_bounded_on_ten_times_as_many_items_and_keeps_the_leaders() -> None:
    settings = with_settings(leaders=20)
    step = step_with(settings)
    log = [act(0, f"rare-{n}", *(["often"] if n % 5 == 0 else [])) for n in range(400)]
    for start, stop in batches(len(log), set(range(0, len(log), 7))):
        step.learn_many(pack(log, start, stop), BEFORE_ALL)
        assert len(rows_of(step.leaders)["all"].counts) <= 40
    assert shown(step, "all", settings)[0] == ("often", 80.0)


def test_an_item_that_was_cut_returns_with_its_whole_weight() -> None:
    settings = with_settings(leaders=1, published=1)
    log = [act(0, "z"), act(0, "a", weight=2), act(0, "b", weight=2), act(0, "z", weight=2)]
    step = learn(step_with(settings), log[:3])
    assert list(rows_of(step.leaders)["all"].counts) == ["a"]
    assert shown(learn(step_with(settings), log), "all", settings) == [("z", 3.0)]


def test_partitions_are_merged_as_of_one_time() -> None:
    settings = with_settings(half_life_s=HALF_LIFE_S, published=3)
    one = WEIGHT_ONE << 16
    rows = [
        Popular(0, "all", 0, [("a", 8 * one), ("d", one)]),
        Popular(1, "all", 2, [("b", 3 * one), ("c", one)]),
    ]
    assert merge(rows, 2 * STEP_MS, settings) == [("b", 3.0), ("a", 2.0), ("c", 1.0)]
    assert merge(rows, 0, settings) == merge(rows, 2 * STEP_MS, settings)
    assert merge([], 0, settings) == []


@given(logs(least=0), CUTS)
def test_without_decay_popularity_equals_a_recount(log: list[Change], cuts: set[int]) -> None:
    settings = with_settings()
    expected: dict[str, Counter[str]] = {}
    for change in log:
        for item, _, weight, categories in change.touches:
            for scope in ("all", *(f"category:{name}" for name in categories)) if weight else ():
                expected.setdefault(scope, Counter())[item] += weight // WEIGHT_ONE
    step = learn(step_with(settings), log, cuts)
    assert set(rows_of(step.leaders)) == set(expected)
    for scope, counts in expected.items():
        best = sorted(counts, key=lambda item: (-counts[item], item))
        assert shown(step, scope, settings) == [(item, float(counts[item])) for item in best]


@given(logs(least=0), CUTS)
def test_with_decay_popularity_equals_summing_weights_by_age(log: list[Change], cuts: set[int]) -> None:
    settings = with_settings(half_life_s=HALF_LIFE_S)
    at = max([0, *(change.at for change in log)])
    expected: defaultdict[str, float] = defaultdict(float)
    for change in log:
        for item, _, weight, _ in change.touches:
            expected[item] += weight * 2.0 ** ((change.at - at) / STEP_MS) / WEIGHT_ONE
    found = dict(shown(learn(step_with(settings), log, cuts), "all", settings, at))
    for item, value in expected.items():
        assert abs(found.get(item, 0.0) - value) <= 1e-3 * value


@given(logs(), CUTS, st.sampled_from([0, HALF_LIFE_S]))
def test_learn_many_equals_learn_one_in_a_loop_however_batches_are_cut(
    log: list[Change], cuts: set[int], half_life_s: int
) -> None:
    settings = with_settings(half_life_s=half_life_s, leaders=2)
    fast, plain = learn(step_with(settings), log, cuts), step_with(settings)
    for change in log:
        for item, _, weight, categories in change.touches:
            plain.learn_one(PopularityTouch(item, change.at, weight, categories))
    assert rows_of(fast.items) == rows_of(plain.items)
    assert rows_of(fast.leaders) == rows_of(plain.leaders)


@given(logs(), CUTS)
def test_learn_many_names_exactly_the_scopes_that_it_changed(log: list[Change], cuts: set[int]) -> None:
    step = step_with(with_settings(half_life_s=HALF_LIFE_S, leaders=2))
    for start, stop in batches(len(log), cuts):
        before = rows_of(step.leaders)
        changed = step.learn_many(pack(log, start, stop), BEFORE_ALL)
        after = rows_of(step.leaders)
        differing = {scope for scope in after | before if after.get(scope) != before.get(scope)}
        # What was dropped and came again within the batch, or came to nothing, may look as before.
        undone = {scope for change in log[start:stop] for scope in taken_from(change)}
        assert differing <= changed <= differing | undone
