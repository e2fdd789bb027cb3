"""Reasons and segments as people read them, with the names that the reader knows."""

from typing import Any

import pytest

from schemas.recommendations import SegmentProfile
from streams.in_words import in_words, segment_in_words

TITLES = {"tea": "Green tea", "cup": "Cup"}
REASONS: list[tuple[dict[str, Any], str]] = [
    ({"source": "similarity", "item_id": "tea", "similarity": 0.5}, "similar to Green tea (0.50)"),
    (
        {"source": "rules", "item_id": "cup", "scope": "sessions", "lift": 2.0, "confidence": 0.25},
        "viewed with Cup (lift 2.0, 25%)",
    ),
    ({"source": "popularity", "scope": "all", "value": 1.0}, "popular: all"),
    (
        {"source": "session", "session_items": ["tea", "x"], "similarity": 0.3},
        "in sessions with Green tea, x (30%)",
    ),
    ({"source": "content", "item_id": "tea", "attributes": ["organic"]}, "like Green tea: organic"),
    ({"source": "factors"}, "factors"),
]


@pytest.mark.parametrize(("reason", "words"), REASONS)
def test_items_in_a_reason_are_called_by_their_names(reason: dict[str, Any], words: str) -> None:
    assert in_words(reason, lambda item: TITLES.get(item, item)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5.0, "5 seconds"), (90.0, "1.5 minutes"), (7_200.0, "2.0 hours"), (864_000.0, "10.0 days")],
)
def test_a_segment_is_told_with_times_in_their_unit(seconds: float, words: str) -> None:
    profile = SegmentProfile("1", 1, seconds, 0.0, 0.0, [], [], 0)
    assert segment_in_words(profile) == f"1 customer, 0.0 orders and 0.00 spent each, last seen {words} ago"


def test_a_segment_names_its_first_three_categories_and_items() -> None:
    profile = SegmentProfile("1", 1_200, 5.0, 2.0, 9.5, ["a", "b", "c", "d"], ["tea", "x"], 0)
    told = segment_in_words(profile, lambda item: TITLES.get(item, item))
    assert told.startswith("1,200 customers, ")
    assert told.endswith("; mostly a, b, c; they like Green tea, x")
