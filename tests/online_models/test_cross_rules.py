"""Rules from browses to purchases: equal to a recount, true in a shop with a known answer, flat in memory."""

import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.counted_rows import CountedRows
from online_models.cross_counts import CrossCounts
from online_models.cross_rules import CrossRules
from online_models.decay import Decay
from online_models.evaluation.contract import Query
from online_models.rule_measures import log_likelihood_ratio
from online_models.visits import Visits
from schemas.messages import Event
from tests.online_models.evaluation.events import act

ITEMS = "abcde"
GAP_MS = 30 * 60_000
DAY_MS = 86_400_000

Acts = list[tuple[int, str, str, int]]
LOGS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["view", "cart", "purchase", "rating"]),
        st.sampled_from(ITEMS),
        st.sampled_from([0, 1_000, GAP_MS, GAP_MS + 1]),
    ),
    max_size=40,
)
"""Who did what with which item, so long after the event before."""


def asked(model: CrossRules, *browsed: str, k: int = 9, now: int = 0) -> list[str]:
    return [item for item, _ in model.rank(Query(key="s:nobody", now=now, k=k, session=list(browsed)))]


def events_of(acts: Acts) -> list[Event]:
    at, made = 0, []
    for who, kind, item, later in acts:
        at += later
        made.append(act(f"u:{who}", item, at, kind=kind))
    return made


def visits_of(log: list[Event]) -> list[list[Event]]:
    """Cut a log into visits by the gap, from the definition."""
    found: list[list[Event]] = []
    for key in {event.key for event in log}:
        last = None
        for event in log:
            if event.key != key or event.kind == "rating":
                continue
            if last is None or event.at - last > GAP_MS:
                found.append([])
            found[-1].append(event)
            last = event.at
    return found


@given(LOGS)
def test_counts_equal_a_recount(acts: Acts) -> None:
    log = events_of(acts)
    model = CrossRules(half_life_s=0, window_s=0)
    for event in log:
        model.learn_one(event)
    both, browsed, bought = Counter[tuple[str, str]](), Counter[str](), Counter[str]()
    for visit in visits_of(log):
        items = [(event.lines[0].item, event.kind == "purchase") for event in visit]
        browsed.update({item for item, buys in items if not buys})
        bought.update({item for item, buys in items if buys})
        for item in {item for item, buys in items if buys}:
            first = items.index((item, True))
            both.update((earlier, item) for earlier in {each for each, buys in items[:first] if not buys})
    for one in ITEMS:
        for other in ITEMS:
            expected = (both[one, other], browsed[one], bought[other], len(visits_of(log)))
            assert model.counts.table(one, other) == expected


@given(LOGS, st.sampled_from(["llr", "confidence", "lift"]))
def test_every_item_with_a_score_has_reasons_whose_numbers_are_those_of_the_table(
    acts: Acts, measure: str
) -> None:
    model = CrossRules(measure, half_life_s=0)
    for event in events_of(acts):
        model.learn_one(event)
    for item in model.scores(ITEMS):
        for reason in model.reasons(item, ITEMS, most=9):
            assert (reason["source"], reason["scope"]) == ("cross-rules", "browse-purchase")
            assert reason["same_item"] == (reason["item_id"] == item)
            if "any_item" in reason:
                assert reason["same_item"]
                continue
            table = model.counts.table(reason["item_id"], item)
            assert reason["count"] == table.pair > 0
            assert reason["confidence"] == pytest.approx(table.pair / table.n_i, rel=1e-5)
            assert reason["support"] == pytest.approx(table.pair / table.total, rel=1e-5)
            assert reason["llr"] == pytest.approx(log_likelihood_ratio(*table), rel=1e-5, abs=1e-9)


def taught(model: CrossRules, *visits: tuple[Sequence[str], Sequence[str]], at: int = 0) -> None:
    """Teach visits: what is browsed, one after another, and what is bought then."""
    for n, (browsed, bought) in enumerate(visits):
        for item in browsed:
            model.learn_one(act(f"s:{at}-{n}", item, at))
        for item in bought:
            model.learn_one(act(f"s:{at}-{n}", item, at, kind="purchase"))


@pytest.mark.parametrize("measure", ["llr", "lift"])
def test_in_a_shop_where_who_browses_one_item_buys_another_the_other_is_first(measure: str) -> None:
    chance = random.Random(3)  # noqa: S311  # no secret
    partner = {f"i{n}": f"p{n}" for n in range(20)}
    model = CrossRules(measure)
    for n in range(3_000):
        item, other = chance.choice(list(partner)), chance.choice(list(partner))
        browsed = [other, item] if chance.random() < 0.3 else [item]
        for each in browsed:
            model.learn_one(act(f"s:{n}", each, 1_000 * n))
        # More often than its partner, and whatever is browsed.
        bought = partner[item] if chance.random() < 0.4 else "best seller"
        if chance.random() < 0.7:
            model.learn_one(act(f"s:{n}", bought, 1_000 * n + 1, kind="purchase"))
    assert [asked(model, item, k=1) for item in partner] == [[other] for other in partner.values()]


def test_an_item_that_is_bought_when_browsed_is_told_apart_from_one_that_others_buy() -> None:
    model = CrossRules()
    taught(model, *[("a", "a"), ("b", "c"), ("x", ""), ("y", "")] * 20)
    assert asked(model, "a") == ["a"]
    assert asked(model, "b")[0] == "c"
    [itself], [other] = model.reasons("a", ["a"], most=3), model.reasons("c", ["b"], most=3)
    assert (itself["item_id"], itself["same_item"], itself["confidence"]) == ("a", True, 1.0)
    assert (other["item_id"], other["same_item"], other["confidence"]) == ("b", False, 1.0)


def test_of_an_item_that_nobody_bought_yet_what_is_true_of_all_is_said() -> None:
    model = CrossRules(half_life_s=0)
    taught(model, *[("a", "a"), ("b", "b"), ("c", ""), ("d", "")] * 5)
    assert asked(model, "new") == ["new"]
    assert model.reasons("new", ["new"], most=3) == [
        {
            "source": "cross-rules",
            "item_id": "new",
            "scope": "browse-purchase",
            "same_item": True,
            "any_item": True,
            "count": 10.0,
            "confidence": 0.5,
        }
    ]


def test_one_visit_makes_no_rule_between_two_items() -> None:
    model = CrossRules()
    filler = [("x", "")] * 20
    taught(model, ("a", "b"), *filler)
    assert asked(model, "a") == []
    taught(model, ("a", "b"), at=1)
    assert asked(model, "a") == ["b"]


def test_what_is_browsed_after_the_purchase_is_no_reason_for_it() -> None:
    model = CrossRules(half_life_s=0)
    for kind, item in (("purchase", "b"), ("view", "a"), ("purchase", "b")):
        model.learn_one(act("u:1", item, kind=kind))
    assert model.counts.table("a", "b") == (0, 1, 1, 1)


def test_only_browses_and_purchases_teach() -> None:
    model = CrossRules(half_life_s=0)
    for kind in ("rating", "impression", "link", "customer", "erasure"):
        model.learn_one(act("u:1", "a", kind=kind))
    assert model.counts.table("a", "a") == (0, 0, 0, 0)
    model.learn_one(act("u:1", "a", kind="cart"))
    assert model.counts.table("a", "a") == (0, 1, 0, 1)


def test_a_purchase_belongs_to_what_was_browsed_within_the_window() -> None:
    for window_s, counted in ((0, 0), (2 * 86_400, 1), (86_400, 0)):
        model = CrossRules(half_life_s=0, window_s=window_s)
        model.learn_one(act("u:1", "a", 0, session="one"))
        model.learn_one(act("u:1", "b", 2 * DAY_MS, kind="purchase", session="two"))
        assert model.counts.table("a", "b").pair == counted


def test_what_somebody_browsed_before_in_the_visit_is_asked_too() -> None:
    model = CrossRules()
    taught(model, *[("a", "p"), ("b", "q"), ("x", "")] * 10)
    model.learn_one(act("u:1", "a", 0))
    model.learn_one(act("u:1", "b", GAP_MS + 1))
    query = Query(key="u:1", now=GAP_MS + 2, k=2, session=["b"], exclude=frozenset("ab"))
    assert [item for item, _ in model.rank(query)] == ["q", "p"]


def test_what_shops_sold_long_ago_gives_way_to_what_they_sell() -> None:
    fading, lasting = CrossRules(half_life_s=86_400), CrossRules(half_life_s=0)
    for model in (fading, lasting):
        taught(model, *[("a", ["old"]), ("x", "")] * 30)
        taught(model, *[("a", ["new"]), ("x", "")] * 10, at=10 * DAY_MS)
    assert asked(fading, "a")[0] == "new"
    assert asked(lasting, "a")[0] == "old"


def test_a_measure_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="no measure 'gain'; expected one of llr, confidence, lift"):
        CrossRules("gain")


def test_memory_is_flat_on_a_stream_ten_times_longer_than_the_bounds() -> None:
    decay = Decay(86_400)
    rows, bought = CountedRows[str](decay, rows=30, entries=4), CountedRows[str](decay, rows=25)
    counts = CrossCounts(half_life_s=86_400, rows=rows, bought=bought, visits=Visits(visits=10, length=8))
    model = CrossRules(counts=counts)
    held = []
    for n in range(1_000):
        browsed = [f"i{(n * 7 + each) % 300}" for each in range(9)]
        taught(model, (browsed, [f"i{n * 5 % 250}"]), at=n)
        held.append(model.counts.held())
    assert {each["browsed"] for each in held[100:]} == {30}
    assert {each["bought"] for each in held[100:]} == {25}
    assert {each["visits"] for each in held[100:]} == {10}
    assert max(each["rules"] for each in held) <= 30 * 2 * 4
