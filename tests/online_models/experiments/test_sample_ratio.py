"""Sample ratio mismatch: known values, few false alarms however often it is looked at, and true ones."""

import numpy as np
import pytest

from online_models.experiments.sample_ratio import (
    MISMATCH,
    chi_square_p_value,
    chi_square_tail,
    sequential_p_value,
)


@pytest.mark.parametrize(
    ("statistic", "degrees", "tail"),
    [(6.6349, 1, 0.01), (9.2103, 2, 0.01), (11.3449, 3, 0.01), (9.4877, 4, 0.05), (14.0671, 7, 0.05)],
)
def test_tails_are_those_of_the_tables(statistic: float, degrees: int, tail: float) -> None:
    assert chi_square_tail(statistic, degrees) == pytest.approx(tail, abs=1e-5)


def test_one_look_at_a_fair_split_is_uniform_and_at_a_wrong_one_small() -> None:
    rng = np.random.default_rng(1)
    p_values = [
        chi_square_p_value(rng.multinomial(3_000, [0.5, 0.3, 0.2]).tolist(), [0.5, 0.3, 0.2])
        for _ in range(500)
    ]
    assert 0.02 < np.mean(np.array(p_values) < 0.05) < 0.09
    assert chi_square_p_value([1_620, 840, 540], [0.5, 0.3, 0.2]) < MISMATCH


def test_looking_after_every_hundred_customers_raises_hardly_any_false_alarm() -> None:
    rng, shares = np.random.default_rng(2), [0.5, 0.5]
    alarms = single = 0
    for _ in range(200):
        counts = rng.multinomial(100, shares, size=100).cumsum(axis=0)
        alarms += any(sequential_p_value(row, shares) < 0.05 for row in counts.tolist())
        single += any(chi_square_p_value(row, shares) < 0.05 for row in counts.tolist())
    assert alarms <= 10
    assert single > 40


def test_a_split_that_is_off_by_two_points_is_found() -> None:
    rng, found = np.random.default_rng(3), 0
    for _ in range(50):
        found += sequential_p_value(rng.multinomial(30_000, [0.52, 0.48]).tolist(), [0.5, 0.5]) < MISMATCH
    assert found == 50


def test_nobody_yet_is_no_mismatch() -> None:
    assert sequential_p_value([0, 0], [0.9, 0.1]) == 1.0
