"""Content as a source: a shop in which it is known what is like what."""

import pytest

from online_models.catalog import RECOMMENDERS
from online_models.content import content_index
from online_models.content_contender import ContentContender
from online_models.content_index import ContentIndex
from online_models.evaluation.contract import Query
from online_models.evaluation.in_process import InProcess
from online_models.memory_views import MemoryViews
from online_models.protocols import Request
from schemas.messages import Event, ItemFacts, Line
from schemas.settings import ContentSettings, RecommendSettings, Settings
from tests.online_models.shop_views import NOW, ask, bought, history, ids, ranker_weights, viewed, warm

KETTLES, TEAS = [f"kettle {n}" for n in range(4)], [f"tea {n}" for n in range(4)]
SHOP = [
    ItemFacts(name, name[:-2].title(), [name[:-2]], "Acme" if name[-1] == "1" else None, 9.0, [], True, 0)
    for name in [*KETTLES, *TEAS]
]


def shop(*rows: ItemFacts, using: Settings | None = None) -> MemoryViews:
    index = content_index(using or Settings())
    assert index is not None
    for facts in [*SHOP, *rows]:
        index.learn_one(facts)
    return MemoryViews(items=[*SHOP, *rows], content=index)


def test_an_item_that_nobody_acted_on_is_recommended_with_what_it_is_like_and_why() -> None:
    answer = ask(shop(), history(**{"tea 1": viewed()}), k=3)
    assert ids(answer) == ["tea 1", "tea 0", "tea 2"]
    place = next(place for place in answer.items if place.item_id == "tea 0")
    assert place.reasons[0] == {
        "source": "content",
        "item_id": "tea 1",
        "similarity": pytest.approx(0.8, abs=0.15),
        "attributes": ["category:tea", "word:tea", "price:8-11.3"],
    }


def test_each_place_names_the_one_of_the_items_that_it_is_like() -> None:
    answer = ask(shop(), history(**{"kettle 0": bought(), "tea 1": bought()}))
    told = {place.item_id: place.reasons[0]["item_id"] for place in answer.items}
    assert {item: like[:3] for item, like in told.items() if item != "kettle 1"} == {
        item: item[:3] for item in [*KETTLES[2:], "tea 0", *TEAS[2:]]
    }


def test_newer_actions_weigh_more() -> None:
    answer = ask(shop(), history(**{"kettle 0": bought(NOW - 86_400_000), "tea 0": bought()}), k=3)
    assert sorted(ids(answer)) == TEAS[1:]


@pytest.mark.parametrize(
    "using",
    [Settings(recommend=RecommendSettings(content_weight=0.0)), Settings(content=ContentSettings(held=0))],
)
def test_switched_off_it_holds_nothing_and_says_nothing(using: Settings) -> None:
    assert content_index(using) is None
    views = MemoryViews(items=SHOP, content=None)
    assert ids(ask(views, history(**{"tea 1": bought()}), using=using)) == []


def test_what_is_disliked_or_had_is_not_proposed_and_a_dislike_asks_for_nothing() -> None:
    row = history(**{"tea 1": bought(), "kettle 1": viewed()})
    row.items["kettle 1"].disliked = True
    assert set(ids(ask(shop(), row))) == {"tea 0", "tea 2", "tea 3"} | {"kettle 0", "kettle 2", "kettle 3"}
    # Kettles are only there by their price and, one of them, by its brand.
    assert set(ids(ask(shop(), row, k=3))) == {"tea 0", "tea 2", "tea 3"}


def test_a_new_item_is_in_lists_that_a_ranker_orders() -> None:
    views = shop(ItemFacts("tea new", "Tea", ["tea"], None, 9.0, [], True, 1))
    views.ranker_weights = ranker_weights()
    recommender = RECOMMENDERS["blend"](views, warm(Settings()))
    answer = recommender.recommend(Request(history=history(**{"tea 0": bought()}), now=NOW, k=3))
    assert ids(answer) == ["tea 2", "tea 3", "tea new"]


def test_the_house_recommends_an_item_from_the_moment_it_is_told_of() -> None:
    house = InProcess(Settings())
    for facts in SHOP:
        house.learn_item(facts)
    house.learn_one(Event("u:a", "view", NOW, "browses", 0, 0, NOW, NOW, lines=[Line("tea 0", ["tea"])]))
    row = history(**{"tea 0": viewed()})
    house.learn_item(ItemFacts("tea new", "Tea", ["tea"], None, 9.0, [], True, NOW))
    found = house.rank(Query(key="u:a", now=NOW, k=5, history=row))
    assert "tea new" in [item for item, _ in found]


def test_alone_it_ranks_by_similarity_and_leaves_out_what_is_excluded() -> None:
    model = ContentContender(Settings())
    for facts in SHOP:
        model.learn_item(facts)
    query = Query(
        key="u:a", now=NOW, k=2, history=history(**{"tea 1": bought()}), exclude=frozenset(["tea 1"])
    )
    assert [item for item, _ in model.rank(query)] == ["tea 0", "tea 2"]
    assert model.rank(Query(key="u:b", now=NOW, k=2)) == []


def test_an_empty_catalogue_costs_nothing_and_says_nothing() -> None:
    views = MemoryViews(content=ContentIndex(items=9))
    assert ids(ask(views, history(**{"tea 1": bought()}))) == []
