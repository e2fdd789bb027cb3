"""What an arm achieves: shares of customers, and ratios of sums over them, with variances.

Customers were drawn, not lists or visits: those of one customer go together. So the variance of a ratio is
taken over customers, by the delta method.
"""

import math
from typing import Final, NamedTuple

from online_models.experiments.tallies import (
    BUYER,
    CLICKS,
    CONVERTED,
    LISTS,
    RATING,
    RATINGS,
    REPEAT,
    REVENUE,
    VISITS,
    product,
)
from schemas.experiments import ArmTally

FEWEST: Final = 30
"""Customers, of each arm, below which nothing is concluded: means of fewer are far from normal."""


class Metric(NamedTuple):
    """A share of customers (`per` is None), or a ratio of two amounts; `unit` is a one of the amount."""

    name: str
    amount: int
    per: int | None = None
    unit: int = 1


METRICS: Final = (
    Metric("click_through", CLICKS, LISTS),
    Metric("list_conversion", CONVERTED, LISTS),
    Metric("conversion", BUYER),
    Metric("revenue_per_visit", REVENUE, VISITS, 1_000_000),
    Metric("repeat_purchase", REPEAT),
    Metric("satisfaction", RATING, RATINGS, 1_000),
)
"""Lists clicked of those shown; lists bought from of those shown; customers who ordered; revenue of a visit;
customers who ordered twice or more; mean rating, 0 to 1."""


class Estimate(NamedTuple):
    """A value, the variance of its error, and how many customers it rests on."""

    value: float
    variance: float
    customers: int


def estimate(tally: ArmTally, metric: Metric) -> Estimate | None:
    """Return what an arm achieves in a metric; None where nothing was seen.

    Notes
    -----
    For sums Y and X over n customers, R = Y / X has the variance
    n / (n - 1) * sum of (y - R x)^2 / X^2, where the sum is S_yy - 2 R S_xy + R^2 S_xx. All of it is computed
    in integers up to the last division, for the terms nearly cancel.

    References
    ----------
    Deng, Knoblich, Lu: Applying the Delta Method in Metric Analytics, KDD 2018.
    """
    n = tally.customers
    if metric.per is None:
        if not n:
            return None
        share = tally.sums[metric.amount] / n
        return Estimate(share, share * (1 - share) / n, n)
    y, x = tally.sums[metric.amount], tally.sums[metric.per]
    if not x or n < 2:
        return None
    yy = product(tally, metric.amount, metric.amount)
    xy = product(tally, metric.amount, metric.per)
    xx = product(tally, metric.per, metric.per)
    residual = yy * x * x - 2 * y * x * xy + y * y * xx
    variance = residual * n / ((n - 1) * x**4)
    return Estimate(y / x / metric.unit, variance / metric.unit**2, n)


def interval(tally: ArmTally, metric: Metric, z: float = 1.96) -> tuple[float, float] | None:
    """Return the interval of an arm's value for one look at it: Wilson's for a share, normal for a ratio.

    Examples
    --------
    >>> from online_models.experiments.tallies import ArmChange, add
    >>> from schemas.experiments import ArmTallies
    >>> tallies = ArmTallies({})
    >>> for n in range(10):
    ...     bought = int(n < 2)
    ...     amounts = [1, 0, 0, 1, bought, 0, 0, 0, bought, 0]
    ...     add(tallies, ArmChange("a:b", n, [0] * 10, amounts, entered=1))
    >>> conversion = next(each for each in METRICS if each.name == "conversion")
    >>> low, high = interval(tallies.arms["a:b"], conversion)
    >>> round(low, 4), round(high, 4)
    (0.0567, 0.5098)
    """
    found = estimate(tally, metric)
    if found is None:
        return None
    if metric.per is None:
        return wilson(tally.sums[metric.amount], found.customers, z)
    width = z * math.sqrt(found.variance)
    return found.value - width, found.value + width


def wilson(successes: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """Return Wilson's score interval of a share.

    References
    ----------
    Wilson: Probable Inference, the Law of Succession, and Statistical Inference, JASA 22, 1927.

    Examples
    --------
    >>> [round(end, 4) for end in wilson(0, 10)], [round(end, 4) for end in wilson(50, 100)]
    ([0.0, 0.2775], [0.4038, 0.5962])
    """
    share, square = successes / trials, z * z
    centre = (share + square / (2 * trials)) / (1 + square / trials)
    spread = math.sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    width = z * spread / (1 + square / trials)
    return max(0.0, centre - width), min(1.0, centre + width)
