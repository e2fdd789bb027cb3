"""Estimates of an arm against values worked by hand and against a bootstrap over customers."""

import numpy as np
import pytest

from online_models.experiments.estimates import METRICS, estimate, interval
from online_models.experiments.tallies import AMOUNTS, ArmChange, add
from schemas.experiments import ArmTallies, ArmTally

BY_NAME = {metric.name: metric for metric in METRICS}


def a_tally(rows: list[dict[str, int]]) -> ArmTally:
    tallies, nothing = ArmTallies({}), [0] * len(AMOUNTS)
    for row in rows:
        add(tallies, ArmChange("a:b", 1, nothing, [row.get(name, 0) for name in AMOUNTS], entered=1))
    return tallies.arms["a:b"]


def test_a_ratio_and_its_variance_are_those_worked_by_hand() -> None:
    tally = a_tally([{"lists": 1, "clicks": 1}, {"lists": 3, "clicks": 0}, {"lists": 2, "clicks": 1}])
    found = estimate(tally, BY_NAME["click_through"])
    assert found is not None
    # R = 2 / 6; residuals 1 - 1/3, 0 - 1, 1 - 2/3: squares sum to 14/9; times 3 / 2 / 36.
    assert found.value == pytest.approx(1 / 3)
    assert found.variance == pytest.approx(14 / 9 * 1.5 / 36)


def test_the_variance_of_revenue_per_visit_is_that_of_a_bootstrap_over_customers() -> None:
    rng = np.random.default_rng(8)
    visits = 1 + rng.poisson(2, 800)
    revenue = (rng.random(800) < 0.2) * rng.lognormal(3, 1, 800) * visits
    micros = np.round(revenue * 1_000_000).astype(np.int64)
    tally = a_tally([{"visits": int(v), "revenue": int(r)} for v, r in zip(visits, micros, strict=True)])
    found = estimate(tally, BY_NAME["revenue_per_visit"])
    assert found is not None
    draws = rng.integers(800, size=(2_000, 800))
    ratios = revenue[draws].sum(axis=1) / visits[draws].sum(axis=1)
    assert found.value == pytest.approx(revenue.sum() / visits.sum())
    assert found.variance == pytest.approx(ratios.var(), rel=0.1)


def test_large_amounts_lose_no_digit() -> None:
    tally = a_tally([{"visits": 1, "revenue": 10**13 + n % 2} for n in range(100)])
    found = estimate(tally, BY_NAME["revenue_per_visit"])
    assert found is not None
    # Half of them a millionth more: the variance of a mean of 0 and 1.
    assert found.variance * 10**12 == pytest.approx(0.25 / 99)


def test_shares_of_customers_have_intervals_by_wilson() -> None:
    tally = a_tally([{"buyer": 1, "repeat": 1}, *[{"buyer": 1}] * 49, *[{}] * 50])
    assert interval(tally, BY_NAME["conversion"]) == pytest.approx((0.4038, 0.5962), abs=1e-4)
    low, high = interval(tally, BY_NAME["repeat_purchase"]) or (0, 0)
    assert 0 < low < 0.01 < high < 0.06


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_of_nobody_nothing_is_said(metric: object) -> None:
    empty = ArmTally(0, 0, 0, 0, [0] * len(AMOUNTS), [bytes(16)] * 11)
    known = next(each for each in METRICS if each is metric)
    assert estimate(empty, known) is None
    assert interval(empty, known) is None
