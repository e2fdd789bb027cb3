"""The shop's own rules: what they are about, for whom and when, what they do, and that nothing leaks."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from online_models.business_rules import NO_RULES, BusinessRules
from online_models.filters import Filters
from online_models.memory_views import MemoryViews
from online_models.protocols import Request
from online_models.recommender import BlendRecommender
from schemas.business_rules import BusinessRule, fault_of
from schemas.messages import ItemFacts
from schemas.settings import RecommendSettings, Settings
from schemas.state import Behaviour, HistoryRow
from tests.online_models.shop_views import (
    CATEGORIES,
    ITEMS,
    NOW,
    any_settings,
    ask,
    bought,
    facts,
    history,
    ids,
    marks_of,
    requests,
    settings,
    warm,
    warm_shops,
)


def rule(action: str, **fields: Any) -> BusinessRule:
    """A rule without a fault."""
    told = {"name": action, "action": action} | ({"items": ["tea"]} if "items" not in fields else {})
    made = msgspec.convert(told | fields, BusinessRule)
    assert fault_of(made) is None, fault_of(made)
    return made


def excluded(about: BusinessRule, item: str = "tea", row: ItemFacts | None = None, **who: Any) -> bool:
    at = who.pop("at", NOW)
    return BusinessRules([about]).in_force(at, **who).excludes(item, row)


TEA = ItemFacts("tea", None, ["drinks", "gifts"], "Bree", 4.5, ["sale"], True, 0)


@pytest.mark.parametrize(
    ("conditions", "meets"),
    [
        ({"items": ["cup", "tea"]}, True),
        ({"items": ["cup"]}, False),
        ({"items": [], "categories": ["gifts"]}, True),
        ({"items": [], "categories": ["cups"]}, False),
        ({"items": [], "brands": ["Bree"]}, True),
        ({"items": [], "tags": ["new", "sale"]}, True),
        ({"items": [], "categories": ["gifts"], "tags": ["new"]}, False),
        ({"items": [], "price_from": 4.5, "price_to": 4.5}, True),
        ({"items": [], "price_from": 4.6}, False),
        ({"items": [], "price_to": 4.4}, False),
        ({"items": ["tea"], "brands": ["Other"]}, False),
    ],
)
def test_all_conditions_of_a_rule_have_to_hold_and_of_each_one_value(
    conditions: dict[str, Any], meets: bool
) -> None:
    assert excluded(rule("exclude", **conditions), row=TEA) is meets


def test_a_condition_does_not_hold_for_an_item_of_which_nothing_is_known() -> None:
    assert excluded(rule("exclude"))
    assert not excluded(rule("exclude", categories=["drinks"]))
    unpriced = msgspec.structs.replace(TEA, price=None, brand=None)
    assert not excluded(rule("exclude", items=[], price_to=9), row=unpriced)
    assert not excluded(rule("exclude", items=[], brands=["Bree"]), row=unpriced)


def test_what_is_kept_of_an_item_follows_its_row() -> None:
    held = BusinessRules([rule("exclude", items=[], tags=["sale"])]).in_force(NOW)
    over = msgspec.structs.replace(TEA, tags=[])
    assert [held.excludes("tea", row) for row in (TEA, over, TEA)] == [True, False, True]


def test_a_rule_holds_from_its_first_moment_until_the_one_after() -> None:
    window = {"from": "2026-12-01T00:00:00Z", "until": "2026-12-02T01:00:00+01:00"}
    first, after = 1_796_083_200_000, 1_796_169_600_000
    about = rule("exclude", **window)
    assert about.window() == (first, after)
    assert [excluded(about, at=at) for at in (first - 1, first, after - 1, after)] == [
        False,
        True,
        True,
        False,
    ]


def test_a_rule_about_some_people_holds_for_those_of_whom_it_is_known() -> None:
    about = rule("exclude", locations=["DE", "AT"], age_bands=["18-24"], segments=["2"])
    known = {"location": "AT", "age_band": "18-24"}
    assert excluded(about, attributes=known, segment="2")
    assert not excluded(about, attributes=known, segment=None)
    assert not excluded(about, attributes={"location": "AT"}, segment="2")
    assert not excluded(about)


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"action": "boost", "items": ["a"]}, "`factor` is missing"),
        ({"action": "boost", "items": ["a"], "factor": 1.0}, "above 1"),
        ({"action": "bury", "items": ["a"], "factor": 2.0}, "between 0 and 1"),
        ({"action": "exclude", "items": ["a"], "factor": 2.0}, "exclude has none"),
        ({"action": "pin", "items": ["a"]}, "`position` is of a pin"),
        ({"action": "exclude", "items": ["a"], "position": 1}, "`position` is of a pin"),
        ({"action": "pin", "categories": ["a"], "position": 1}, "needs `items`"),
        ({"action": "exclude"}, "about all items"),
        ({"action": "exclude", "segments": ["1"]}, "about all items"),
        ({"action": "exclude", "price_from": 2, "price_to": 1}, "above `price_to`"),
        ({"action": "exclude", "items": ["a"], "from": "2026-12-01"}, "`from` is '2026-12-01'"),
        ({"action": "exclude", "items": ["a"], "until": "2026-12-01T00:00:00"}, "with an offset"),
        (
            {
                "action": "exclude",
                "items": ["a"],
                "from": "2026-12-01T00:00:00Z",
                "until": "2026-12-01T01:00:00+01:00",
            },
            "never hold",
        ),
    ],
)
def test_a_fault_says_what_was_expected(fields: dict[str, Any], detail: str) -> None:
    found = fault_of(msgspec.convert({"name": "r"} | fields, BusinessRule))
    assert found is not None
    assert detail in found


def a_shop(*rules: BusinessRule) -> MemoryViews:
    """Four popular items, the best first: tea, cup, pot, jam."""
    popular = [("tea", 9.0), ("cup", 6.0), ("pot", 3.0), ("jam", 1.0)]
    return MemoryViews(
        popular={"all": popular},
        items=[facts("tea", ["drinks"]), facts("cup", ["cups"]), facts("pot", ["cups"]), facts("jam")],
        rules=BusinessRules(rules),
    )


def test_boosts_and_buries_change_scores_and_the_order_follows() -> None:
    plain = {place.item_id: place.score for place in ask(a_shop(), None).items}
    places = ask(
        a_shop(
            rule("boost", items=["pot"], factor=20), rule("bury", items=[], categories=["cups"], factor=0.5)
        ),
        None,
    ).items
    assert [place.item_id for place in places] == ["pot", "tea", "cup", "jam"]
    assert places[0].score == pytest.approx((1 - (1 - plain["pot"]) ** 20) / 2, rel=1e-4)
    assert places[2].score == pytest.approx(plain["cup"] / 2, rel=1e-5)
    sources = [[reason["source"] for reason in place.reasons] for place in places]
    assert sources == [["popularity", "business"], *[["popularity"]] * 3]
    assert places[0].reasons[1] == {"source": "business", "rule": "boost"}


def test_a_pin_takes_its_place_with_the_first_of_its_items_that_may_be_there() -> None:
    views = a_shop(rule("pin", items=["had", "sold", "new"], position=2), rule("exclude", items=["pot"]))
    views.item_rows["sold"] = facts("sold", available=False)
    places = ask(views, history(had=bought())).items
    assert [(place.rank, place.item_id) for place in places] == [
        (1, "tea"),
        (2, "new"),
        (3, "cup"),
        (4, "jam"),
    ]
    assert places[1].reasons == [{"source": "business", "rule": "pin"}]
    assert places[1].score == 0


def test_pins_share_the_list_in_the_order_of_places_and_of_the_file() -> None:
    pins = [
        rule("pin", name="c", items=["jam"], position=9),
        rule("pin", name="b", items=["x"], position=1),
        rule("pin", name="a", items=["x", "jam"], position=1),
        rule("pin", name="d", items=["y"], position=3),
    ]
    assert ids(ask(a_shop(*pins), None, k=4)) == ["x", "jam", "y", "tea"]
    assert ids(ask(a_shop(*pins), None, k=2)) == ["x", "jam"]
    assert ids(ask(a_shop(*pins), None, k=0)) == []
    last = rule("pin", items=["z"], position=8)
    assert ids(ask(a_shop(last), None)) == ["tea", "cup", "pot", "jam", "z"]


def test_where_one_reason_is_given_it_is_an_items_own() -> None:
    views = a_shop(rule("boost", factor=2), rule("pin", items=["new"], position=1))
    places = ask(views, None, using=settings(max_reasons=1)).items
    assert [[reason["source"] for reason in place.reasons] for place in places[:2]] == [
        ["business"],
        ["popularity"],
    ]


def test_nothing_is_left_to_chance_in_a_pinned_place() -> None:
    places = ask(a_shop(rule("pin", items=["jam"], position=2)), None, using=settings(explore=0.5)).items
    assert places[1].item_id == "jam"
    assert places[1].propensity == 1.0
    assert all(place.propensity is not None for place in places)


def meets(about: BusinessRule, item: str, row: ItemFacts | None, request: Request, segment: object) -> bool:
    """Whether a rule holds, told in another way than the code does it."""
    first, after = about.window()
    at = request.now if request.ruled_at is None else request.ruled_at
    known = request.history.behaviour.attributes if request.history is not None else {}
    checks = [
        first is None or at >= first,
        after is None or at < after,
        about.items == () or item in about.items,
        about.categories == () or any(name in about.categories for name in (row.categories if row else ())),
        about.segments == () or segment in about.segments,
        about.locations == () or known.get("location", "nowhere") in about.locations,
    ]
    return all(checks)


_windows = st.sampled_from([{}, {"from": "2023-11-14T00:00:00Z"}, {"until": "2023-11-14T00:00:00Z"}])
_people = st.sampled_from([{}, {}, {"locations": ["DE"]}, {"segments": ["0"]}])


@st.composite
def business_rules(draw: st.DrawFn) -> list[BusinessRule]:
    """Random rules about a random shop."""
    found: list[BusinessRule] = []
    for number in range(draw(st.integers(0, 5))):
        action = draw(st.sampled_from(["exclude", "exclude", "boost", "bury", "pin"]))
        told: dict[str, Any] = {"name": f"r{number}", **draw(_windows), **draw(_people)}
        if action == "pin" or draw(st.booleans()):
            told["items"] = draw(st.lists(st.sampled_from([*ITEMS, "new"]), min_size=1, max_size=4))
        else:
            told["items"] = []
            told["categories"] = draw(st.lists(st.sampled_from(CATEGORIES), min_size=1, max_size=2))
        factor = {"boost": 3.0, "bury": 0.1}.get(action)
        place = draw(st.integers(1, 12)) if action == "pin" else None
        found.append(rule(action, factor=factor, position=place, **told))
    return found


def forbidden(request: Request, views: MemoryViews, using: Settings, item: str) -> bool:
    """Whether an item may not be in a list, rules aside."""
    mark, row = marks_of(request).get(item), views.item(item)
    had = mark is not None and (mark.disliked or (mark.had and not using.recommend.repeat_purchases))
    seen = mark is not None and not mark.had and request.now - mark.at <= using.recommend.seen_window_s * 1000
    if using.recommend.seen == "exclude" and seen:
        return True
    return had or item in request.exclude or (row is not None and not row.available)


@examples(max_examples=60, deadline=None)
@given(
    warm_shops(),
    requests(),
    any_settings(),
    business_rules(),
    st.booleans(),
    st.sampled_from(
        [
            {},
            {"explore": 0.5},
            {"diversity": 0.5, "max_per_category": 1},
            {"seen": "exclude", "seen_window_s": 3_600},
            {"seen": "demote", "explore": 0.5},
        ]
    ),
    st.sampled_from([None, 0, NOW]),
)
def test_a_filtered_item_is_in_no_list(
    views: MemoryViews,
    request: Request,
    using: Settings,
    rules: list[BusinessRule],
    is_warm: bool,
    wanted: dict[str, Any],
    ruled_at: int | None,
) -> None:
    views.rules = BusinessRules(rules)
    if request.history is not None:
        behaviour = Behaviour(attributes={"location": "DE"})
        row = msgspec.structs.replace(request.history, behaviour=behaviour)
        request = msgspec.structs.replace(request, history=row)
    request = msgspec.structs.replace(request, ruled_at=ruled_at)
    changed = msgspec.structs.replace(using.recommend, **wanted)
    using = msgspec.structs.replace(using, recommend=changed)
    answer = BlendRecommender(views, warm(using) if is_warm else using).recommend(request)
    places = answer.items
    assert len({place.item_id for place in places}) == len(places) <= request.k
    assert [place.rank for place in places] == list(range(1, len(places) + 1))
    for place in places:
        item = place.item_id
        assert not forbidden(request, views, using, item)
        assert not any(
            each.action == "exclude" and meets(each, item, views.item(item), request, answer.segment)
            for each in rules
        )
        assert 0.0 <= place.score <= 1.0
        assert 1 <= len(place.reasons) <= using.recommend.max_reasons
        assert (place.propensity is None) == (not using.recommend.explore)


@examples(max_examples=40, deadline=None)
@given(warm_shops(), requests(), any_settings(), business_rules(), st.booleans())
def test_a_pin_that_may_be_in_the_list_is_in_it(
    views: MemoryViews, request: Request, using: Settings, rules: list[BusinessRule], is_warm: bool
) -> None:
    views.rules = BusinessRules(rules)
    using = warm(using) if is_warm else using
    answer = BlendRecommender(views, using).recommend(request)
    found = ids(answer)
    admit = Filters(views, request, using.recommend, segment=answer.segment).admit
    for each in rules:
        if each.position == 1 and meets(each, each.items[0], None, request, answer.segment) and request.k:
            could = [item for item in each.items if admit(item)]
            assert not could or any(item in found for item in could)


@examples(max_examples=25, deadline=None)
@given(warm_shops(), requests(), any_settings(), st.booleans())
def test_rules_that_hold_for_nobody_change_nothing(
    views: MemoryViews, request: Request, using: Settings, is_warm: bool
) -> None:
    using = warm(using) if is_warm else using
    plain = BlendRecommender(views, using).recommend(request)
    views.rules = BusinessRules(
        [rule("exclude", items=ITEMS, locations=["nowhere"]), rule("boost", items=["never"], factor=2)]
    )
    assert BlendRecommender(views, using).recommend(request) == plain


def many(rules: Sequence[BusinessRule]) -> BusinessRules:
    return BusinessRules([msgspec.structs.replace(each, name=f"{n}") for n, each in enumerate(rules)])


def test_no_rules_hold_at_no_cost() -> None:
    assert BusinessRules().in_force(NOW) is NO_RULES.in_force(0)
    assert not NO_RULES.in_force(0).put_forward
    assert many([rule("exclude")] * 3).met_by("tea", None) == (0, 1, 2)
    assert HistoryRow().behaviour.attributes == {}


@given(
    st.floats(0.0, 1.0), st.floats(1.0, 1_000.0, exclude_min=True), st.floats(0.001, 1.0, exclude_max=True)
)
def test_a_boost_never_lowers_a_score_and_a_bury_never_raises_it(
    score: float, up: float, down: float
) -> None:
    boosted = BusinessRules([rule("boost", factor=up)]).in_force(NOW).rescored(score, "tea", None)
    buried = BusinessRules([rule("bury", factor=down)]).in_force(NOW).rescored(score, "tea", None)
    assert 0.0 <= buried <= score <= boosted * (1 + 1e-12) <= 1 + 1e-12
    untouched = BusinessRules([rule("boost", factor=up)]).in_force(NOW).rescored(score, "cup", None)
    assert untouched == score


def test_a_list_of_what_is_pinned_alone_has_propensities_where_lists_are_explored() -> None:
    views = MemoryViews(rules=BusinessRules([rule("pin", items=("tea",), position=1)]))
    for explore, expected in ((0.5, 1.0), (0.0, None)):
        using = Settings(recommend=RecommendSettings(explore=explore))
        answer = BlendRecommender(views, using).recommend(Request(history=None, now=0, k=1))
        assert [(place.item_id, place.propensity) for place in answer.items] == [("tea", expected)]
