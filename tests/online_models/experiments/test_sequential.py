"""Comparing arms at any time: false alarms under peeking, power, and what the interval covers."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from online_models.experiments.estimates import METRICS, Estimate, estimate
from online_models.experiments.sequential import difference
from online_models.experiments.tallies import AMOUNTS, PRODUCTS
from schemas.experiments import ArmTally

LOOKS = range(200, 6_001, 200)
RATIO = next(metric for metric in METRICS if metric.name == "click_through")


def customers(rng: np.random.Generator, click: float) -> NDArray[np.int64]:
    """Amounts of an arm's customers: some are shown many lists, and some click far more than others."""
    n = LOOKS[-1]
    lists = 1 + rng.poisson(3, n)
    clicks = rng.binomial(lists, rng.beta(2, 2 / click - 2, n))
    rows = np.zeros((n, len(AMOUNTS)), np.int64)
    rows[:, 0], rows[:, 1] = lists, clicks
    return rows


def looks(rows: NDArray[np.int64]) -> list[Estimate]:
    """Estimates of the click-through rate after the first customers, then more and more."""
    sums = rows.cumsum(axis=0)
    products = np.stack([rows[:, i] * rows[:, j] for i, j in PRODUCTS], axis=1).cumsum(axis=0)
    found = []
    for n in LOOKS:
        wide = [int(each).to_bytes(16, "little", signed=True) for each in products[n - 1]]
        each = estimate(ArmTally(n, 0, 0, 0, sums[n - 1].tolist(), wide), RATIO)
        assert each is not None
        found.append(each)
    return found


def test_arms_that_are_alike_are_rarely_ever_told_apart_though_one_look_after_the_other_would_do_so() -> None:
    rng, told, naive = np.random.default_rng(4), 0, 0
    for _ in range(200):
        pairs = list(zip(looks(customers(rng, 0.1)), looks(customers(rng, 0.1)), strict=True))
        told += any(difference(one, other).p_value < 0.05 for one, other in pairs)
        naive += any(
            abs(other.value - one.value) > 1.96 * math.sqrt(one.variance + other.variance)
            for one, other in pairs
        )
    assert told <= 14
    assert naive > 40


def test_the_interval_covers_the_true_difference_at_all_looks_together() -> None:
    rng, missed = np.random.default_rng(5), 0
    for _ in range(100):
        pairs = zip(looks(customers(rng, 0.1)), looks(customers(rng, 0.12)), strict=True)
        ends = [difference(one, other) for one, other in pairs]
        missed += any(not each.low <= 0.02 <= each.high for each in ends)
    assert missed <= 9


def test_a_difference_of_a_fifth_is_found() -> None:
    rng, found = np.random.default_rng(6), 0
    for _ in range(40):
        one, other = looks(customers(rng, 0.1))[-1], looks(customers(rng, 0.12))[-1]
        found += difference(one, other).low > 0
    assert found >= 38


def test_the_p_value_and_the_interval_say_the_same() -> None:
    for n in (100, 5_000, 200_000):
        for value in (0.1, 0.105, 0.12, 0.3):
            arms = Estimate(0.1, 0.09 / n, n), Estimate(value, value * (1 - value) / n, n)
            found = difference(*arms, alpha=0.05)
            assert (found.p_value < 0.05) == (not found.low <= 0 <= found.high)


def test_the_interval_is_tightest_where_it_was_asked_to_be() -> None:
    def width(tightest_at: int) -> float:
        found = difference(Estimate(0, 1, 1_000), Estimate(0, 1, 1_000), tightest_at=tightest_at)
        return found.high - found.low

    assert width(2_000) == pytest.approx(min(width(n) for n in range(500, 8_000, 100)), rel=1e-3)


def test_without_any_variance_nothing_is_said() -> None:
    found = difference(Estimate(0.0, 0.0, 50), Estimate(0.0, 0.0, 50))
    assert (found.low, found.high, found.p_value) == (-math.inf, math.inf, 1.0)
