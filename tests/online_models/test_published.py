"""Prepared blocks follow the views, and there are never too many of them."""

import pytest

from online_models import published
from online_models.memory_views import MemoryViews
from online_models.published import PublishedBlocks
from schemas.settings import RecommendSettings
from tests.online_models.shop_views import partners


def test_a_row_is_prepared_once_until_the_view_has_another() -> None:
    views = MemoryViews(neighbours=[partners("tea", [("cup", 0.5, 5.0)])])
    blocks = PublishedBlocks(views, RecommendSettings())
    first = blocks.partners("tea")
    assert first is blocks.partners("tea")
    views.neighbour_rows["tea"] = partners("tea", [("pot", 0.5, 5.0)])
    second = blocks.partners("tea")
    assert second is not None
    assert second is not first
    assert second.reason(0) == {"source": "similarity", "item_id": "tea", "similarity": 0.5}
    del views.neighbour_rows["tea"]
    assert blocks.partners("tea") is None


def test_a_scope_is_prepared_once_until_the_view_has_another() -> None:
    blocks = PublishedBlocks(MemoryViews(), RecommendSettings())
    found = [("tea", 2.0)]
    assert blocks.popular("all", found) is blocks.popular("all", found)
    assert blocks.popular("all", [("tea", 2.0)]) is not blocks.popular("all", found)


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "KEPT_ROWS", 2)
    monkeypatch.setattr(published, "KEPT_NAMES", 5)
    rows = [partners(f"i{n}", [(f"x{n}", 0.5, 5.0), (f"y{n}", 0.5, 5.0)]) for n in range(4)]
    blocks = PublishedBlocks(MemoryViews(neighbours=rows), RecommendSettings())
    kept = [blocks.partners(f"i{n}") for n in range(3)]
    blocks.bound()
    assert blocks.partners("i2") is not kept[2]
    assert blocks.numbers.names == ["x2", "y2"]
    blocks.bound()
    again = blocks.partners("i2")
    assert blocks.partners("i2") is again
    for item in ("i0", "i1"):
        blocks.partners(item)
    assert blocks.partners("i2") is not again
