"""Rules with two items in front: equal to a recount, right where two items decide, flat in memory."""

import random
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.counted_rows import CountedRows
from online_models.decay import Decay
from online_models.evaluation.contract import Query
from online_models.open_sessions import OpenSessions
from online_models.pair_rules import WITHIN, Pair, PairRules, pair_of
from online_models.sequential_rules import SessionRules
from tests.online_models.evaluation.events import act

ITEMS = "abcdefg"
SESSIONS = st.lists(st.lists(st.sampled_from(ITEMS), max_size=12), max_size=8)


def taught(model: PairRules | SessionRules, sessions: list[list[str]]) -> None:
    for n, items in enumerate(sessions):
        for item in items:
            model.learn_one(act(f"s:{n}", item, n))


def asked(model: PairRules | SessionRules, *session: str, k: int = 1) -> list[str]:
    exclude = frozenset(session)
    query = Query(key="s:nobody", now=0, k=k, session=session, exclude=exclude)
    return [item for item, _ in model.rank(query)]


def draws(sessions: list[list[str]]) -> tuple[list[list[tuple[str, str]]], list[list[tuple[Pair, str]]]]:
    """Return for each event which item went with which one, and with which two, from the definition."""
    ones, twos = list[list[tuple[str, str]]](), list[list[tuple[Pair, str]]]()
    for items in sessions:
        for place, item in enumerate(items):
            seen = list(dict.fromkeys(reversed(items[max(0, place - 4 * WITHIN) : place])))[:WITHIN]
            ones.append([*((each, item) for each in seen), *((item, each) for each in seen)])
            found: list[tuple[Pair, str]] = []
            for one, other in combinations(seen, 2):
                if item in (one, other):
                    found += [(pair_of(one, other), item)] * 2
                else:
                    third = ((one, other, item), (one, item, other), (other, item, one))
                    found += [(pair_of(first, second), last) for first, second, last in third]
            twos.append(found)
    return ones, twos


@given(SESSIONS, st.sampled_from([1, 2, 3]))
def test_counts_equal_a_recount_of_what_came_after_a_pair_was_frequent(
    sessions: list[list[str]], frequent: int
) -> None:
    model = PairRules(half_life_s=0, frequent=frequent)
    taught(model, sessions)
    single, pairs, every = (
        Counter[tuple[str, str]](),
        Counter[tuple[Pair, str]](),
        Counter[tuple[Pair, str]](),
    )
    for ones, twos in zip(*draws(sessions), strict=True):
        single.update(ones)
        every.update(twos)
        pairs.update((pair, item) for pair, item in twos if single[pair] >= frequent)
    for one in ITEMS:
        for item in ITEMS:
            mine = sum(count for (first, _), count in single.items() if first == one)
            its = sum(count for (first, _), count in single.items() if first == item)
            assert model.table([one], item) == (single[one, item], mine, its, single.total())
    for one, other in combinations(ITEMS, 2):
        pair = pair_of(one, other)
        mine = sum(count for (first, _), count in pairs.items() if first == pair)
        for item in ITEMS:
            table = model.table([other, one], item)
            assert (table.pair, table.n_i) == (pairs[pair, item], mine)
            assert table.pair <= every[pair, item]
    if frequent == 1:
        assert pairs == every


@given(SESSIONS)
def test_scores_are_shares_that_back_off(sessions: list[list[str]]) -> None:
    model = PairRules(half_life_s=0)
    taught(model, sessions)
    browsed = list(ITEMS[:4])
    last, *others = reversed(browsed)

    def share(antecedent: list[str], item: str) -> float:
        table = model.table(antecedent, item)
        return table.pair / table.n_i if table.n_i else 0.0

    scores = model.scores(browsed)
    weights = [1 / steps for steps in range(1, len(others) + 1)]
    for item in ITEMS:
        expected = 0.0
        for weight, other in zip(weights, others, strict=True):
            table = model.table([last, other], item)
            mixed = (table.pair + 20 * share([last], item)) / (table.n_i + 20)
            expected += weight / sum(weights) * mixed
        expected += sum(share([other], item) / place for place, other in enumerate(others, start=2))
        assert scores.get(item, 0.0) == pytest.approx(expected, abs=1e-12)


@given(SESSIONS)
def test_every_item_with_a_score_has_reasons_with_items_and_measures(sessions: list[list[str]]) -> None:
    model = PairRules(half_life_s=0)
    taught(model, sessions)
    for item in model.scores(ITEMS):
        reasons = model.reasons(item, ITEMS, most=9)
        assert 0 < len(reasons) <= 9
        for reason in reasons:
            assert (reason["source"], reason["scope"]) == ("pair-rules", "sessions")
            table = model.table(reason["item_ids"], item)
            assert reason["count"] == table.pair > 0
            assert reason["confidence"] == pytest.approx(table.pair / table.n_i, rel=1e-5)
            lift = table.pair * table.total / table.n_i / table.n_j
            assert reason["lift"] == pytest.approx(lift, rel=1e-5)
        assert len(model.reasons(item, ITEMS, most=1)) == 1


def kits(count: int, seed: int) -> list[list[str]]:
    """Sessions whose third item follows from the two before together; each alone leaves four open."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    sessions = []
    for _ in range(count):
        one, other = chance.randrange(4), chance.randrange(4)
        both = [f"a{one}", f"b{other}"]
        chance.shuffle(both)
        sessions.append([*both, f"c{(one + other) % 4}{one}"])
    return sessions


def test_where_two_items_decide_two_are_asked() -> None:
    pairs, single = PairRules(), SessionRules()
    for model in (pairs, single):
        taught(model, kits(600, seed=1))
    right = dict.fromkeys((pairs, single), 0)
    asking = kits(200, seed=2)
    for *both, answer in asking:
        for model in (pairs, single):
            right[model] += asked(model, *both) == [answer]
    assert right[pairs] == len(asking)
    assert right[single] < 0.6 * len(asking)


def test_without_rows_of_two_items_single_ones_speak() -> None:
    model = PairRules(frequent=0)
    taught(model, kits(200, seed=1))
    assert model.held()["pairs"] == 0
    session = ["a1", "b2"]
    told = [
        reason["item_ids"]
        for item in model.scores(session)
        for reason in model.reasons(item, session, most=9)
    ]
    assert {len(items) for items in told} == {1}


def test_two_items_that_were_never_together_back_off_to_the_last_one_alone() -> None:
    model = PairRules()
    taught(model, [["a", "b"], ["a", "b"], ["a", "c"], ["d", "f"], ["d", "f"]])
    assert asked(model, "d", "a", k=2) == ["b", "f"]
    assert asked(model, "never seen", "a") == asked(model, "a") == ["b"]
    assert asked(model, "a", "never seen") == ["b"]
    assert asked(model, "never seen") == asked(model) == []
    [reason] = model.reasons("b", ["d", "a"], most=5)
    assert (reason["item_ids"], reason["count"]) == (["a"], 2.0)


def test_what_goes_with_items_now_replaces_what_went_with_them_long_ago() -> None:
    fading, lasting = PairRules(half_life_s=86_400), PairRules(half_life_s=0)
    for model in (fading, lasting):
        for at, third, count in ((0, "old", 30), (10 * 86_400_000, "new", 10)):
            for n in range(count):
                for item in ("a", "b", third):
                    model.learn_view(f"s:{at}-{n}", item, at)
    assert asked(fading, "a", "b") == ["new"]
    assert asked(lasting, "a", "b") == ["old"]


def test_only_what_puts_items_into_a_session_teaches() -> None:
    model = PairRules()
    for kind in ("link", "impression"):
        for item in "ab":
            model.learn_one(act("s:1", item, kind=kind))
    assert model.held()["singles"] == 0


def test_memory_is_flat_on_a_stream_ten_times_longer_than_the_bounds() -> None:
    decay = Decay(86_400)
    singles, pairs = CountedRows[str](decay, rows=30, entries=4), CountedRows[Pair](decay, rows=40, entries=3)
    sessions = OpenSessions(sessions=10, length=8)
    model = PairRules(half_life_s=86_400, frequent=1, singles=singles, pairs=pairs, sessions=sessions)
    held = []
    for n in range(1_000):
        for place in range(6):
            model.learn_view(f"s:{n}", f"i{(n * 7 + place * (n % 3)) % 307}", n)
        held.append(model.held())
    assert {each["singles"] for each in held[100:]} == {30}
    assert {each["pairs"] for each in held[100:]} == {40}
    assert {each["sessions"] for each in held[100:]} == {10}
    assert max(each["single_rules"] for each in held) <= 30 * 2 * 4
    assert max(each["pair_rules"] for each in held) <= 40 * 2 * 3
