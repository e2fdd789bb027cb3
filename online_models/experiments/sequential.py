"""Comparing two arms at any time: intervals and p-values that stay right however often they are looked at.

The mixture sequential probability ratio test, with variances as they are estimated: an asymptotic confidence
sequence. Read it after every event, stop when it says something; the error over the whole time is what it
would be for one look at the end.
"""

import math
from typing import Final, NamedTuple

from online_models.experiments.estimates import Estimate

TIGHTEST_AT: Final = 5_000
"""Customers of both arms at which the interval is tightest; far from it, it is a little wider."""


class Difference(NamedTuple):
    """Treatment minus control, its confidence sequence as of now, and the p-value of there being none."""

    value: float
    low: float
    high: float
    p_value: float


def difference(
    control: Estimate, treatment: Estimate, *, alpha: float = 0.05, tightest_at: int = TIGHTEST_AT
) -> Difference:
    """Compare a treatment with the control.

    Parameters
    ----------
    control, treatment : Estimate
        Of the same metric.
    alpha : float
        Chance, over the whole experiment, that the interval ever misses the true difference.
    tightest_at : int
        Customers of both arms at which the interval is to be tightest.

    Notes
    -----
    With n customers, V the variance of the difference d and r^2 that of the mixing normal distribution in
    units of the variance of one customer, the likelihood ratio is

        L = (n r^2 + 1)^(-1/2) exp(d^2 / (2 V) * n r^2 / (n r^2 + 1)),

    a martingale if there is no difference [1]_. So min(1, 1 / L) is a p-value at any time, and the
    differences whose L is below 1 / alpha are the interval
    d +- sqrt(V (1 + 1 / (n r^2)) (log(n r^2 + 1) - 2 log alpha)). With V as estimated this holds in the limit
    of many customers [2]_, which also gives r for the n at which the interval shall be tightest.

    References
    ----------
    .. [1] Johari, Koomen, Pekelis, Walsh: Peeking at A/B Tests, KDD 2017.
    .. [2] Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas: Time-Uniform Central Limit Theory and Asymptotic
       Confidence Sequences, Annals of Statistics 52, 2024.

    Examples
    --------
    >>> control, treatment = (Estimate(p, p * (1 - p) / 5_000, 5_000) for p in (0.10, 0.13))
    >>> found = difference(control, treatment)
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4), found.p_value < 0.001
    (0.03, 0.0104, 0.0496, True)
    """
    n = control.customers + treatment.customers
    variance, value = control.variance + treatment.variance, treatment.value - control.value
    if variance <= 0:
        return Difference(value, -math.inf, math.inf, 1.0)
    mixed = n * _mixing(alpha, tightest_at)
    inflated = variance * (1 + 1 / mixed)
    width = math.sqrt(inflated * (math.log(mixed + 1) - 2 * math.log(alpha)))
    log_p = 0.5 * (math.log(mixed + 1) - value * value / inflated)
    return Difference(value, value - width, value + width, math.exp(min(0.0, log_p)))


def _mixing(alpha: float, tightest_at: int) -> float:
    """Return r^2 with which the interval is tightest at so many customers."""
    doubled = -2 * math.log(alpha)
    return (doubled + math.log(doubled) + 1) / tightest_at
