"""Lists of customers and guests: when the standing one is given, and when one is made."""

from pathlib import Path

import msgspec

from online_models.business_rules import BusinessRules
from online_models.experiments.assignment import Assignment
from schemas.business_rules import BusinessRule
from schemas.experiments import Experiment, Variant
from schemas.settings import Settings
from streams.remembered import RememberedSessions
from streams.rules_file import RulesFile
from streams.serving.lists import Lists, Wanted
from tests.online_models.shop_views import NOW
from tests.streams.serving.parts import LENGTH, SETTINGS, Followed, a_history, a_list, a_shop

K3 = Wanted(k=3)


def lists(shop: Followed, settings: Settings = SETTINGS) -> Lists:
    return Lists(shop.views, settings, lambda: NOW + 9)


def names(found: object) -> list[str]:
    return [place.item_id for place in found.items]  # type: ignore[attr-defined]


def test_the_standing_list_is_given_as_the_topic_has_it() -> None:
    found = lists(a_shop()).of_customer("anna", K3)
    assert (found.recommendation_id, found.at, found.caused_by) == ("browses:0:7", NOW, ["b-7"])
    assert (names(found), [place.rank for place in found.items]) == (["pot", "jam", "mug"], [1, 2, 3])
    assert (found.computed, found.fallback) == (False, False)
    assert found.items[0].why == ["popular: all"]


def test_without_explanation_there_are_no_reasons() -> None:
    found = lists(a_shop()).of_customer("anna", Wanted(k=1, explain=False))
    assert [(place.reasons, place.why) for place in found.items] == [(None, None)]


def test_what_was_sold_out_since_is_not_in_it_and_another_list_is_made_where_it_is_too_short() -> None:
    shop = a_shop()
    shop.item("jam", "food", available=False)
    assert names(lists(shop).of_customer("anna", Wanted(k=2))) == ["pot", "mug"]
    found = lists(shop).of_customer("anna", K3)
    assert (found.computed, found.fallback, found.at) == (True, False, NOW + 9)
    assert sorted(names(found)) == ["cup", "mug", "pot"]
    assert found.recommendation_id.startswith("http:")


def test_excluded_items_and_other_categories_are_left_out_and_places_are_numbered_anew() -> None:
    found = lists(a_shop()).of_customer("anna", Wanted(k=2, exclude=frozenset({"pot"})))
    assert [(place.item_id, place.rank) for place in found.items] == [("jam", 1), ("mug", 2)]
    assert names(lists(a_shop()).of_customer("anna", Wanted(k=2, category="kitchen"))) == ["pot", "mug"]
    longer = lists(a_shop()).of_customer("anna", Wanted(k=9, category="kitchen"))
    assert longer.computed
    assert sorted(names(longer)) == ["cup", "mug", "pot"]


def test_the_chance_of_a_place_is_told_of_a_whole_list_only() -> None:
    shop = a_shop()
    shop.learn("recommendations", "anna", a_list("anna", "pot", "jam", "mug", propensity=0.5))
    whole = lists(shop).of_customer("anna", Wanted(k=2))
    part = lists(shop).of_customer("anna", Wanted(k=2, exclude=frozenset({"pot"})))
    assert [place.propensity for place in (*whole.items, *part.items)] == [0.5, 0.5, None, None]


def test_a_context_is_a_session_that_goes_on_and_is_not_in_the_list() -> None:
    found = lists(a_shop()).of_customer("anna", Wanted(k=1, context=("cup",)))
    assert (found.computed, found.fallback) == (True, False)
    assert "cup" not in names(found)
    assert "tea" not in names(lists(a_shop()).of_customer("anna", Wanted(k=9, context=("tea",))))


def test_what_was_bought_is_in_no_list_that_is_made() -> None:
    found = lists(a_shop()).of_customer("anna", Wanted(k=9))
    assert found.computed
    assert "tea" not in names(found)


def test_without_a_history_the_standing_list_is_cut_but_none_is_made() -> None:
    shop = a_shop()
    shop.learn("histories", "anna", None)
    found = lists(shop).of_customer("anna", Wanted(k=9, exclude=frozenset({"pot"})))
    assert (names(found), found.computed, found.fallback) == (["jam", "mug"], False, False)


def test_who_is_not_known_gets_what_is_popular_and_it_is_said() -> None:
    found = lists(a_shop()).of_customer("zoe", K3)
    assert (found.fallback, found.computed, found.user_id) == (True, True, "zoe")
    assert names(found) == ["tea", "jam", "pot"]


def test_a_customer_is_not_given_the_list_of_a_guest_s_session_of_that_name() -> None:
    shop = a_shop()
    shop.learn("recommendations", "s1", a_list(None, "mug"))
    assert lists(shop).of_customer("s1", K3).fallback


def test_who_was_erased_is_not_answered_from_what_was_known() -> None:
    shop = a_shop()
    asked = lists(shop)
    assert not asked.of_customer("anna", K3).fallback
    for topic in ("recommendations", "histories"):
        shop.learn(topic, "anna", None)
    found = asked.of_customer("anna", K3)
    assert found.fallback
    assert found.segment is None


def test_a_guest_s_list_goes_by_the_session() -> None:
    found = lists(a_shop()).of_session(Wanted(k=2, context=("tea",)))
    assert (found.user_id, found.fallback) == (None, False)
    assert names(found) == ["pot", "jam"]
    assert {reason["source"] for place in found.items for reason in place.reasons or []} >= {"similarity"}
    assert lists(a_shop()).of_session(K3).fallback


def test_the_same_question_is_the_same_list_under_another_id() -> None:
    asked = lists(a_shop())
    one, other = (asked.of_session(Wanted(k=2, context=("tea",))) for _ in range(2))
    assert one.recommendation_id != other.recommendation_id
    assert msgspec.structs.replace(one, recommendation_id="") == msgspec.structs.replace(
        other, recommendation_id=""
    )


def in_experiments(*experiments: Experiment) -> Settings:
    return msgspec.structs.replace(SETTINGS, experiments=experiments)


def test_a_list_that_is_made_is_that_of_the_customer_s_variant_and_says_so() -> None:
    terse = tuple(
        Variant(name=name, share=0.5, changes=(("recommend.max_reasons", most), ("recommend.k", 10 + most)))
        for name, most in (("control", 1), ("wordy", 3))
    )
    settings = in_experiments(Experiment(name="words", variants=terse))
    assignment, given = Assignment(settings.experiments), lists(a_shop(settings), settings)
    for user in ("anna", "ben", "carla", "david", "emma", "fay"):
        arm = assignment.arm_of(f"u:{user}", NOW)
        found = given.of_customer(user, Wanted(k=3, context=("tea", "cup")))
        most = max(len(place.reasons or ()) for place in found.items)
        assert (found.variant, most) in (("words:control", 1), ("words:wordy", 3))
        assert found.variant == arm
        assert given.length_for(user) == 10 + most


def test_guests_and_experiments_that_are_over_have_no_variant() -> None:
    over = lists(a_shop())
    assert over.of_customer("anna", Wanted(k=3, context=("tea",))).variant is None
    assert over.length_for("anna") == SETTINGS.recommend.k
    running = in_experiments(msgspec.structs.replace(LENGTH, ends_at=None))
    assert lists(a_shop(running), running).of_session(Wanted(k=3, context=("tea",))).variant is None


def test_rules_hold_from_the_newest_event_of_all_on_also_for_a_list_that_was_made_before() -> None:
    shop = a_shop()
    later = "2023-11-14T22:13:20.001Z"
    rule = BusinessRule(name="recalled", action="exclude", categories=("food",), from_=later)
    shop.views.rules_file = RulesFile("")
    shop.views.rules_file.rules = BusinessRules([rule])
    assert names(lists(shop).of_customer("anna", K3)) == ["pot", "jam", "mug"]
    shop.views.remembered = RememberedSessions(Path("nowhere"), SETTINGS)
    shop.views.remembered.index.learn_one("s:zoe", None, "mug", NOW + 1)
    for found in (lists(shop).of_customer("anna", K3), lists(shop).of_session(K3)):
        assert "mug" in names(found)
        assert "jam" not in names(found)


def test_a_rule_about_some_people_holds_for_those_of_whom_the_shop_told_it() -> None:
    shop = a_shop()
    rule = BusinessRule(name="elsewhere", action="exclude", items=("pot",), locations=("DE",))
    shop.views.rules_file = RulesFile("")
    shop.views.rules_file.rules = BusinessRules([rule])
    assert names(lists(shop).of_customer("anna", Wanted(k=2))) == ["pot", "jam"]
    known = a_history("anna", had="tea", looked_at="cup")
    known.behaviour.attributes = {"location": "DE"}
    shop.learn("histories", "anna", known)
    assert names(lists(shop).of_customer("anna", Wanted(k=2))) == ["jam", "mug"]
    assert "pot" not in names(lists(shop).of_customer("anna", Wanted(k=5)))
    assert "pot" in names(lists(shop).of_session(Wanted(k=5)))
