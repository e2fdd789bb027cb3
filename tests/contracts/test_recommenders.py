"""Every recommender against the contract, over what the models learned of simulated shops."""

from typing import Any, NamedTuple

import pytest

from online_models.catalog import RECOMMENDERS, STEPS
from online_models.checks import check_recommender
from online_models.checks.doubles import Memory
from online_models.content_index import ContentIndex
from online_models.landmarks import counts_by_key
from online_models.memory_views import MemoryViews
from online_models.popularity import PopularityStep, merge
from online_models.protocols import Request, Store
from online_models.publishing import counts, neighbours
from schemas.messages import ItemFacts, Neighbours, Totals
from schemas.settings import RankerSettings, RecommendSettings, Settings
from schemas.state import HistoryRow, PopularityRow, RuleRow, TotalsRow
from tests.contracts.event_logs import COUNT, PRESETS_IN_TURN, events, log_for, taught

COLD, WARM = (RankerSettings(warm_up=most, tries_per_s=0) for most in (10_000, 100))
REPEATING = RecommendSettings(repeat_purchases=True, max_recent=0, max_reasons=1)
DIVERSE = RecommendSettings(diversity=0.3, max_per_category=4, max_popularity_lift=1.5, max_recent=2)
EXPLORING = RecommendSettings(diversity=0.3, max_per_category=4, max_popularity_lift=1.5, explore=0.2)
USING = {
    "cold": Settings(ranker=COLD),
    "cold and repeating": Settings(ranker=COLD, recommend=REPEATING),
    "warm": Settings(ranker=WARM),
    "cold and diverse": Settings(ranker=COLD, recommend=DIVERSE),
    "cold and exploring": Settings(ranker=COLD, recommend=EXPLORING),
    "warm and repeating": Settings(ranker=WARM, recommend=REPEATING),
    "warm and diverse": Settings(ranker=WARM, recommend=DIVERSE),
    "warm and exploring": Settings(ranker=WARM, recommend=EXPLORING),
}


ASKED = ("history", "rules", "popularity", "segments", "clusters", "ranker")
"""Models that lists are made of."""


class Shop(NamedTuple):
    """What the models learned of a simulated shop, as the recommender sees it, and the histories by key."""

    views: MemoryViews
    histories: dict[str, HistoryRow]
    now: int


def a_shop(preset: str, settings: Settings) -> Shop:
    """Let all that lists are made of learn a shop, and publish it."""
    memory = Memory()
    steps: dict[str, Any] = {}
    for name in ASKED:
        steps[name] = STEPS[name].make(memory.make, settings)
        for x in log_for(name, preset, COUNT, settings):
            steps[name].learn_one(x)
    rows: Store[HistoryRow] = memory.make("h", HistoryRow)
    kept = {key[1:]: row for key in memory.rows() if key[0] == "h" and (row := rows.get(key[1:]))}
    items = [ItemFacts(f"i{n:05}", None, [f"c{n % 3}"], None, None, [], n % 7 != 0, 0) for n in range(40)]
    content = ContentIndex(items=30)
    for facts in items:
        content.learn_one(facts)
    views = MemoryViews(
        neighbours=all_neighbours(memory, settings),
        popular=all_popular(memory, preset, settings),
        items=items,
        centroids=steps["clusters"].centroids(),
        sessions=taught(preset, COUNT, settings).views.sessions(),
        ranker=steps["ranker"].weights(),
        content=content,
    )
    return Shop(views, kept, events(preset, COUNT)[-1].at)


def all_neighbours(memory: Memory, settings: Settings) -> list[Neighbours]:
    rules, totals = memory.make("r", RuleRow), memory.make("t", TotalsRow).get("totals")
    assert totals is not None
    _, orders, sessions = totals.totals
    n = [Totals(0, totals.epoch, (0, orders, sessions), totals.newest_at)]
    rows = {key[1:]: row for key in memory.rows() if key[0] == "r" and (row := rules.get(key[1:]))}
    own = {item: counts(item, row) for item, row in rows.items()}
    return [neighbours(item, row, counts_by_key(own.values()), n, settings) for item, row in rows.items()]


def all_popular(memory: Memory, preset: str, settings: Settings) -> dict[str, list[tuple[str, float]]]:
    now = events(preset, COUNT)[-1].at
    leaders = memory.make("l", PopularityRow)
    step = PopularityStep(memory.make("i", PopularityRow), leaders, settings)
    scopes = [key[1:] for key in memory.rows() if key[0] == "l"]
    return {scope: merge([row], now, settings) for scope in scopes if (row := step.popular(scope, 0))}


@pytest.mark.parametrize("using", USING)
@pytest.mark.parametrize("preset", PRESETS_IN_TURN)
@pytest.mark.parametrize("name", RECOMMENDERS)
def test_every_recommender_keeps_the_contract(name: str, preset: str, using: str) -> None:
    settings = USING[using]
    shop = a_shop(preset, settings)
    known = shop.views.ranker()
    assert known is not None
    assert (known.learned >= settings.ranker.warm_up) == using.startswith("warm")
    named = frozenset(list(shop.views.neighbour_rows)[::5])
    nothing: frozenset[str] = frozenset()
    requests = [
        Request(history=history, now=shop.now, key=key, k=k, exclude=exclude, seed=f"{key}:{k}")
        for key, history in [("", None), ("u:new", HistoryRow()), *shop.histories.items()]
        for k, exclude in ((10, nothing), (3, named), (100, named), (0, nothing))
    ]
    check_recommender(
        lambda: RECOMMENDERS[name](shop.views, settings), shop.views, requests, settings.recommend
    )


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            Settings(ranker=COLD),
            {"similarity", "rules", "popularity", "recent", "content", "social", "users"},
        ),
        (
            Settings(ranker=WARM),
            {"session", "similarity", "rules", "popularity", "recent", "content", "social", "users"},
        ),
    ],
)
def test_the_lists_of_a_shop_are_full_and_speak_of_more_than_popularity(
    settings: Settings, told: set[str]
) -> None:
    shop = a_shop("small", settings)
    recommender = RECOMMENDERS["blend"](shop.views, settings)
    answers = [
        recommender.recommend(Request(history=row, now=shop.now, key=key))
        for key, row in shop.histories.items()
    ]
    assert {len(answer.items) for answer in answers} == {10}
    sources = {reason["source"] for answer in answers for place in answer.items for reason in place.reasons}
    assert sources == told
    assert {answer.segment for answer in answers} > {None}
