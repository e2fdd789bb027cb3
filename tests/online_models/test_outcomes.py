"""What came of sessions: known once they end or something is bought, by event time, and bounded."""

from typing import Any

import pytest

from online_models.memory_store import MemoryStore
from online_models.outcomes import KEY, MAX_ITEMS, MAX_PAST, MAX_TRAIL, OutcomesStep
from online_models.visit_features import CATEGORIES, NEVER_DAYS, NUMBERS
from schemas.messages import Fact, Line
from schemas.settings import HistorySettings, Settings, TreesSettings
from schemas.trees import OpenVisits, Outcome, VisitRow

GAP_MS = 1_000_000
DAY_MS = 86_400_000


class Shop:
    """The step with rows to look at; a session rests for 1,000 seconds at most."""

    def __init__(self, **trees: Any) -> None:
        self.rows, self.opened = MemoryStore(VisitRow), MemoryStore(OpenVisits)
        settings = Settings(history=HistorySettings(session_gap_s=1_000), trees=TreesSettings(**trees))
        self.step = OutcomesStep(self.rows, self.opened, settings)

    def act(self, key: str, at: int, kind: str = "view", **given: Any) -> list[Outcome]:
        line = Line(given.get("item", "tea"), given.get("categories", ["drinks"]), 1.0, given.get("price"))
        start = given.get("start", False)
        return self.step.learn_one(Fact(key, kind, at, [line], [0], start, []))

    def open_keys(self) -> list[str]:
        row = self.opened.get(KEY)
        return list(row.keys) if row else []


def numbers_of(outcome: Outcome) -> dict[str, float]:
    return {number.name: x for number, x in zip(NUMBERS, outcome.numbers, strict=True)}


def test_an_order_is_the_outcome_of_all_looks_before_it() -> None:
    shop = Shop()
    assert [shop.act("u:anna", at, item=f"i{at}") for at in range(5)] == [[]] * 5
    assert shop.act("u:anna", 9, "purchase") == []
    row = shop.rows.get("u:anna")
    assert row is not None
    assert (row.orders, row.ordered_at) == (1, 9)
    for at in range(10, 13):
        assert shop.act("u:anna", at) == []
    found = shop.act("u:anna", 2 * GAP_MS)
    assert [(each.at, each.bought) for each in found] == [(0, True), (1, True), (3, True), (11, False)]


def test_a_session_ends_with_the_next_one_and_the_next_look_knows_of_it() -> None:
    shop = Shop()
    shop.act("u:anna", 0, price=4.0)
    shop.act("u:anna", 60_000, "purchase", categories=["cups"])
    found = shop.act("u:anna", DAY_MS, start=True)
    assert [(each.bought, each.next) for each in found] == [(True, "cups"), (False, "")]
    (look,) = shop.act("u:anna", 3 * DAY_MS, start=True)
    assert not look.bought
    seen = numbers_of(look)
    assert (seen["sessions"], seen["buying_share"], seen["ordered"], seen["views"]) == (1.0, 1.0, 1.0, 1.0)
    assert seen["visit_days"] == pytest.approx((DAY_MS - 60_000) / DAY_MS)
    assert dict(zip(CATEGORIES, look.categories, strict=True))["favourite"] == "drinks"


def test_a_guest_who_never_comes_back_did_not_buy_and_leaves_nothing() -> None:
    shop = Shop()
    shop.act("s:1", 0)
    assert shop.act("u:anna", GAP_MS) == []
    (look,) = shop.act("u:anna", GAP_MS + 1)
    assert (look.at, look.bought, numbers_of(look)["known"]) == (0, False, 0.0)
    assert shop.rows.get("s:1") is None
    assert shop.open_keys() == ["u:anna"]


def test_the_next_category_is_that_of_the_next_action() -> None:
    shop = Shop()
    for at, name in enumerate(["drinks", "cups", "pots", "pots", "jam"]):
        shop.act("u:anna", at, categories=[name])
    found = shop.act("u:anna", 2 * GAP_MS)
    assert [(each.at, each.next) for each in found] == [(0, "cups"), (1, "pots"), (3, "jam")]


def test_numbers_are_those_of_the_session_so_far() -> None:
    shop = Shop()
    shop.act("u:anna", 0, item="tea", price=2.0, categories=["drinks"])
    shop.act("u:anna", 4_000, item="cup", price=6.0, categories=["cups"])
    shop.act("u:anna", 5_000, item="cup", price=6.0, categories=["cups"])
    shop.act("u:anna", 9_000, "cart", item="cup", price=6.0, categories=["cups"])
    row = shop.rows.get("u:anna")
    assert row is not None
    seen = numbers_of(row.pending[-1])
    assert seen == {
        "views": 3.0,
        "carts": 1.0,
        "orders": 0.0,
        "items": 2.0,
        "repeats": 1.0,
        "categories": 2.0,
        "streak": 3.0,
        "session": 9.0,
        "pause": 4.0,
        "price": 6.0,
        "price_level": 1.2,
        "known": 1.0,
        "sessions": 0.0,
        "buying_share": 0.0,
        "ordered": 0.0,
        "order_days": NEVER_DAYS,
        "visit_days": NEVER_DAYS,
    }
    assert row.pending[-1].categories == ["cups", "drinks", "drinks", "cups"]


def test_who_rested_longest_makes_room_and_nothing_is_learned_of_the_session() -> None:
    shop = Shop(open_sessions=2)
    for at, key in enumerate(["u:anna", "s:1", "u:ben"]):
        assert shop.act(key, at) == []
    assert shop.open_keys() == ["s:1", "u:ben"]
    row = shop.rows.get("u:anna")
    assert row is not None
    assert (row.pending, row.sessions) == ([], 1)
    shop.act("u:carla", 4)
    assert shop.rows.get("s:1") is None


def test_an_erasure_leaves_nothing_and_no_outcome() -> None:
    shop = Shop()
    shop.act("u:anna", 0)
    assert shop.act("u:anna", 5, "erasure") == []
    assert shop.rows.get("u:anna") is None
    assert shop.open_keys() == []
    assert shop.act("u:ben", 5 * GAP_MS) == []


def test_what_is_kept_of_a_session_is_bounded_however_long_it_is() -> None:
    shop = Shop(looks=3)
    for at in range(500):
        shop.act("u:anna", at, item=f"i{at}", categories=[f"c{at % 40}"])
    row = shop.rows.get("u:anna")
    assert row is not None
    assert (len(row.items), len(row.trail), len(row.past)) == (MAX_ITEMS, MAX_TRAIL, MAX_PAST)
    assert [look.at for look in row.pending] == [0, 1, 3]
    assert row.seen == 500


def test_orders_without_a_customer_and_names_that_are_too_long_are_left_out() -> None:
    shop = Shop()
    assert shop.act("o:1", 0, "purchase") == []
    assert shop.open_keys() == []
    shop.act("u:anna", 0, categories=["x" * 300])
    row = shop.rows.get("u:anna")
    assert row is not None
    assert row.pending[0].categories == [""] * 4


def test_no_more_outcomes_are_told_in_a_minute_than_the_setting_says() -> None:
    shop = Shop(outcomes_per_minute=2)
    for guest in range(5):
        shop.act(f"s:{guest}", guest)
    told = [len(shop.act("u:anna", GAP_MS + 100 + n)) for n in range(4)]
    assert sum(told) == 2
    for guest in range(5, 8):
        shop.act(f"s:{guest}", 2 * GAP_MS)
    assert sum(len(shop.act("u:ben", 4 * GAP_MS + n)) for n in range(4)) == 2
