"""Sums of segments: nobody is lost when customers change over, and likes are bounded."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.features import Measures
from online_models.segment_sums import apportion, heaviest, join, leave, like, move_epoch, redistribute
from schemas.clusters import SegmentSums

SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=6).filter(lambda shares: sum(shares) > 0.01)


@given(st.integers(0, 10**6), SHARES)
def test_an_apportioned_number_stays_the_same_and_is_fair(size: int, parts: list[float]) -> None:
    shares = [part / sum(parts) for part in parts]

    found = apportion(size, shares)

    assert sum(found) == size
    for n, share in zip(found, shares, strict=True):
        assert n >= 0
        assert n == pytest.approx(size * share, abs=1.0)


def test_who_joins_and_leaves_again_leaves_nothing_behind() -> None:
    sums = SegmentSums()
    for n in range(10):
        join(sums, Measures(n, n / 3, 0.0), n / 7)
    for n in range(10):
        leave(sums, Measures(n, n / 3, 0.0), n / 7)

    assert sums == SegmentSums()


def test_who_leaves_at_an_unknown_time_takes_the_mean_along() -> None:
    sums = SegmentSums(size=4, last_s=40.0)

    leave(sums, Measures(0.0, 0.0, 0.0), None)

    assert (sums.size, sums.last_s) == (3, 30.0)


def test_sums_do_not_fall_below_zero() -> None:
    sums = SegmentSums(size=2, orders=1.0, spent=5.0)

    leave(sums, Measures(3.0, 50.0, 0.0), 0.0)

    assert (sums.size, sums.orders, sums.spent) == (1, 0.0, 0.0)


def test_likes_are_bounded_and_the_heaviest_survive() -> None:
    weights: dict[str, int] = {}
    for n in range(1_000):
        like(weights, [(f"i{n}", 1), ("staple", 1)], keep=10)
        assert len(weights) <= 20

    assert heaviest(weights, 1) == [("staple", 1_000)]


def test_ties_are_broken_by_name() -> None:
    assert heaviest({"b": 1, "c": 2, "a": 1}, 3) == [("c", 2), ("a", 1), ("b", 1)]


def test_at_a_later_landmark_everything_weighs_less_and_what_became_nothing_goes() -> None:
    sums = SegmentSums(items={"a": 9, "b": 3}, categories={"c": 4})

    move_epoch([sums], from_epoch=1, to_epoch=3)

    assert (sums.items, sums.categories) == ({"a": 2}, {"c": 1})


@given(st.lists(st.tuples(st.integers(0, 1_000), st.floats(0, 1e6)), min_size=2, max_size=2), SHARES, SHARES)
def test_a_change_over_keeps_customers_and_money(
    old: list[tuple[int, float]], first: list[float], second: list[float]
) -> None:
    width = min(len(first), len(second))
    rows = [parts[:width] for parts in (first, second)]
    shares = np.array([np.array(row) / sum(row) if sum(row) else np.eye(width)[0] for row in rows])
    segments = [SegmentSums(size=size, spent=spent if size else 0.0) for size, spent in old]

    new = redistribute(segments, shares, keep=10)

    assert sum(sums.size for sums in new) == sum(size for size, _ in old)
    assert sum(sums.spent for sums in new) == pytest.approx(sum(sums.spent for sums in segments))


def test_likes_change_over_with_the_customers() -> None:
    old = [SegmentSums(size=4, items={"a": 100}, categories={"c": 10}), SegmentSums(items={"a": 7})]

    new = redistribute(old, np.array([[0.5, 0.5], [0.0, 1.0]]), keep=10)

    assert [Counter(sums.items) for sums in new] == [Counter(a=50), Counter(a=57)]
    assert [sums.categories for sums in new] == [{"c": 5}, {"c": 5}]
