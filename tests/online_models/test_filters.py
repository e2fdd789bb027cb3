"""Each filter alone; the lists' property tests hold them together."""

from online_models.filters import Filters
from online_models.memory_views import MemoryViews
from online_models.protocols import Request
from schemas.settings import RecommendSettings, Seen
from schemas.state import HistoryRow, ItemMark
from tests.online_models.shop_views import NOW, bought, facts, history, viewed

SHOP = MemoryViews(items=[facts("gone", available=False), facts("tea")])
RATED_LOW = ItemMark(0, NOW, had=True, disliked=True)


def filters(row: HistoryRow | None = None, *, repeat: bool = False) -> Filters:
    request = Request(history=row, now=NOW, exclude=frozenset({"cup"}))
    return Filters(SHOP, request, RecommendSettings(repeat_purchases=repeat))


def test_unavailable_and_excluded_items_are_left_out() -> None:
    assert [item for item in ("gone", "tea", "cup", "unknown") if filters().admit(item)] == ["tea", "unknown"]


def test_items_had_are_left_out_unless_repeats_are_wanted() -> None:
    row = history(tea=bought(), jam=viewed())
    assert [filters(row).admit(item) for item in ("tea", "jam")] == [False, True]
    assert filters(row, repeat=True).admit("tea")


def test_disliked_items_are_left_out_always() -> None:
    assert not filters(history(tea=RATED_LOW), repeat=True).admit("tea")


def test_looked_at_is_what_was_neither_bought_nor_rated() -> None:
    found = filters(history(tea=bought(), jam=viewed()))
    assert [found.looked_at(item) for item in ("tea", "jam", "other")] == [False, True, False]
    assert [found.is_new(item) for item in ("tea", "jam", "other", "cup")] == [False, False, True, False]


def test_of_a_category_only_its_items_are_admitted_and_none_that_nobody_knows() -> None:
    shop = MemoryViews(
        items=[
            facts("tea", ["food", "gifts"]),
            facts("cup", ["kitchen"]),
            facts("ham", ["food"], available=False),
        ]
    )
    asked = Filters(shop, Request(history=None, now=NOW, category="food"), RecommendSettings())
    assert [item for item in ("tea", "cup", "ham", "unknown") if asked.admit(item)] == ["tea"]


def test_what_was_seen_lately_is_kept_demoted_or_left_out() -> None:
    day_ms = 86_400_000
    row = history(tea=viewed(NOW - day_ms), cup=viewed(NOW - 3 * day_ms), pot=bought())
    request = Request(history=row, now=NOW)
    ranked = [("tea", 0.9), ("cup", 0.8), ("jam", 0.5)]

    def filters_with(seen: Seen) -> Filters:
        return Filters(SHOP, request, RecommendSettings(seen=seen, seen_window_s=2 * 86_400, seen_factor=0.5))

    keeping, demoting, leaving = filters_with("keep"), filters_with("demote"), filters_with("exclude")
    assert keeping.reordered(ranked) is ranked
    assert list(demoting.reordered(ranked)) == [("cup", 0.8), ("jam", 0.5), ("tea", 0.45)]
    assert [keeping.admit("tea"), demoting.admit("tea"), leaving.admit("tea")] == [True, True, False]
    assert leaving.admit("cup")
    assert [item for item in ("tea", "cup", "pot", "jam") if leaving.seen(item)] == ["tea"]


def test_at_the_edge_of_the_window_an_item_is_seen() -> None:
    using = RecommendSettings(seen="exclude", seen_window_s=1)
    for ago, admitted in ((1_000, False), (1_001, True)):
        request = Request(history=history(tea=viewed(NOW - ago)), now=NOW)
        assert Filters(SHOP, request, using).admit("tea") is admitted
