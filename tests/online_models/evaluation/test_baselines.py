"""Baselines against what they stand for, counted anew from the whole log each time."""

from collections import Counter
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.evaluation.baselines import item_cosine
from online_models.evaluation.baselines.chance import Chance
from online_models.evaluation.baselines.customers import Customers
from online_models.evaluation.baselines.isgd import Isgd
from online_models.evaluation.baselines.item_cosine import ItemCosine, Partners
from online_models.evaluation.baselines.markov import Markov
from online_models.evaluation.baselines.numbered import Names, best
from online_models.evaluation.baselines.popularity import Popularity
from online_models.evaluation.baselines.user_knn import UserKnn
from online_models.evaluation.contract import Contender, Query
from schemas.messages import Event
from tests.online_models.evaluation.events import ITEMS, KEYS, act, logs

Scores = dict[str, float]
some_items = st.frozensets(st.sampled_from(ITEMS), max_size=3)


def learned(model: Contender, log: list[Event]) -> Contender:
    for event in log:
        model.learn_one(event)
    return model


def histories(log: list[Event]) -> dict[str, list[str]]:
    """Distinct items of each customer, in the order of the last action."""
    found: dict[str, list[str]] = {}
    for event in log:
        row = found.setdefault(event.key, [])
        item = event.lines[0].item
        if item in row:
            row.remove(item)
        row.append(item)
    return found


def cosine(log: list[Event], one: str, other: str) -> float:
    having = {item: {e.key for e in log if e.lines[0].item == item} for item in (one, other)}
    both = len(having[one] & having[other])
    return both / sqrt(len(having[one]) * len(having[other])) if both else 0.0


def assert_ranks(model: Contender, query: Query, scores: Scores, *, tolerance: float = 1e-9) -> None:
    """The list holds the best scores; items whose scores are equal but for rounding may change places."""
    ranked = model.rank(query)
    allowed = {item: score for item, score in scores.items() if score > 0 and item not in query.exclude}
    assert [score for _, score in ranked] == pytest.approx(
        sorted(allowed.values(), reverse=True)[: query.k], rel=tolerance
    )
    assert dict(ranked) == pytest.approx({item: allowed[item] for item, _ in ranked}, rel=tolerance)


@given(logs(), some_items, st.integers(1, 6))
def test_popularity_counts_every_action(log: list[Event], exclude: frozenset[str], k: int) -> None:
    counts: Scores = dict(Counter(event.lines[0].item for event in log))
    assert_ranks(learned(Popularity(), log), Query(key="u:0", now=0, k=k, exclude=exclude), counts)


@given(logs(), st.sampled_from([0.001, 1.0, 50.0]))
def test_decayed_popularity_halves_with_the_half_life(log: list[Event], half_life_s: float) -> None:
    ranked = learned(Popularity(half_life_s=half_life_s), log).rank(Query(key="u:0", now=0, k=8))
    if not log:
        assert ranked == []
        return
    newest = log[-1].at
    weights: Scores = {}
    for event in log:
        age = (newest - event.at) / 1_000 / half_life_s
        weights[event.lines[0].item] = weights.get(event.lines[0].item, 0.0) + 2.0**-age
    assert weights[ranked[0][0]] == pytest.approx(max(weights.values()))
    ratios = [score / ranked[0][1] for _, score in ranked]
    expected = [weights[item] / weights[ranked[0][0]] for item, _ in ranked]
    assert ratios == pytest.approx(expected, rel=1e-6, abs=1e-100)


@given(logs(), st.sampled_from(KEYS), st.sampled_from([0, 1, 2]), st.booleans(), some_items)
def test_item_cosine_equals_a_recount(
    log: list[Event], key: str, last: int, with_current: bool, exclude: frozenset[str]
) -> None:
    model = learned(ItemCosine(last=last, with_current=with_current), log)
    asking = histories(log).get(key, [])[-last:] if last else histories(log).get(key, [])
    scores = {item: sum(cosine(log, item, each) for each in asking if each != item) for item in ITEMS}
    if with_current:
        scores |= {item: scores[item] + 1.0 for item in asking}
    assert_ranks(model, Query(key=key, now=0, k=8, exclude=exclude), scores)


@given(logs(), st.sampled_from(KEYS))
def test_markov_equals_a_recount_of_what_followed(log: list[Event], key: str) -> None:
    followers: Counter[tuple[str, str]] = Counter()
    last: dict[str, str] = {}
    for event in log:
        item = event.lines[0].item
        if event.key in last:
            followers[last[event.key], item] += 1
        last[event.key] = item
    counts = {item: count for (previous, item), count in followers.items() if previous == last.get(key)}
    scores: Scores = {item: count / sum(counts.values()) for item, count in counts.items()}
    assert_ranks(learned(Markov(), log), Query(key=key, now=0, k=8), scores)


@given(logs(), st.sampled_from(KEYS))
def test_user_knn_with_all_neighbours_equals_a_recount(log: list[Event], key: str) -> None:
    found = histories(log)
    mine = found.get(key, [])
    scores: Scores = {}
    for other, items in found.items():
        shared = len(set(mine) & set(items))
        if other != key and shared:
            for item in items:
                scores[item] = scores.get(item, 0.0) + shared / sqrt(len(mine) * len(items))
    assert_ranks(learned(UserKnn(neighbours=10), log), Query(key=key, now=0, k=8), scores)


def test_isgd_takes_the_step_of_the_paper() -> None:
    model = Isgd(factors=3, rate=0.1, regularisation=0.05)
    model.learn_one(act("u:1", "tea"))
    fresh = Isgd(factors=3)
    u, v = fresh._beginning("customer", "u:1"), fresh._beginning("item", "tea")
    error = 1 - u @ v
    u = u + 0.1 * (error * v - 0.05 * u)
    v = v + 0.1 * (error * u - 0.05 * v)
    ((item, score),) = model.rank(Query(key="u:1", now=0, k=1))
    assert item == "tea"
    assert score == pytest.approx(float(u @ v))


def test_isgd_does_not_run_away_with_large_steps() -> None:
    model = Isgd(factors=8, rate=1.5)
    for n in range(300):
        model.learn_one(act(f"u:{n % 5}", f"i{n % 7}"))
    assert all(np.isfinite(score) for _, score in model.rank(Query(key="u:1", now=0, k=7)))


@pytest.mark.parametrize("model", [Popularity(), ItemCosine(), Markov(), UserKnn(), Isgd(), Chance()])
def test_what_is_no_action_teaches_nothing(model: Contender) -> None:
    model.learn_one(act("u:1", "tea", kind="impression"))
    model.learn_one(act("u:1", "cup", kind="impression"))
    assert model.rank(Query(key="u:1", now=0, k=5, session=["tea"])) == []


def test_chance_gives_every_item_its_turn_and_the_same_question_the_same_answer() -> None:
    model = learned(Chance(), [act("u:1", item) for item in ITEMS])
    queries = [Query(key="u:1", now=now, k=2, exclude=frozenset({"i0"})) for now in range(400)]
    counts = Counter(item for query in queries for item, _ in model.rank(query))
    assert set(counts) == set(ITEMS) - {"i0"}
    assert max(counts.values()) < 2 * min(counts.values())
    assert model.rank(queries[0]) == model.rank(queries[0])


def test_an_open_session_counts_although_it_was_not_learned() -> None:
    model = learned(ItemCosine(last=1), [act("u:1", "a"), act("u:1", "b"), act("u:2", "c"), act("u:2", "d")])
    assert [item for item, _ in model.rank(Query(key="s:9", now=0, k=3, session=["a", "c"]))] == ["d"]


def test_more_items_than_the_bound_are_not_learned() -> None:
    for model in (Popularity(max_items=3), ItemCosine(max_items=3), UserKnn(max_items=3)):
        learned(model, [act(key, item) for key in KEYS for item in ITEMS])
        query = Query(key="u:9", now=0, k=8, session=["i0"])
        assert {item for item, _ in model.rank(query)} <= {"i0", "i1", "i2"}
        assert model.rank(query)


def test_partners_above_the_bound_leave_those_that_occur_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_cosine, "MAX_PARTNERS", 4)
    row = Partners()
    for number in (1, 2, 2, 3, 3, 3, 4, 5):
        row.add(number)
    row.cut(4)
    assert dict(zip(row.numbers, row.counts, strict=True)) == {3: 3, 2: 2}
    row.add(2)
    assert dict(zip(row.numbers, row.counts, strict=True)) == {3: 3, 2: 3}


def test_customers_above_the_bound_make_room_for_new_ones() -> None:
    customers = Customers(max_customers=2)
    for key in ("u:1", "u:2", "u:1", "u:3"):
        customers.add(key, "tea")
    assert [list(customers.row(key)) for key in ("u:1", "u:2", "u:3")] == [["tea"], [], ["tea"]]


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), max_size=20), some_items, st.integers(1, 8))
def test_the_best_are_those_of_a_full_sort(scores: list[float], exclude: frozenset[str], k: int) -> None:
    names = Names()
    items = [f"i{n}" for n in range(len(scores))]
    for item in items:
        names.add(item)
    wanted = sorted(
        (-s, item) for item, s in zip(items, scores, strict=True) if s > 0 and item not in exclude
    )
    found = best(np.array(scores), names, k, exclude=exclude)
    assert found == [(item, -negative) for negative, item in wanted[:k]]


def test_a_half_life_below_0_is_refused() -> None:
    with pytest.raises(ValueError, match="half_life_s is -1"):
        Popularity(half_life_s=-1)
