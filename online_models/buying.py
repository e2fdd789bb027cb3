"""Whether a customer will buy within the horizon: a logistic regression over recency, frequency and money.

What it is learned from, and when, is decided in `online_models.needs`.
"""

from collections.abc import Sequence
from math import exp, log, log1p, sqrt
from typing import Final

DAY_MS: Final = 86_400_000

FEATURES: Final = (
    "days since the last visit",
    "days since the last order",
    "orders expected at the pace so far",
    "orders per visit",
    "visits per day",
    "money per order",
    "days known",
)
"""What is looked at, in order; all but shares are logarithms."""

_RATE: Final = 0.1
_DECAY: Final = 1e-4
_CLIP: Final = 4.0
_FLOOR: Final = 0.05
_SLOWEST: Final = 0.0005


def features(
    *,
    now: int,
    visits: int,
    first_at: int,
    visit_at: int,
    orders: int,
    ordered_at: int,
    spent: float,
    horizon_s: int,
) -> list[float]:
    """Make the numbers named by `FEATURES`, all finite.

    Parameters
    ----------
    now, first_at, visit_at, ordered_at : int
        Epoch ms: the time asked about, of the first and last visit, and of the last order.
    visits, orders : int
        How many.
    spent : float
        On all orders.
    horizon_s : int
        Of the question.

    Examples
    --------
    >>> days = 86_400_000
    >>> told = features(now=10 * days, visits=4, first_at=0, visit_at=9 * days, orders=1,
    ...                 ordered_at=3 * days, spent=20.0, horizon_s=604_800)
    >>> [round(number, 2) for number in told]
    [0.69, 2.08, -0.25, -0.85, -0.69, 3.04, 2.4]
    """
    known = max(now - first_at, 0) / DAY_MS
    horizon = horizon_s / 86_400
    since_order = max(now - ordered_at, 0) / DAY_MS if orders else known + horizon
    # Half an order in half a horizon more is what a newcomer is taken for.
    pace = (orders + 0.5) / (known + horizon / 2) * horizon
    return [
        log1p(max(now - visit_at, 0) / DAY_MS),
        log1p(since_order),
        log(pace),
        log((orders + 0.5) / (visits + 2.0)) + 0.5387,
        log((visits + 1.0) / (known + 1.0)) + 0.0953,
        log1p(spent / orders) if orders else 0.0,
        log1p(known),
    ]


class Logistic:
    """A logistic regression that standardises what it sees and learns one answer at a time.

    Parameters
    ----------
    weights, squares : list of float, shape (features + 1,)
        The constant first; changed in place.
    means, variances : list of float, shape (features,)
        Of the features so far; changed in place.

    References
    ----------
    Duchi, Hazan, Singer: Adaptive Subgradient Methods for Online Learning and Stochastic Optimization, 2011.

    Examples
    --------
    >>> model = Logistic([0.0] * 2, [0.0] * 2, [0.0], [1.0])
    >>> for n in range(2_000):
    ...     model.learn_one([float(n % 2)], n % 2 == 1, n)
    >>> model.chance([1.0]) > 0.9, model.chance([0.0]) < 0.1
    (True, True)
    """

    def __init__(
        self, weights: list[float], squares: list[float], means: list[float], variances: list[float]
    ) -> None:
        self._weights, self._squares, self._means, self._variances = weights, squares, means, variances

    def learn_one(self, numbers: Sequence[float], outcome: bool, learned: int) -> None:
        """Learn an answer, after so many others."""
        rate = max(1.0 / (learned + 2.0), _SLOWEST)
        for place, number in enumerate(numbers):
            apart = number - self._means[place]
            self._means[place] += rate * apart
            self._variances[place] += rate * (apart * (number - self._means[place]) - self._variances[place])
        scaled = [1.0, *self._scaled(numbers)]
        error = self.chance(numbers) - outcome
        for place, value in enumerate(scaled):
            slope = error * value + (_DECAY * self._weights[place] if place else 0.0)
            self._squares[place] += slope * slope
            self._weights[place] -= _RATE * slope / (sqrt(self._squares[place]) + 1e-8)

    def chance(self, numbers: Sequence[float]) -> float:
        """Return the chance of an order."""
        return chance(self._weights, self._scaled(numbers))

    def _scaled(self, numbers: Sequence[float]) -> list[float]:
        return scaled(numbers, self._means, deviations(self._variances))


def deviations(variances: Sequence[float]) -> list[float]:
    """What features are divided by."""
    return [max(sqrt(max(each, 0.0)), _FLOOR) for each in variances]


def scaled(numbers: Sequence[float], means: Sequence[float], divisors: Sequence[float]) -> list[float]:
    """Standardise, at most 4 deviations from the mean."""
    return [
        min(max((number - mean) / divisor, -_CLIP), _CLIP)
        for number, mean, divisor in zip(numbers, means, divisors, strict=True)
    ]


def chance(weights: Sequence[float], numbers: Sequence[float]) -> float:
    """Return the chance of an order for standardised numbers; the first weight is the constant.

    Examples
    --------
    >>> chance([0.0, 1.0], [0.0]), round(chance([1.0, 1.0], [1.0]), 3)
    (0.5, 0.881)
    """
    score = weights[0] + sum(w * x for w, x in zip(weights[1:], numbers, strict=True))
    return 1.0 / (1.0 + exp(-min(max(score, -30.0), 30.0)))
