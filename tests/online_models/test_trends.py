"""Trends: what rises in a world where that is known, within bounds, whatever comes late."""

import numpy as np

from online_models.trends import KEPT, SLICES, note, trends
from schemas.profiles import Slice


def test_what_rises_is_found_among_what_does_not() -> None:
    rng, slices = np.random.default_rng(1), dict[int, Slice]()
    for number in range(30, 30 + SLICES):
        for _ in range(500):
            name = "rising" if rng.random() < 0.02 * (number - 30) else f"i{rng.integers(20)}"
            note(slices, number, [name], ["all"])
    (first, *rest) = trends(slices, "items")
    assert (first.name, first.newer > 2 * first.older) == ("rising", True)
    assert all(each.growth < 0.02 for each in rest)
    # Shares, not numbers: what everything is in neither rises nor falls.
    assert [each.growth for each in trends(slices, "categories")] == [0.0]


def test_what_is_late_counts_in_its_slice_and_what_is_too_late_nowhere() -> None:
    slices: dict[int, Slice] = {}
    for number in (SLICES, 1, 0):
        note(slices, number, ["tea"], [])
    assert {number: each.items for number, each in slices.items()} == {SLICES: {"tea": 1}, 1: {"tea": 1}}


def test_names_keep_to_their_bound() -> None:
    slices: dict[int, Slice] = {}
    for n in range(20_000):
        note(slices, n // 100, [f"i{n}"], [])
        assert len(slices) <= SLICES
        assert all(len(each.items) <= 2 * KEPT for each in slices.values())


def test_without_an_older_half_nothing_rises() -> None:
    slices: dict[int, Slice] = {}
    note(slices, 5, ["tea"], [])
    assert trends(slices, "items") == trends({}, "items") == []
