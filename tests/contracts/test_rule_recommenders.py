"""Recommenders of rules against the contract, over what they learned of a simulated shop."""

from collections.abc import Callable

import pytest

from online_models.business_rules import BusinessRules
from online_models.catalog import STEPS
from online_models.checks import check_recommender
from online_models.checks.doubles import Memory
from online_models.cross_rules import CrossRules
from online_models.memory_views import MemoryViews
from online_models.pair_rules import PairRules
from online_models.protocols import Request
from online_models.rule_recommender import RuleRecommender
from schemas.business_rules import BusinessRule
from schemas.messages import ItemFacts
from schemas.settings import RecommendSettings, Settings
from schemas.state import HistoryRow
from tests.contracts.event_logs import COUNT, PRESETS_IN_TURN, events

MODELS: dict[str, Callable[[], CrossRules | PairRules]] = {
    "cross-rules": CrossRules,
    "cross-rules-confidence": lambda: CrossRules("confidence"),
    "cross-rules-lift": lambda: CrossRules("lift"),
    "pair-rules": PairRules,
}
REPEATING = RecommendSettings(repeat_purchases=True, max_recent=0, max_reasons=1)
EXPLORING = RecommendSettings(diversity=0.3, max_per_category=4, max_popularity_lift=1.5, explore=0.2)
USING = {
    "defaults": Settings(),
    "repeating": Settings(recommend=REPEATING),
    "exploring": Settings(recommend=EXPLORING),
}


def a_shop(preset: str) -> tuple[MemoryViews, dict[str, HistoryRow]]:
    """What is available in a simulated shop, and what its customers did."""
    memory = Memory()
    step = STEPS["history"].make(memory.make, Settings())
    for event in events(preset, COUNT):
        step.learn_one(event)
    rows = memory.make("h", HistoryRow)
    histories = {key[1:]: row for key in memory.rows() if key[0] == "h" and (row := rows.get(key[1:]))}
    items = [ItemFacts(f"i{n:05}", None, [f"c{n % 3}"], None, None, [], n % 7 != 0, 0) for n in range(40)]
    return MemoryViews(items=items), histories


def taught(name: str, preset: str) -> CrossRules | PairRules:
    model = MODELS[name]()
    for event in events(preset, COUNT):
        model.learn_one(event)
    return model


@pytest.mark.parametrize("using", USING)
@pytest.mark.parametrize("preset", PRESETS_IN_TURN)
@pytest.mark.parametrize("name", MODELS)
def test_recommenders_of_rules_keep_the_contract(name: str, preset: str, using: str) -> None:
    (views, histories), settings = a_shop(preset), USING[using]
    now = events(preset, COUNT)[-1].at
    named, nothing = frozenset(f"i{n:05}" for n in range(0, 40, 5)), frozenset[str]()
    requests = [
        Request(history=history, now=now, key=key, k=k, exclude=exclude, seed=f"{key}:{k}")
        for key, history in [("", None), ("u:new", HistoryRow()), *histories.items()]
        for k, exclude in ((10, nothing), (3, named), (100, named), (0, nothing))
    ]
    check_recommender(
        lambda: RuleRecommender(taught(name, preset), views, settings), views, requests, settings.recommend
    )


@pytest.mark.parametrize("name", MODELS)
def test_lists_of_rules_tell_the_rules_behind_each_item(name: str) -> None:
    views, histories = a_shop("small")
    recommender = RuleRecommender(taught(name, "small"), views, Settings())
    now = events("small", COUNT)[-1].at
    answers = [
        recommender.recommend(Request(history=row, now=now, key=key)) for key, row in histories.items()
    ]
    told = [reason for answer in answers for place in answer.items for reason in place.reasons]
    assert len(told) > 20
    source = "pair-rules" if name == "pair-rules" else "cross-rules"
    assert {reason["source"] for reason in told} == {source}
    behind = [reason["item_ids"] if source == "pair-rules" else [reason["item_id"]] for reason in told]
    assert {len(items) for items in behind} == ({1, 2} if source == "pair-rules" else {1})
    assert all("confidence" in reason and "count" in reason for reason in told)


def test_what_the_shop_pins_and_excludes_is_so_in_a_list_of_rules() -> None:
    model, now = taught("pair-rules", "small"), events("small", COUNT)[-1].at
    _, histories = a_shop("small")
    row = max(histories.values(), key=lambda each: each.behaviour.events)
    request = Request(history=row, now=now, key="u:x", k=5)
    before = RuleRecommender(model, MemoryViews(), Settings()).recommend(request).items
    best = before[0].item_id
    shop = BusinessRules(
        [
            BusinessRule(name="off", action="exclude", items=(best,)),
            BusinessRule(name="of the week", action="pin", items=("new",), position=2),
        ]
    )
    after = RuleRecommender(model, MemoryViews(rules=shop), Settings()).recommend(request).items
    assert best not in [place.item_id for place in after]
    assert (after[1].item_id, after[1].rank) == ("new", 2)
    assert after[1].reasons == [{"source": "business", "rule": "of the week"}]
    assert [place.rank for place in after] == [1, 2, 3, 4, 5]
