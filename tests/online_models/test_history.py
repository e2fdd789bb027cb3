"""Histories: what an event adds to the counts, worked out by hand, and what bounds, ids and time do to it."""

import msgspec
import pytest

from online_models.history import HistoryStep
from schemas.messages import ORDERS, SESSIONS, WEIGHT_ONE, Event
from schemas.settings import RulesSettings, SegmentsSettings, Settings, WeightSettings
from schemas.state import HistoryRow, ItemMark
from tests.online_models.shoppers import (
    DAY,
    EXACT,
    HOUR,
    MINUTE,
    SECOND,
    T0,
    Shop,
    Shopper,
    settings_with,
    tally,
)

ANNA, BERT = Shopper("u:anna"), Shopper("u:bert")


def weight_of(row: HistoryRow, item: str) -> float:
    return row.items[item].weight / WEIGHT_ONE


# -- similarity ---------------------------------------------------------------------------------------


def test_a_rising_weight_adds_only_the_difference_to_the_item_and_to_its_pairs() -> None:
    shop = Shop()
    shop.learn(ANNA.view("tea"), ANNA.buy("cup"))
    raised = [shop.learn(event) for event in (ANNA.view("pot"), ANNA.cart("pot"), ANNA.buy("pot"))]
    assert [each.weights for each in raised] == [{"pot": 1.0}, {"pot": 1.0}, {"pot": 2.0}]
    # Tea was viewed (1), the cup bought (4): the pot's minimum with tea stays 1, with the cup it rises to 4.
    assert [each.co_ratings for each in raised] == [
        {("pot", "tea"): 1.0, ("cup", "pot"): 1.0},
        {("cup", "pot"): 1.0},
        {("cup", "pot"): 2.0},
    ]
    assert weight_of(shop.row(), "pot") == 4.0


def test_a_repeated_or_weaker_action_adds_nothing() -> None:
    shop = Shop()
    shop.learn(ANNA.view("tea"), ANNA.buy("pot"))
    again = shop.learn(ANNA.view("pot"), ANNA.cart("pot"), ANNA.buy("pot"), ANNA.view("tea"))
    assert (again.weights, again.co_ratings) == ({}, {})


@pytest.mark.parametrize(
    ("value", "scale_max", "weight", "disliked"),
    [
        (5.0, 5.0, 3.0, False),
        (4.0, 5.0, 2.6, False),
        (2.5, 5.0, 2.0, False),
        (50.0, 100.0, 2.0, False),
        (1.0, 1.0, 3.0, False),
        (2.4, 5.0, 0.0, True),
        (0.0, 5.0, 0.0, True),
        (49.0, 100.0, 0.0, True),
    ],
)
def test_a_rating_weighs_one_plus_twice_its_share_or_is_a_dislike(
    value: float, scale_max: float, weight: float, disliked: bool
) -> None:
    shop = Shop()
    shop.learn(ANNA.buy("cup"))
    learned = shop.learn(ANNA.rate("tea", value, scale_max=scale_max))
    mark = shop.row().items["tea"]
    assert (mark.had, mark.disliked) == (True, disliked)
    assert weight_of(shop.row(), "tea") == pytest.approx(weight, abs=1e-6)
    if weight:
        assert learned.co_ratings == {("cup", "tea"): pytest.approx(weight, abs=1e-6)}
    else:
        assert (learned.weights, learned.co_ratings) == ({}, {})


def test_an_item_that_was_disliked_pairs_with_nothing_until_it_gains_weight() -> None:
    shop = Shop()
    shop.learn(ANNA.rate("tea", 1.0))
    assert shop.learn(ANNA.view("cup")).co_ratings == {}
    later = shop.learn(ANNA.view("tea"))
    assert later.co_ratings == {("cup", "tea"): 1.0}
    assert shop.row().items["tea"].disliked


def test_a_better_rating_takes_a_dislike_back() -> None:
    shop = Shop()
    shop.learn(ANNA.rate("tea", 1.0), ANNA.rate("tea", 5.0))
    assert not shop.row().items["tea"].disliked


def test_a_dislike_after_a_purchase_keeps_the_weight() -> None:
    shop = Shop()
    learned = shop.learn(ANNA.buy("tea"), ANNA.rate("tea", 0.0))
    assert learned.weights == {"tea": 4.0}
    assert shop.row().items["tea"] == ItemMark(
        4 * WEIGHT_ONE, T0, had=True, disliked=True, met=1, met_at=T0, acted=4 * WEIGHT_ONE
    )


def test_views_and_carts_do_not_count_as_had() -> None:
    shop = Shop()
    shop.learn(ANNA.view("tea"), ANNA.cart("cup"), ANNA.buy("pot"))
    assert {item: mark.had for item, mark in shop.row().items.items()} == {
        "tea": False,
        "cup": False,
        "pot": True,
    }


def test_customers_teach_each_for_themselves() -> None:
    learned = Shop().learn(ANNA.view("tea"), BERT.view("cup"), ANNA.view("cup"), BERT.buy("tea"))
    assert learned.weights == {"tea": 5.0, "cup": 2.0}
    assert learned.co_ratings == {("cup", "tea"): 2.0}


def test_weights_are_settings() -> None:
    using = Settings(
        rules=RulesSettings(half_life_s=0), weights=WeightSettings(view=0.5, purchase=3, rating=0)
    )
    learned = Shop(using).learn(ANNA.view("tea"), BERT.buy("tea"), BERT.rate("cup", 3.0))
    assert learned.weights == {"tea": 3.5, "cup": 1.0}


def test_the_lines_of_an_order_pair_with_each_other_and_with_what_was_before() -> None:
    shop = Shop()
    shop.learn(ANNA.view("tea"))
    learned = shop.learn(ANNA.buy("cup", "pot", "cup"))
    assert learned.weights == {"cup": 4.0, "pot": 4.0}
    assert learned.co_ratings == {("cup", "tea"): 1.0, ("pot", "tea"): 1.0, ("cup", "pot"): 4.0}


# -- bounds -------------------------------------------------------------------------------------------


def test_an_item_is_paired_with_the_items_met_last_before_it() -> None:
    shop = Shop(settings_with(history={"linked_items": 2}))
    shop.learn(*(ANNA.view(item) for item in ("a", "b", "c", "a")))
    assert shop.learn(ANNA.view("d")).co_ratings == {("b", "d"): 1.0, ("c", "d"): 1.0}


def test_an_older_item_that_gains_weight_is_paired_with_those_met_around_it() -> None:
    shop = Shop(settings_with(history={"linked_items": 1}))
    shop.learn(*(ANNA.buy(item) for item in ("a", "c", "d")), ANNA.view("b"), ANNA.buy("e"))
    assert shop.learn(ANNA.buy("b")).co_ratings == {("b", "d"): 3.0, ("b", "e"): 3.0}


def test_an_item_is_not_paired_with_items_touched_too_long_ago() -> None:
    shop = Shop(settings_with(history={"linked_age_days": 90}))
    shop.learn(ANNA.view("old", T0), ANNA.view("edge", T0 + 1), ANNA.view("new", T0 + DAY))
    learned = shop.learn(ANNA.view("tea", T0 + 1 + 90 * DAY))
    assert learned.co_ratings == {("edge", "tea"): 1.0, ("new", "tea"): 1.0}


def test_a_row_keeps_the_items_touched_last() -> None:
    shop = Shop(settings_with(history={"max_items": 3}))
    shop.learn(*(ANNA.view(item, session=None) for item in ("a", "b", "c", "a", "d")))
    assert list(shop.row().items) == ["c", "a", "d"]


def test_sets_are_cut_to_their_first_distinct_items() -> None:
    shop = Shop(settings_with(rules={"max_set_size": 2}))
    learned = shop.learn(ANNA.buy("a", "a", "b", "c"), *(ANNA.view(item) for item in ("x", "y", "x", "z")))
    assert learned.n(ORDERS) == {"a": 1, "b": 1}
    assert learned.together(ORDERS) == {("a", "b"): 1}
    assert learned.n(SESSIONS) == {"x": 1, "y": 1}
    assert learned.together(SESSIONS) == {("x", "y"): 1}
    assert shop.n() == (1, 1)


def test_sets_are_whole_when_the_cut_is_off() -> None:
    items = [f"i{n:03}" for n in range(150)]
    shop = Shop(settings_with(rules={"max_set_size": 0}))
    learned = shop.learn(ANNA.buy(*items))
    assert len(learned.together(ORDERS)) == 150 * 149 // 2
    assert set(learned.n(ORDERS).values()) == {1}


def test_a_customer_above_the_rate_teaches_no_more_until_the_next_hour() -> None:
    shop = Shop(settings_with(rules={"max_events_per_hour": 2}))
    hour = T0 // HOUR * HOUR
    events = [ANNA.view(item, hour + n) for n, item in enumerate("abcd")]
    taught = [len(shop.learn(event).deltas) for event in events]
    assert taught == [1, 1, 0, 0]
    assert list(shop.row().items) == list("abcd")
    assert len(shop.learn(ANNA.view("e", hour + HOUR)).deltas) == 1
    # Late events count for the newest hour: nobody teaches more by going back in time.
    assert [len(shop.learn(ANNA.view(item, hour)).deltas) for item in "fg"] == [1, 0]


def test_no_pair_is_counted_of_an_item_that_did_not_teach() -> None:
    shop = Shop(settings_with(rules={"max_events_per_hour": 1}))
    hour = T0 // HOUR * HOUR
    last = hour + HOUR - SECOND
    first = shop.learn(ANNA.buy("x", at=hour), ANNA.view("a", last))
    later = shop.learn(ANNA.view("b", last + 2 * SECOND))
    assert first.n(SESSIONS) == {}
    assert later.n(SESSIONS) == {"b": 1}
    assert later.together(SESSIONS) == {}
    assert shop.n() == (1, 1)


def test_no_limit_of_the_rate_when_it_is_off() -> None:
    shop = Shop(settings_with(rules={"max_events_per_hour": 0}, history={"linked_items": 1}))
    assert len(shop.learn(*(ANNA.view(f"i{n % 9}") for n in range(1_100))).deltas) == 1_100


# -- orders and sessions ------------------------------------------------------------------------------


def test_an_order_is_a_set_of_its_distinct_items() -> None:
    shop = Shop()
    learned = shop.learn(ANNA.buy("a", "b", "a", "c"), ANNA.buy("a", "b"), ANNA.buy("c"))
    assert learned.n(ORDERS) == {"a": 2, "b": 2, "c": 2}
    assert learned.together(ORDERS) == {("a", "b"): 2, ("a", "c"): 1, ("b", "c"): 1}
    assert learned.n(SESSIONS) == {}
    assert shop.n() == (3, 0)


def test_a_session_is_counted_as_it_grows() -> None:
    shop = Shop()
    steps = [shop.learn(event) for event in (ANNA.view("a"), ANNA.view("b"), ANNA.cart("a"), ANNA.cart("c"))]
    assert [each.n(SESSIONS) for each in steps] == [{"a": 1}, {"b": 1}, {}, {"c": 1}]
    assert [each.together(SESSIONS) for each in steps] == [
        {},
        {("a", "b"): 1},
        {},
        {("a", "c"): 1, ("b", "c"): 1},
    ]
    assert shop.n() == (0, 1)


def test_purchases_and_ratings_belong_to_a_session_but_not_to_its_set() -> None:
    shop = Shop()
    learned = shop.learn(ANNA.buy("a"), ANNA.rate("b", 5.0), ANNA.view("c"))
    assert learned.n(SESSIONS) == {"c": 1}
    assert shop.n() == (1, 1)
    assert [fact.session_start for fact in learned.facts] == [True, False, False]


def test_a_session_ends_after_the_gap_and_when_its_id_changes() -> None:
    shop = Shop()
    learned = shop.learn(
        ANNA.view("a", T0, "s1"),
        ANNA.view("b", T0 + 30 * MINUTE, "s1"),
        ANNA.view("c", T0 + 60 * MINUTE + 1, "s1"),
        ANNA.view("d", T0 + 61 * MINUTE, "s2"),
    )
    assert shop.n() == (0, 3)
    assert learned.together(SESSIONS) == {("a", "b"): 1}
    assert [fact.session_start for fact in learned.facts] == [True, False, True, True]


def test_a_late_event_goes_to_the_session_whose_id_it_bears() -> None:
    shop = Shop()
    learned = shop.learn(
        ANNA.view("a", T0, "s1"), ANNA.view("x", T0 + HOUR, "s2"), ANNA.view("b", T0 + MINUTE, "s1")
    )
    assert learned.together(SESSIONS) == {("a", "b"): 1}
    assert shop.n() == (0, 2)


def test_the_last_four_sessions_accept_late_events() -> None:
    shop = Shop()
    shop.learn(*(ANNA.view("a", T0 + n * HOUR, f"s{n}") for n in range(5)))
    assert shop.n() == (0, 5)
    assert shop.learn(ANNA.view("b", T0 + HOUR, "s1")).together(SESSIONS) == {("a", "b"): 1}
    assert shop.n() == (0, 5)
    assert shop.learn(ANNA.view("b", T0, "s0")).together(SESSIONS) == {}
    assert shop.n() == (0, 6)


def test_a_session_remembers_all_that_was_acted_on_in_it_in_order() -> None:
    shop = Shop(settings_with(rules={"max_events_per_hour": 3, "max_set_size": 2}))
    shop.learn(ANNA.view("a"), ANNA.buy("b", "c", "a"), ANNA.rate("a", 1.0, at=T0), ANNA.cart("d"))
    again = ANNA.view("e", T0 + HOUR, "s2", event_id="once")
    shop.learn(again, again, ANNA.event("customer", [], T0 + HOUR, attributes={"gender": "f"}))
    assert [mark.acts for mark in shop.row().sessions] == [["a", "b", "c", "a", "a", "d"], ["e"]]
    assert [mark.items for mark in shop.row().sessions] == [["a"], ["e"]]
    shop.learn(ANNA.view("f", T0 + MINUTE, "s"))
    assert [mark.acts[-1] for mark in shop.row().sessions] == ["f", "e"]


def test_nothing_acted_on_is_remembered_after_an_erasure_or_without_consent() -> None:
    for last in (ANNA.erase(T0 + 1), ANNA.view("b", T0 + 1, profiling=False)):
        shop = Shop()
        shop.learn(ANNA.view("a"))
        assert shop.row().sessions[0].acts == ["a"]
        shop.learn(last)
        assert shop.row().sessions == []


# -- repetitions --------------------------------------------------------------------------------------


def test_a_repeated_event_id_changes_nothing() -> None:
    shop = Shop()
    event = ANNA.view("a", T0)
    shop.learn(event, ANNA.view("b", T0 + 1))
    before = shop.rows.rows(), shop.totals.rows()
    assert shop.step.learn_one(event) == []
    assert (shop.rows.rows(), shop.totals.rows()) == before


def test_a_purchase_is_recognised_by_its_event_id_and_by_its_order_id() -> None:
    shop = Shop()
    shop.learn(ANNA.buy("a", event_id="p-1", order_id="o-1"))
    assert shop.learn(ANNA.buy("a", event_id="p-2", order_id="o-1")).facts == []
    assert shop.learn(ANNA.buy("a", event_id="p-1", order_id="o-2")).facts == []
    assert shop.learn(ANNA.buy("a", event_id=None, order_id="o-1")).facts == []
    assert shop.learn(ANNA.buy("a", event_id="o-1", order_id="p-1")).facts != []
    assert shop.n() == (2, 0)


def test_ids_are_each_customers_own() -> None:
    shop = Shop()
    assert len(shop.learn(ANNA.view("a", event_id="b-1"), BERT.view("a", event_id="b-1")).facts) == 2


def test_as_many_ids_are_kept_as_the_setting_says() -> None:
    shop = Shop(settings_with(history={"max_seen": 3}))
    events = [ANNA.view("a", event_id=f"b-{n}") for n in range(4)]
    shop.learn(*events)
    assert [len(shop.learn(event).facts) for event in reversed(events)] == [0, 0, 0, 1]


def test_events_without_any_id_are_all_new() -> None:
    link = ANNA.event("link", [], T0, event_id=None, target="u2", value=1.0)
    assert len(Shop().learn(link, link).facts) == 2


# -- consent and erasure ------------------------------------------------------------------------------


def without_consent(event: Event) -> Event:
    return msgspec.structs.replace(event, profiling=False)


def test_without_consent_nothing_is_kept_but_the_ids() -> None:
    shop = Shop()
    shop.learn(ANNA.view("a"), ANNA.buy("b"))
    view = without_consent(ANNA.view("c"))
    learned = shop.learn(view)
    assert [fact.kind for fact in learned.facts] == ["erasure"]
    # What was taught with consent is taken back.
    assert learned.weights == {"a": -1.0, "b": -4.0}
    assert learned.n(ORDERS) == {"b": -1}
    assert learned.n(SESSIONS) == {"a": -1}
    assert shop.n() == (0, 0)
    row = shop.row()
    assert (row.items, row.sessions, row.behaviour.events, row.newest) == ({}, [], 0, None)
    assert len(row.seen) == 3 * 8
    assert shop.learn(view).facts == []


def test_an_order_without_consent_counts_as_a_basket_once() -> None:
    shop = Shop()
    order = without_consent(ANNA.buy("a", "b"))
    learned = shop.learn(order)
    assert learned.n(ORDERS) == {"a": 1, "b": 1}
    assert learned.together(ORDERS) == {("a", "b"): 1}
    assert (learned.weights, learned.co_ratings, shop.n()) == ({}, {}, (1, 0))
    assert shop.learn(order).deltas == []
    assert shop.n() == (1, 0)


def test_the_rate_holds_without_consent() -> None:
    shop = Shop(settings_with(rules={"max_events_per_hour": 2}))
    learned = shop.learn(*(without_consent(ANNA.buy("a", "b")) for _ in range(5)))
    assert learned.n(ORDERS) == {"a": 2, "b": 2}


def test_an_erasure_forgets_everything_up_to_its_time() -> None:
    shop = Shop()
    shop.learn(ANNA.view("a", T0), ANNA.buy("b", at=T0 + 1))
    learned = shop.learn(ANNA.erase(T0 + 10))
    assert [(fact.kind, fact.key, fact.lines, fact.features) for fact in learned.facts] == [
        ("erasure", "u:anna", [], [])
    ]
    assert shop.row() == HistoryRow(erased_until=T0 + 10)
    assert shop.step.learn_one(ANNA.view("a", T0 + 10)) == []
    assert shop.learn(ANNA.view("c", T0 + 11)).weights == {"c": 1.0}
    assert list(shop.row().items) == ["c"]


def test_an_older_erasure_that_comes_late_lets_nothing_in_again() -> None:
    shop = Shop()
    shop.learn(ANNA.erase(T0 + 10), ANNA.erase(T0))
    assert shop.step.learn_one(ANNA.view("a", T0 + 5)) == []


def test_an_erasure_takes_back_all_that_the_row_remembers() -> None:
    shop = Shop()
    learned = shop.learn(
        ANNA.view("a"), ANNA.view("b", T0 + 1), ANNA.cart("a", T0 + 2), ANNA.buy("b", "c", at=T0 + 3),
        ANNA.rate("c", 5.0, T0 + 4), ANNA.view("d", T0 + HOUR, session="t"), ANNA.erase(T0 + DAY),
    )  # fmt: skip
    assert learned.weights == {}
    assert {scope: learned.n(scope) for scope in (ORDERS, SESSIONS)} == {ORDERS: {}, SESSIONS: {}}
    assert not any(count for pairs in learned.pairs for count in pairs.values())
    assert learned.popularity == {}
    assert shop.n() == (0, 0)


def test_an_erasure_takes_back_the_last_orders_and_sessions_only() -> None:
    shop = Shop(settings_with(history={"max_orders": 1, "max_sessions": 1}))
    shop.learn(ANNA.buy("a", "b"), ANNA.view("a"), ANNA.view("b", T0 + HOUR, session="t"), ANNA.buy("c"))
    learned = shop.learn(ANNA.erase(T0 + DAY))
    assert learned.n(ORDERS) == {"c": -1}
    assert learned.n(SESSIONS) == {"b": -1}
    assert shop.n() == (1, 1)


def test_an_item_that_leaves_a_full_row_takes_what_it_added_with_it() -> None:
    shop = Shop(settings_with(history={"max_items": 2}))
    shop.learn(ANNA.view("a"), ANNA.buy("b"))
    learned = shop.learn(ANNA.view("c"))
    assert learned.weights == {"a": -1.0, "c": 1.0}
    assert learned.co_ratings == {("a", "b"): -1.0, ("a", "c"): 0.0, ("b", "c"): 1.0}
    # It may come back, and counts once.
    again = shop.learn(ANNA.view("a"))
    assert again.weights == {"a": 1.0, "b": -4.0}


def test_what_does_not_teach_is_not_taken_back() -> None:
    shop = Shop(settings_with(rules={"max_events_per_hour": 1}))
    shop.learn(ANNA.view("a"), ANNA.buy("a", "b"), ANNA.view("c"))
    learned = shop.learn(ANNA.erase(T0 + DAY))
    assert learned.weights == {"a": -1.0}
    assert (learned.co_ratings, learned.n(ORDERS)) == ({}, {})


def test_with_decay_no_more_is_taken_back_than_there_is() -> None:
    shop = Shop(Settings(rules=RulesSettings(half_life_s=3_600)))
    events = [ANNA.view("a"), ANNA.view("b", T0 + 5 * HOUR), ANNA.buy("a", "b", at=T0 + 9 * HOUR)]
    shop.learn(*events, ANNA.erase(T0 + DAY))
    row = shop.totals.get("totals")
    assert row is not None
    # Sessions count from the first event on, orders to the moment.
    assert row.totals[ORDERS] == 0
    assert row.totals[SESSIONS] == 0


def test_what_an_erasure_leaves_is_dropped_after_its_time() -> None:
    shop = Shop(settings_with(history={"erasure_ttl_s": 2 * 86_400}))
    shop.learn(ANNA.view("a"), ANNA.erase(T0 + 1), BERT.view("a"), BERT.erase(T0 + 2))
    assert shop.learn(ANNA.view("b", T0)).facts == []
    shop.learn(BERT.view("b", T0 + DAY), Shopper("u:carl").view("c", T0 + 2 * DAY - HOUR))
    assert set(shop.rows.rows()) == {"u:anna", "u:bert", "u:carl"}
    shop.learn(Shopper("u:carl").view("d", T0 + 2 * DAY + 2 * HOUR))
    assert set(shop.rows.rows()) == {"u:bert", "u:carl"}
    assert shop.chunks.rows() == {}
    assert shop.row("u:bert").items.keys() == {"b"}


def test_events_from_before_1970_teach_like_any_other() -> None:
    assert Shop().learn(ANNA.view("a", -DAY), ANNA.view("b", -DAY)).together(SESSIONS) == {("a", "b"): 1}


# -- guests -------------------------------------------------------------------------------------------


def test_guests_teach_and_are_nobodys_features() -> None:
    guest = Shopper("s:77")
    learned = Shop().learn(guest.view("a"), guest.view("b"), Shopper("o:8").buy("a", "b", session=None))
    assert learned.together(SESSIONS) == {("a", "b"): 1}
    assert learned.together(ORDERS) == {("a", "b"): 1}
    assert [fact.features for fact in learned.facts] == [[], [], []]


def test_a_guest_is_dropped_a_day_after_the_last_event_by_the_highest_time() -> None:
    shop = Shop()
    guest = Shopper("s:77")
    shop.learn(guest.view("a", T0))
    shop.learn(ANNA.view("x", T0 + DAY))
    assert shop.rows.get("s:77") is not None
    shop.learn(ANNA.view("y", T0 + DAY + HOUR))
    assert shop.rows.get("s:77") is None
    assert shop.rows.get("u:anna") is not None


def test_a_guest_who_comes_back_too_late_starts_anew_whether_or_not_the_row_was_dropped() -> None:
    shop = Shop()
    guest = Shopper("s:77")
    shop.learn(guest.view("a", T0))
    assert shop.learn(guest.view("b", T0 + DAY, "s")).co_ratings == {("a", "b"): 1.0}
    learned = shop.learn(guest.view("c", T0 + 2 * DAY + 1, "s"))
    assert learned.co_ratings == {}
    assert list(shop.row("s:77").items) == ["c"]


def test_customers_are_never_dropped() -> None:
    shop = Shop()
    shop.learn(ANNA.view("a", T0), *(BERT.view("b", T0 + n * DAY) for n in range(9)))
    assert list(shop.row().items) == ["a"]


# -- facts --------------------------------------------------------------------------------------------


def test_a_fact_says_what_was_gained_and_what_the_customer_is_like() -> None:
    shop = Shop()
    shop.learn(ANNA.view("a"))
    (fact,) = shop.learn(ANNA.buy("a", "b")).facts
    assert [line.item for line in fact.lines] == ["a", "b"]
    assert [gain / WEIGHT_ONE for gain in fact.gained] == [3.0, 4.0]
    assert (fact.key, fact.kind, fact.at) == ("u:anna", "purchase", T0)
    assert len(fact.features) > 20


def test_features_are_told_with_sessions_and_orders_and_never_left_out_for_long() -> None:
    shop = Shop(msgspec.structs.replace(EXACT, segments=SegmentsSettings(max_unsent_events=3)))
    views = [ANNA.view(f"i{n}") for n in range(8)]
    events = [*views, ANNA.buy("x"), ANNA.view("y"), ANNA.view("z", session="t"), ANNA.view("a", session="t")]
    told = [bool(fact.features) for fact in shop.learn(*events).facts]
    assert told == [True, False, False, True, False, False, True, False, True, False, True, False]


@pytest.mark.parametrize("kind", ["link", "impression", "customer"])
def test_what_is_no_action_makes_a_fact_and_no_delta(kind: str) -> None:
    shop = Shop()
    shop.learn(ANNA.view("a"))
    before = shop.row()
    learned = shop.learn(ANNA.event(kind, ["a"], T0 + 1, attributes={"gender": "f"}))
    assert (len(learned.facts), learned.deltas) == (1, [])
    assert (shop.row().items, shop.row().sessions, shop.row().newest) == (
        before.items,
        before.sessions,
        before.newest,
    )


def test_decayed_totals_weigh_newer_orders_more() -> None:
    shop = Shop(Settings(rules=RulesSettings(half_life_s=86_400)))
    day = T0 // DAY * DAY
    shop.learn(ANNA.buy("a", at=day), ANNA.buy("a", at=day + DAY), ANNA.buy("a", at=day + DAY))
    row = shop.totals.get("totals")
    assert row is not None
    assert (row.epoch, row.totals[ORDERS]) == (day // DAY + 1, 65_536 * 5 // 2)
    shop.learn(ANNA.buy("a", at=day))
    row = shop.totals.get("totals")
    assert row is not None
    assert row.totals[ORDERS] == 65_536 * 3


def test_the_key_is_the_events() -> None:
    step: HistoryStep = Shop().step
    assert step.key(ANNA.view("a")) == "u:anna"


def test_the_same_log_twice_gives_the_same_rows_and_outputs() -> None:
    events = [
        ANNA.view("a"),
        BERT.buy("b", "a"),
        ANNA.rate("b", 4.0),
        Shopper("s:1").view("a"),
        ANNA.erase(T0),
    ]
    one, two = Shop(), Shop()
    assert [one.step.learn_one(event) for event in events] == [two.step.learn_one(event) for event in events]
    assert one.rows.rows() == two.rows.rows()
    assert tally([]).weights == {}


def test_what_was_shown_last_is_kept_for_lessons_and_goes_with_an_erasure() -> None:
    shop = Shop()
    shop.learn(ANNA.view("a"), ANNA.event("impression", ["b", "c"], T0 + 5))
    shop.learn(ANNA.event("impression", ["late"], T0 + 4))
    assert (shop.row().shown, shop.row().shown_at) == (["b", "c"], T0 + 5)
    shop.learn(ANNA.event("impression", [f"i{n}" for n in range(60)], T0 + 6))
    assert (shop.row().shown, shop.row().shown_at) == ([f"i{n}" for n in range(50)], T0 + 6)
    shop.learn(ANNA.event("erasure", [], T0 + 7))
    assert shop.row().shown == []
