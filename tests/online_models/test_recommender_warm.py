"""The blend once its ranker is warm: in the ranker's order, filled by evidence, with reasons of sessions."""

from collections import Counter
from math import exp, sqrt

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from online_models.filters import Filters
from online_models.memory_views import MemoryViews
from online_models.protocols import Request
from online_models.ranking import LearnedOrder, ListCandidates
from online_models.recommender import BlendRecommender, blend_scores
from schemas.settings import RankerSettings, RecommendSettings, Settings
from schemas.state import HistoryRow, ItemMark, SessionMark
from tests.online_models.shop_views import (
    NOW,
    any_settings,
    ask,
    bought,
    facts,
    history,
    ids,
    ranker_weights,
    reachable,
    requests,
    session_index,
    settings,
    viewed,
    warm,
    warm_shops,
    without_customers,
)

SOME = examples(max_examples=25)


def a_warm_shop(*sessions: str, seed: int | None = None, **leaders: float) -> MemoryViews:
    """Sessions of one-letter items, some popular items, and a ranker that has learned one lesson."""
    return MemoryViews(
        popular={"all": sorted(leaders.items(), key=lambda each: -each[1])},
        sessions=session_index(*sessions),
        ranker=ranker_weights(seed),
    )


def acting(acts: str, **marks: ItemMark) -> HistoryRow:
    return HistoryRow(dict(marks), [SessionMark(None, NOW, NOW, [], list(acts))])


def ranked(views: MemoryViews, request: Request, using: Settings) -> list[tuple[str, float]]:
    """All candidates and their chances, in the order of these, ties by id."""
    lists, order = ListCandidates(views, using), LearnedOrder(views, using.ranker)
    assert order.ready()
    described = lists.describe(lists.find(request))
    scored = zip(described.names, order.scores(described).tolist(), strict=True)
    return sorted(scored, key=lambda each: (-each[1], each[0]))


@SOME
@given(warm_shops(), requests(), any_settings())
def test_once_it_is_warm_the_order_is_the_rankers(
    views: MemoryViews, request: Request, using: Settings
) -> None:
    using = warm(using)
    filters = Filters(views, request, using.recommend)
    expected, looked_at = list[tuple[str, float]](), 0
    for item, chance in ranked(views, request, using):
        looked_at += filters.looked_at(item) and filters.admit(item)
        if filters.admit(item) and not (filters.looked_at(item) and looked_at > using.recommend.max_recent):
            expected.append((item, chance))
    expected = expected[: request.k]
    places = BlendRecommender(views, using).recommend(request).items
    assert [(place.item_id, place.score) for place in places][: len(expected)] == expected
    assert all(0 < chance <= 1 for _, chance in expected)


@SOME
@given(warm_shops(), requests(), any_settings())
def test_scores_of_a_warm_list_fall_and_every_item_has_its_reasons(
    views: MemoryViews, request: Request, using: Settings
) -> None:
    places = BlendRecommender(views, warm(using)).recommend(request).items
    assert [place.rank for place in places] == list(range(1, len(places) + 1))
    assert places == sorted(places, key=lambda place: (-place.score, place.item_id))
    index = views.sessions()
    assert index is not None
    for place in places:
        assert 0 <= place.score <= 1
        assert 1 <= len(place.reasons) <= using.recommend.max_reasons
        told = Counter(reason["source"] for reason in place.reasons)
        assert told["session"] <= 1
        assert told["session"] == 0 or place.reasons[0]["source"] == "session"
        for reason in place.reasons[told["session"] :]:
            cold = ask_for(views, request, using, place.item_id)
            assert reason in cold


def ask_for(views: MemoryViews, request: Request, using: Settings, item: str) -> list[dict[str, object]]:
    """What all sources but the sessions say for an item, widened as far as it goes."""
    found = ListCandidates(views, using).find(request)
    found.widen(lambda _: False, missing=1)
    return found.evidence.reasons([item], max_reasons=1_000)[0]


@SOME
@given(warm_shops(), requests(), any_settings())
def test_a_warm_list_is_short_only_when_nothing_eligible_is_left(
    views: MemoryViews, request: Request, using: Settings
) -> None:
    using = warm(using)
    places = BlendRecommender(views, using).recommend(request).items
    filters = Filters(views, request, using.recommend)
    known = reachable(views, request, using) | {item for item, _ in ranked(views, request, using)}
    eligible = {item for item in known if filters.admit(item)}
    looked_at = {item for item in eligible if filters.looked_at(item)}
    most = len(eligible - looked_at) + min(using.recommend.max_recent, len(looked_at))
    # What is like the customer's items leads on to what is popular in its categories: there may be more.
    assert min(request.k, most) <= len(places) <= request.k


@SOME
@given(warm_shops(), st.lists(requests(), min_size=2, max_size=4), any_settings())
def test_a_warm_answer_depends_on_the_question_alone(
    views: MemoryViews, asked: list[Request], using: Settings
) -> None:
    using, index = warm(using), views.sessions()
    assert index is not None
    before = msgspec.msgpack.encode([index.rows(), asked])
    one = BlendRecommender(views, using)
    answers = [one.recommend(request) for request in asked]
    assert [BlendRecommender(views, using).recommend(request) for request in reversed(asked)] == answers[::-1]
    assert msgspec.msgpack.encode([index.rows(), asked]) == before


@SOME
@given(warm_shops(), requests(), any_settings(), st.booleans())
def test_a_ranker_that_is_cold_or_switched_off_changes_nothing(
    views: MemoryViews, request: Request, using: Settings, enabled: bool
) -> None:
    alone = MemoryViews(
        neighbours=views.neighbour_rows.values(),
        popular=views.popular_scopes,
        items=views.item_rows.values(),
        content=views.content_index,
    )
    # Sessions also tell which customers are near, whoever orders the list.
    using = without_customers(using)
    cold = msgspec.structs.replace(using, ranker=RankerSettings(warm_up=1 + enabled, enabled=enabled))
    answer = BlendRecommender(views, cold).recommend(request)
    assert answer == BlendRecommender(alone, warm(using)).recommend(request)


def test_warm_scores_that_are_the_same_are_in_the_order_of_their_ids() -> None:
    views = a_warm_shop(pot=2.0, cup=2.0, tea=2.0, jam=2.0)
    row = HistoryRow()
    # Their places differ; the prior looks at the evidence alone.
    answer = ask(views, row, using=warm(Settings()))
    assert [(place.item_id, place.score) for place in answer.items] == [
        (item, 0.25) for item in ("cup", "jam", "pot", "tea")
    ]


def test_what_sessions_propose_comes_with_its_reason_before_all_others() -> None:
    views = a_warm_shop("abx", "ax", "c", b=4.0, m=2.0)
    places = {place.item_id: place for place in ask(views, acting("a"), using=warm(Settings())).items}
    assert set(places) == {"a", "b", "x", "m"}
    popular = {"source": "popularity", "scope": "all", "value": 4.0}
    session = {"source": "session", "session_items": ["a"], "similarity": 1.0}
    assert places["x"].reasons == [session]
    assert places["b"].reasons == [session, popular]
    assert places["m"].reasons == [popular | {"value": 2.0}]
    fewest = ask(views, acting("a"), using=warm(settings(max_reasons=1))).items
    assert {place.item_id: place.reasons for place in fewest}["b"] == [session]


def test_what_is_filtered_is_not_in_a_warm_list_either() -> None:
    views = a_warm_shop("abcdef", z=1.0)
    views.item_rows["c"] = facts("c", available=False)
    row = acting("a", b=bought(), d=ItemMark(0, NOW, had=True, disliked=True), e=viewed(), f=viewed())
    using = warm(settings(max_recent=1))
    request = Request(history=row, now=NOW, key="u:anna", exclude=frozenset({"z"}))
    found = ids(BlendRecommender(views, using).recommend(request))
    assert sorted(found) in (["a", "e"], ["a", "f"])
    repeating = warm(settings(max_recent=9, repeat_purchases=True))
    assert sorted(ids(BlendRecommender(views, repeating).recommend(request))) == ["a", "b", "e", "f"]


def test_a_warm_list_of_too_few_candidates_is_filled_by_the_evidence() -> None:
    views = a_warm_shop("ax", had=8.0)
    views.popular_scopes["category:teas"] = [("mint", 4.0), ("sage", 2.0), ("x", 1.0)]
    views.item_rows["had"] = facts("had", ["teas"])
    using = warm(settings(popularity_weight=0.1, category_weight=0.0))
    answer = ask(views, acting("a", had=bought()), k=5, using=using)
    ranked_ones, filled = answer.items[:2], answer.items[2:]
    assert {place.item_id for place in ranked_ones} == {"a", "x"}
    least = ranked_ones[-1].score
    scores = (least * blend_scores(0.1 * np.array([4.0, 2.0]) / 8)).tolist()
    assert [(place.item_id, place.score) for place in filled] == list(
        zip(["mint", "sage"], scores, strict=True)
    )
    assert filled[0].reasons == [{"source": "popularity", "scope": "category:teas", "value": 4.0}]
    # Of x the category speaks, too, now that it was asked; it is in the list once.
    assert [place.reasons[0]["source"] for place in ranked_ones] == ["session", "session"]


def test_a_warm_list_is_filled_though_a_category_names_what_is_in_it_already() -> None:
    views = a_warm_shop("axy", had=8.0)
    views.popular_scopes |= {"category:one": [("x", 4.0), ("y", 2.0)], "category:two": [("mint", 1.0)]}
    views.item_rows["had"] = facts("had", ["one", "two"])
    using = warm(settings(category_weight=0.0))
    answer = ask(views, acting("a", had=bought()), k=4, using=using)
    assert ids(answer)[3:] == ["mint"]


def test_an_item_that_fills_a_list_keeps_the_order_of_ids_when_its_score_is_that_of_the_last() -> None:
    views = a_warm_shop("az", had=8.0)
    views.popular_scopes["category:teas"] = [("mint", 8.0)]
    views.item_rows["had"] = facts("had", ["teas"])
    using = warm(settings(popularity_weight=50.0, category_weight=0.0))
    request = Request(history=acting("z", had=bought()), now=NOW, key="u:anna", exclude=frozenset({"a"}))
    places = BlendRecommender(views, using).recommend(request).items
    assert {place.item_id for place in places} == {"mint", "z"}
    assert places == sorted(places, key=lambda place: (-place.score, place.item_id))


def with_slates(using: Settings, **changes: float) -> Settings:
    wanted = msgspec.to_builtins(using.recommend) | changes
    return msgspec.structs.replace(using, recommend=msgspec.convert(wanted, RecommendSettings))


@SOME
@given(warm_shops(), requests(), any_settings(), st.booleans())
def test_caps_that_nothing_breaks_and_seeds_change_nothing(
    views: MemoryViews, request: Request, using: Settings, cold: bool
) -> None:
    using = using if cold else warm(using)
    answer = BlendRecommender(views, using).recommend(request)
    seeded = msgspec.structs.replace(request, seed="browses:0:7")
    assert BlendRecommender(views, using).recommend(seeded) == answer
    loose = with_slates(using, max_per_category=1_000, max_popularity_lift=1e6)
    assert BlendRecommender(views, loose).recommend(request) == answer


@SOME
@given(
    warm_shops(),
    requests(),
    any_settings(),
    st.fixed_dictionaries(
        {
            "diversity": st.sampled_from([0.0, 0.4, 1.0]),
            "max_per_category": st.integers(0, 2),
            "max_popularity_lift": st.sampled_from([0.0, 0.5, 1.0]),
            "explore": st.sampled_from([0.0, 0.5]),
        }
    ),
    st.booleans(),
)
def test_whatever_is_wanted_of_a_list_it_is_as_long_and_keeps_to_the_filters(
    views: MemoryViews, request: Request, using: Settings, wanted: dict[str, float], cold: bool
) -> None:
    using = using if cold else warm(using)
    plain = BlendRecommender(views, using).recommend(request).items
    places = BlendRecommender(views, with_slates(using, **wanted)).recommend(request).items
    assert [place.rank for place in places] == list(range(1, len(plain) + 1))
    assert len({place.item_id for place in places}) == len(places)
    if len(plain) < request.k:
        # Nothing else could be in the list: it is the same items in another order.
        same = [msgspec.structs.replace(place, rank=0, propensity=None) for place in [*plain, *places]]
        assert sorted(same[: len(plain)], key=str) == sorted(same[len(plain) :], key=str)
    for place in places:
        assert (place.propensity is None) == (not wanted["explore"])
        assert 1 <= len(place.reasons) <= using.recommend.max_reasons
    filters = Filters(views, request, using.recommend)
    assert all(filters.admit(place.item_id) for place in places)
    assert sum(filters.looked_at(place.item_id) for place in places) <= using.recommend.max_recent


def a_shop_of_two_kinds() -> MemoryViews:
    """Everybody who saw a saw b to f; a to c are teas, the most popular ones, d to f are pots."""
    views = a_warm_shop("abcdef", b=9.0, c=8.0, d=3.0, e=2.0, f=1.0)
    views.item_rows |= {item: facts(item, ["teas" if item in "abc" else "pots"]) for item in "abcdef"}
    return views


def test_a_warm_list_takes_turns_where_diversity_is_wanted() -> None:
    views, row = a_shop_of_two_kinds(), acting("a", a=bought())
    plain = ask(views, row, using=warm(Settings()))
    assert ids(plain) == ["b", "c", "d", "e", "f"]
    diverse = ask(views, row, using=warm(settings(diversity=0.6))).items
    assert "".join(place.item_id for place in diverse) == "bdcef"
    told = {place.item_id: (place.score, place.reasons) for place in plain.items}
    assert {place.item_id: (place.score, place.reasons) for place in diverse} == told


def test_a_warm_list_keeps_to_caps_and_fills_up_with_what_they_left_out() -> None:
    views, row = a_shop_of_two_kinds(), acting("a", a=bought())
    assert ids(ask(views, row, k=2, using=warm(settings(max_per_category=1)))) == ["b", "d"]
    assert ids(ask(views, row, k=4, using=warm(settings(max_per_category=1)))) == ["b", "d", "c", "e"]
    # The mean is 23 / 5: d, and then e and f; b breaks it with 9 + 3 and more, c with 8 + 3 + 2 does not.
    assert ids(ask(views, row, k=3, using=warm(settings(max_popularity_lift=1.0)))) == ["d", "e", "c"]


def test_a_warm_list_that_is_explored_differs_from_seed_to_seed_and_tells_its_propensities() -> None:
    views, row = a_shop_of_two_kinds(), acting("a", a=bought())
    recommender = BlendRecommender(views, warm(settings(explore=0.5)))
    lists = [
        recommender.recommend(Request(history=row, now=NOW, k=2, seed=f"browses:0:{n}")).items
        for n in range(50)
    ]
    assert len({tuple(place.item_id for place in places) for places in lists}) > 5
    for first, second in lists:
        assert first.propensity == (0.6 if first.item_id == "b" else 0.1)
        best = "c" if first.item_id == "b" else "b"
        assert second.propensity == (0.625 if second.item_id == best else 0.125)


def test_new_weights_and_sessions_show_in_the_next_answer() -> None:
    views = a_warm_shop("abcdef", "fedcab", seed=1)
    recommender = BlendRecommender(views, warm(Settings()))
    request = Request(history=acting("a"), now=NOW, key="u:anna")
    first = recommender.recommend(request)
    views.ranker_weights = ranker_weights(2)
    second = recommender.recommend(request)
    assert set(ids(first)) == set(ids(second)) == set("abcdef")
    assert ids(first) != ids(second)
    index = views.sessions()
    assert index is not None
    index.learn_one("s:9", None, "a", NOW)
    index.learn_one("s:9", None, "new", NOW)
    assert "new" in ids(recommender.recommend(request))
    views.ranker_weights, views.session_index = ranker_weights(1), session_index("abcdef", "fedcab")
    assert recommender.recommend(request) == first


def test_what_near_customers_have_is_proposed_with_how_many_they_are_also_before_the_ranker_is_warm() -> None:
    views = MemoryViews(sessions=session_index("abx", "aby", "ay", "cz"))
    row = history(a=bought(), b=viewed())
    places = ask(views, row, using=settings(recent_weight=0.0)).items
    assert [place.item_id for place in places] == ["b", "y", "x"]
    older = exp(-0.1)
    near, less = (each / sqrt((1 + older**2) * size) for each, size in ((1 + older, 3), (older, 2)))
    expected = [("b", 2, near), ("y", 2, (near + less) / 2), ("x", 1, near)]
    for place, (item, customers, similarity) in zip(places, expected, strict=True):
        reason = {"source": "users", "customers": customers, "similarity": round(similarity, 6)}
        assert (place.item_id, place.reasons) == (item, [reason])


def test_a_weight_of_0_asks_no_customers() -> None:
    views, row = MemoryViews(sessions=session_index("abx", "aby")), history(a=bought())
    assert ids(ask(views, row)) == ["b", "x", "y"]
    lists = ListCandidates(views, settings(users_weight=0.0))
    assert lists.find(Request(history=row, now=NOW)).evidence.items() == []
