"""The checks see what they forbid: each fails for a model with the fault it is there to find."""

from typing import Any

import msgspec
import pytest

from online_models.business_rules import BusinessRules
from online_models.catalog import Model, StoreMaker
from online_models.checks import (
    CheckFailedError,
    check_answer,
    check_bounded,
    check_deterministic,
    check_filtered,
    check_keys,
    check_lists,
    check_round_trips,
)
from online_models.memory_views import MemoryViews
from online_models.protocols import Answer, Request
from schemas.business_rules import BusinessRule
from schemas.messages import Event, ItemFacts
from schemas.recommendations import RecommendedItem
from schemas.settings import RecommendSettings
from schemas.state import GuestChunk, HistoryRow, ItemMark
from tests.contracts.event_logs import DEFAULTS, events


class _Counting:
    """Breaks the contract in the way that it is told."""

    def __init__(self, store: StoreMaker, fault: str) -> None:
        self._rows = store("h", GuestChunk)
        self._fault = fault

    def key(self, x: Event) -> str:
        return x.key

    def learn_one(self, x: Event) -> Any:
        row = self._rows.get(x.key) or GuestChunk([])
        row.keys.append(x.kind)
        self._rows.put(x.key, row)
        if self._fault == "touches another row":
            self._rows.put("u:other", row)
        if self._fault == "is a generator":
            return (kind for kind in row.keys)
        if self._fault == "changes after put":
            row.keys.append("late")
        return [x.kind]


def a_faulty_model(fault: str) -> Model:
    return Model(lambda store, _: _Counting(store, fault), "h", {}, lambda *_: {"h": 40})


@pytest.mark.parametrize(
    ("fault", "check", "seen"),
    [
        ("touches another row", check_keys, "touched 'u:other'"),
        ("is a generator", check_lists, "returned a generator"),
        ("changes after put", check_round_trips, "changed and not put"),
    ],
)
def test_the_checks_see_what_they_forbid(fault: str, check: Any, seen: str) -> None:
    log = events("small", 50)
    with pytest.raises(CheckFailedError, match=seen):
        check(a_faulty_model(fault), log, DEFAULTS)


def test_the_check_of_bounds_sees_a_row_that_grows() -> None:
    with pytest.raises(CheckFailedError, match="the bound is 40"):
        check_bounded(a_faulty_model("none"), events("small", 200), DEFAULTS, id_bytes=16)


def test_the_check_of_repetition_sees_state_that_is_not_the_models() -> None:
    shared: list[int] = []

    class _Remembering(_Counting):
        def learn_one(self, x: Event) -> Any:
            shared.append(x.at)
            return [len(shared)]

    model = Model(lambda store, _: _Remembering(store, ""), "h", {}, lambda *_: {})
    with pytest.raises(CheckFailedError, match="two runs over one log differ"):
        check_deterministic(model, events("small", 50), DEFAULTS)


def places(*named: tuple[str, float], **changes: Any) -> Answer:
    reasons = changes.get("reasons", [{"source": "popularity"}])
    items = [
        RecommendedItem(item, changes.get("rank", n), score, changes.get("propensity"), reasons)
        for n, (item, score) in enumerate(named, 1)
    ]
    return Answer(items, None)


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (places(("a", 0.9), ("b", 0.8), ("c", 0.7)), "3 items; at most 2"),
        (places(("a", 0.9), ("a", 0.8)), "twice"),
        (places(("a", 0.9), rank=2), "ranks are"),
        (places(("a", 0.8), ("b", 0.9)), "not sorted"),
        (places(("b", 0.9), ("a", 0.9)), "not sorted"),
        (places(("a", 1.1)), "scores 1.1"),
        (places(("a", 0.9), reasons=[]), "one at least"),
        (places(("a", 0.9), reasons=[{"value": 1}]), "each with its source"),
        (places(("a", 0.9), propensity=1.0), "the propensity 1.0 where explore is 0"),
    ],
)
def test_the_check_of_answers_sees_what_is_wrong_with_a_list(answer: Answer, seen: str) -> None:
    asked, plain = Request(history=None, now=0, k=2), RecommendSettings()
    check_answer(places(("a", 0.9), ("b", 0.9)), asked, plain)
    with pytest.raises(CheckFailedError, match=seen):
        check_answer(answer, asked, plain)


@pytest.mark.parametrize("name", ["diversity", "max_per_category", "max_popularity_lift"])
def test_the_check_of_answers_takes_another_order_where_a_setting_wants_it(name: str) -> None:
    asked, using = Request(history=None, now=0, k=2), msgspec.convert({name: 1}, RecommendSettings)
    check_answer(places(("a", 0.8), ("b", 0.9)), asked, using)
    with pytest.raises(CheckFailedError, match="twice"):
        check_answer(places(("a", 0.9), ("a", 0.8)), asked, using)


@pytest.mark.parametrize("propensity", [None, 0.0, 1.1])
def test_the_check_of_answers_wants_propensities_of_lists_that_are_explored(propensity: float | None) -> None:
    asked, exploring = Request(history=None, now=0, k=2), RecommendSettings(explore=0.1)
    check_answer(places(("a", 0.8), ("b", 0.9), propensity=0.05), asked, exploring)
    with pytest.raises(CheckFailedError, match=f"'a' has the propensity {propensity} where explore is 0.1"):
        check_answer(places(("a", 0.9), propensity=propensity), asked, exploring)


@pytest.mark.parametrize(
    ("item", "seen"),
    [
        ("left out", "excluded"),
        ("disliked", "disliked"),
        ("sold out", "unavailable"),
        ("had", "bought or rated"),
        ("recalled", "against a rule"),
        ("looked at", "looked at lately"),
    ],
)
def test_the_check_of_filters_sees_what_may_not_be_shown(item: str, seen: str) -> None:
    recalled = BusinessRules([BusinessRule(name="r", action="exclude", items=("recalled",))])
    sold_out = ItemFacts("sold out", None, [], None, None, [], False, 0)
    views = MemoryViews(items=[sold_out], rules=recalled)
    marks = {"disliked": ItemMark(0, 0, had=True, disliked=True), "had": ItemMark(1, 0, had=True)}
    marks["looked at"] = ItemMark(1, 0)
    request = Request(history=HistoryRow(marks), now=0, exclude=frozenset({"left out"}))
    using = RecommendSettings(seen="exclude")
    check_filtered(places(("new", 0.9)), request, views, using)
    with pytest.raises(CheckFailedError, match=seen):
        check_filtered(places((item, 0.9)), request, views, using)
    if item == "had":
        check_filtered(places((item, 0.9)), request, views, RecommendSettings(repeat_purchases=True))
