"""The blend: known answers on small shops, and what must hold for every shop, customer and setting."""

from math import exp

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models import features
from online_models.memory_views import MemoryViews
from online_models.protocols import Answer, Request
from online_models.recommender import BlendRecommender, blend_scores
from schemas.messages import WEIGHT_ONE
from schemas.settings import Settings
from schemas.state import Behaviour, HistoryRow, ItemMark
from tests.online_models.shop_views import (
    NOW,
    a_rule,
    any_settings,
    ask,
    bought,
    facts,
    history,
    ids,
    marks_of,
    partners,
    reachable,
    requests,
    segments,
    settings,
    shops,
    viewed,
    warm,
    warm_shops,
)


def two_tastes() -> MemoryViews:
    """Ten items of each taste, each similar to all of its own taste; popular are those of both."""
    tastes = [[f"{taste}{n}" for n in range(10)] for taste in "ab"]
    rows = [
        partners(item, [(other, 0.8, 45.0) for other in taste if other != item])
        for taste in tastes
        for item in taste
    ]
    leaders = [(item, 50.0 - n) for n, item in enumerate(tastes[1] + tastes[0])]
    return MemoryViews(neighbours=rows, popular={"all": leaders})


@pytest.mark.parametrize("taste", ["a", "b"])
def test_lists_hold_only_items_of_the_customers_taste(taste: str) -> None:
    row = history(**{f"{taste}0": viewed(), f"{taste}1": bought()})
    assert {item[0] for item in ids(ask(two_tastes(), row, k=9))} == {taste}


def test_customers_diverge_after_one_event() -> None:
    views = two_tastes()
    anna, bert = history(a0=viewed(NOW - 60_000)), history(a0=viewed(NOW - 60_000))
    assert ask(views, anna) == ask(views, bert)
    bert.items["b0"] = viewed()
    assert sum(item.startswith("b") for item in ids(ask(views, bert, k=9))) > 4
    assert not any(item.startswith("b") for item in ids(ask(views, anna, k=9)))


def test_score_and_reasons_carry_the_numbers_worked_out_by_hand() -> None:
    views = MemoryViews(
        neighbours=[
            partners(
                "tea",
                [("cup", 0.5, 5.0)],
                orders=[a_rule("cup", 0.4, 15.0)],
                sessions=[a_rule("cup", 0.9, 9.0, lift=0.9)],
            )
        ],
        popular={"all": [("tea", 4.0), ("cup", 3.0)]},
    )
    using = settings(similarity_weight=0.9, rules_weight=0.6, popularity_weight=0.1)
    place = ask(views, history(tea=bought()), using=using).items[0]
    # Bought now: strength 4 / 5. Significance of 5 is 1 / 2, of 15 it is 3 / 4.
    evidence = 0.8 * 0.9 * 0.5 * 0.5 + 0.8 * 0.6 * 0.4 * 0.75 + 0.1 * 3 / 4
    assert (place.item_id, place.rank, place.propensity) == ("cup", 1, None)
    assert place.score == pytest.approx(1 - exp(-evidence), abs=1e-6)
    assert place.reasons == [
        {"source": "similarity", "item_id": "tea", "similarity": 0.5},
        {
            "source": "rules",
            "item_id": "tea",
            "scope": "orders",
            "count": 15.0,
            "support": 0.01,
            "confidence": 0.4,
            "lift": 2.0,
        },
        {"source": "popularity", "scope": "all", "value": 3.0},
    ]


def test_items_looked_at_come_back_with_their_age() -> None:
    answer = ask(MemoryViews(), history(old=viewed(NOW - 90_500), had=bought(), new=viewed(NOW + 5_000)))
    assert [(place.item_id, place.reasons) for place in answer.items] == [
        ("new", [{"source": "recent", "item_id": "new", "seconds_ago": 0}]),
        ("old", [{"source": "recent", "item_id": "old", "seconds_ago": 90}]),
    ]


def test_items_looked_at_take_no_more_than_their_places() -> None:
    row = history(**{f"seen{n}": viewed() for n in range(8)})
    views = MemoryViews(popular={"all": [(f"new{n}", 9.0) for n in range(9)]})
    for places in (0, 2, 8):
        answer = ids(ask(views, row, using=settings(max_recent=places)))
        assert sum(item.startswith("seen") for item in answer) == places
        assert len(answer) == min(10, 9 + places)


def test_ties_are_broken_by_item_id() -> None:
    views = MemoryViews(popular={"all": [(item, 2.0) for item in ("pot", "cup", "tea", "jam")]})
    assert ids(ask(views, None)) == ["cup", "jam", "pot", "tea"]
    assert ids(ask(views, None, k=2)) == ["cup", "jam"]


def test_scores_that_look_the_same_are_a_tie() -> None:
    views = MemoryViews(popular={"all": [("b", 1.0), ("a", 1.0 - 1e-9)]})
    answer = ask(views, None)
    assert ids(answer) == ["a", "b"]
    assert answer.items[0].score == answer.items[1].score


def test_strangers_get_what_is_popular() -> None:
    views = MemoryViews(popular={"all": [("tea", 4.0), ("cup", 3.0)]})
    answer = ask(views, None)
    assert ids(answer) == ["tea", "cup"]
    assert answer.segment is None
    assert answer.items[1].reasons == [{"source": "popularity", "scope": "all", "value": 3.0}]


def test_an_empty_shop_has_empty_lists() -> None:
    assert ask(MemoryViews(), None) == Answer([], None)
    assert ask(MemoryViews(), HistoryRow()) == Answer([], None)


def test_items_popular_in_the_newest_categories_come_first() -> None:
    leaders = [(f"x{n}", 100.0) for n in range(5)]
    views = MemoryViews(
        popular={"all": leaders, "category:teas": [("mint", 3.0)]}, items=[facts("tea", ["teas"])]
    )
    answer = ask(views, history(tea=bought()), k=3, using=settings(category_weight=1.0))
    assert answer.items[0].item_id == "mint"
    assert answer.items[0].reasons == [{"source": "popularity", "scope": "category:teas", "value": 3.0}]


def test_a_customer_is_offered_what_the_segment_likes() -> None:
    behaviour = Behaviour(events=3, views=3, sessions=1, first_at=NOW - 9_000, last_at=NOW)
    here = features.vector(behaviour)
    centroids = segments([("jam", 5.0)], [("tea", 5.0)], centres=[[x + 9 for x in here], here])
    views = MemoryViews(centroids=centroids)
    answer = ask(views, HistoryRow(behaviour=behaviour))
    assert answer.segment == "1"
    assert [place.reasons for place in answer.items] == [
        [{"source": "popularity", "scope": "segment:1", "value": 5.0}]
    ]


def test_a_segment_of_which_nothing_is_known_offers_nothing() -> None:
    behaviour = Behaviour(events=1, views=1, sessions=1, first_at=NOW, last_at=NOW)
    centroids = segments(centres=[features.vector(behaviour)])
    views = MemoryViews(centroids=centroids, popular={"all": [("tea", 1.0)]})
    answer = ask(views, HistoryRow(behaviour=behaviour))
    assert (answer.segment, ids(answer)) == ("0", ["tea"])


def test_without_behaviour_there_is_no_segment() -> None:
    centroids = segments([("jam", 5.0)], centres=[features.vector(Behaviour())])
    assert ask(MemoryViews(centroids=centroids), history(tea=viewed())).segment is None


def test_a_list_is_filled_from_categories_when_the_leaders_are_used_up() -> None:
    had = {f"x{n}": bought() for n in range(5)}
    views = MemoryViews(
        popular={
            "all": [(item, 8.0) for item in had],
            "category:teas": [("mint", 4.0), ("sage", 2.0)],
            "category:pots": [("pot", 1.0)],
        },
        items=[facts("x0", ["teas"]), facts("sage", ["pots"])],
    )
    using = settings(popularity_weight=0.1, category_weight=0.0)
    answer = ask(views, HistoryRow(dict(had)), using=using)
    scores = blend_scores(0.1 * np.array([4.0, 2.0, 1.0]) / 8).tolist()
    found = [(place.item_id, place.score) for place in answer.items]
    assert found == list(zip(("mint", "sage", "pot"), scores, strict=True))
    assert answer.items[2].reasons == [{"source": "popularity", "scope": "category:pots", "value": 1.0}]


def test_repeat_purchases_can_be_wanted() -> None:
    views = MemoryViews(popular={"all": [("tea", 4.0)]})
    row = history(tea=bought(), jam=ItemMark(0, NOW, had=True, disliked=True))
    assert ids(ask(views, row)) == []
    assert ids(ask(views, row, using=settings(repeat_purchases=True))) == ["tea"]


@given(shops() | warm_shops(), requests(), any_settings().flatmap(lambda x: st.sampled_from([x, warm(x)])))
def test_what_is_filtered_never_leaks(views: MemoryViews, request: Request, using: Settings) -> None:
    places = BlendRecommender(views, using).recommend(request).items
    looked_at = 0
    for place in places:
        mark = marks_of(request).get(place.item_id)
        known = views.item(place.item_id)
        assert place.item_id not in request.exclude
        assert known is None or known.available
        if mark is not None:
            assert not mark.disliked
            assert using.recommend.repeat_purchases or not mark.had
            looked_at += not mark.had
    assert looked_at <= using.recommend.max_recent
    assert len({place.item_id for place in places}) == len(places) <= request.k


@given(shops(), requests(), any_settings())
def test_lists_are_ranked_and_every_item_has_its_reasons(
    views: MemoryViews, request: Request, using: Settings
) -> None:
    places = BlendRecommender(views, using).recommend(request).items
    assert [place.rank for place in places] == list(range(1, len(places) + 1))
    assert places == sorted(places, key=lambda place: (-place.score, place.item_id))
    for place in places:
        assert 0 <= place.score <= 1
        assert place.score == round(place.score, 6)
        assert 1 <= len(place.reasons) <= using.recommend.max_reasons


@given(shops(), requests(), any_settings())
def test_a_list_is_short_only_when_nothing_eligible_is_left(
    views: MemoryViews, request: Request, using: Settings
) -> None:
    places = BlendRecommender(views, using).recommend(request).items
    marks, wanted = marks_of(request), using.recommend
    known = reachable(views, request, using)
    eligible = {
        item
        for item in known - request.exclude
        if (found := views.item(item)) is None or found.available
        if item not in marks
        or not (marks[item].disliked or (marks[item].had and not wanted.repeat_purchases))
    }
    looked_at = {item for item in eligible if item in marks and not marks[item].had}
    most = len(eligible - looked_at) + min(wanted.max_recent, len(looked_at))
    assert min(request.k, most) <= len(places) <= request.k


@given(shops(), st.lists(requests(), min_size=2, max_size=4), any_settings())
def test_an_answer_depends_on_the_question_alone(
    views: MemoryViews, asked: list[Request], using: Settings
) -> None:
    others = ("content_index", "rules")
    published = {name: rows for name, rows in views.__dict__.items() if name not in others}
    before = msgspec.msgpack.encode([published, asked])
    warm = BlendRecommender(views, using)
    answers = [warm.recommend(request) for request in asked]
    assert [BlendRecommender(views, using).recommend(request) for request in reversed(asked)] == answers[::-1]
    assert msgspec.msgpack.encode([published, asked]) == before


def test_a_new_row_of_a_view_shows_in_the_next_answer() -> None:
    views = MemoryViews(neighbours=[partners("tea", [("cup", 0.5, 5.0)])])
    recommender = BlendRecommender(views, Settings())
    request = Request(history=history(tea=bought()), now=NOW)
    assert ids(recommender.recommend(request)) == ["cup"]
    views.neighbour_rows["tea"] = partners("tea", [("pot", 0.5, 5.0)])
    views.popular_scopes["all"] = [("jam", 1.0)]
    assert ids(recommender.recommend(request)) == ["pot", "jam"]


_range = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted)


@given(_range, _range, st.integers(0, 9), st.booleans())
def test_more_evidence_never_lowers_a_score(
    values: list[float], counts: list[float], weight: int, rules: bool
) -> None:
    def score(value: float, count: float, weight: int, age_ms: int) -> float:
        similar = [] if rules else [("cup", value, 99 * count)]
        row = partners("tea", similar, orders=[a_rule("cup", value, 99 * count)] if rules else [])
        popular = {"all": [("pot", 10.0), ("cup", value)]}
        mark = ItemMark(weight * WEIGHT_ONE, NOW - age_ms, had=True)
        answer = ask(MemoryViews(neighbours=[row], popular=popular), history(tea=mark))
        return next(place.score for place in answer.items if place.item_id == "cup")

    (low, high), (few, many) = values, counts
    base = score(low, few, weight, 1_000)
    assert base <= score(high, few, weight, 1_000)
    assert base <= score(low, many, weight, 1_000)
    assert base <= score(low, few, weight + 1, 1_000)
    assert base <= score(low, few, weight, 0)
