"""Intervals: as others compute them, reproducible, and by customer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.evaluation.bootstrap import Resamples, percentiles


def test_an_interval_is_about_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, 2_000)
    (interval,) = Resamples(range(2_000), seed=1).intervals(values[:, None])
    half = 1.96 * values.std() / np.sqrt(2_000)
    assert interval.low == pytest.approx(values.mean() - half, abs=half * 0.15)
    assert interval.high == pytest.approx(values.mean() + half, abs=half * 0.15)


def test_customers_are_drawn_with_all_their_questions() -> None:
    values = np.repeat(np.random.default_rng(2).normal(size=50), 40)[:, None]
    by_question = Resamples(range(2_000), seed=1).intervals(values)[0]
    by_customer = Resamples(np.repeat(np.arange(50), 40).tolist(), seed=1).intervals(values)[0]
    assert by_customer.high - by_customer.low > 4 * (by_question.high - by_question.low)


def test_the_difference_of_two_that_always_differ_by_the_same_is_certain() -> None:
    values = np.random.default_rng(3).uniform(size=(300, 1))
    means = Resamples(range(300), seed=1).means(np.hstack([values, values + 0.25]))
    (interval,) = percentiles(means[:, 1:] - means[:, :1])
    assert interval == pytest.approx((0.25, 0.25))


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(-1, 1)), min_size=1, max_size=30), st.integers(0, 99))
def test_resampled_means_stay_between_the_extremes_and_depend_on_the_seed_alone(
    asked: list[tuple[int, float]], seed: int
) -> None:
    groups, values = [group for group, _ in asked], np.array([[value] for _, value in asked])
    means = Resamples(groups, seed=seed, draws=60).means(values)
    assert means.shape == (60, 1)
    assert values.min() - 1e-9 <= means.min() <= means.max() <= values.max() + 1e-9
    assert np.array_equal(means, Resamples(groups, seed=seed, draws=60).means(values))


@pytest.mark.parametrize("groups", [[], [0, 1]])
def test_values_and_groups_must_fit(groups: list[int]) -> None:
    with pytest.raises(ValueError, match="expected one of each"):
        Resamples(groups, seed=1).means(np.zeros((len(groups) and 1, 1)))
