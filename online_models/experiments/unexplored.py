"""What lists would earn if no place of them were drawn, from sums over those that were, as they come.

One policy is judged, the one that always takes the best, from the log of the one that explores. The reward is
any number that follows from a list; terms are whole lists, so nothing is assumed about how places act on each
other.
"""

import math
from collections.abc import Iterable
from typing import Final

import msgspec

from online_models.experiments.off_policy import OffPolicy, Value

MOST_EXPLORED: Final = 0.5
"""`recommend.explore` up to which a propensity tells whether the best took the place: then it is above."""

_Z: Final = 1.96


def weight_unexplored(propensities: Iterable[float | None]) -> float | None:
    """Return the weight of a list: 1 / its probability if the best one took every place, 0 if one was drawn.

    None if a place has no propensity, or there is no place. The lists were made with `recommend.explore` at
    most `MOST_EXPLORED`; a place that a rule gave has the propensity 1.

    Examples
    --------
    >>> weight_unexplored([0.8, 1.0, 0.625]), weight_unexplored([0.8, 0.05]), weight_unexplored([None])
    (2.0, 0.0, None)
    """
    probability, drawn, places = 1.0, False, 0
    for propensity in propensities:
        if propensity is None:
            return None
        places += 1
        drawn |= propensity <= MOST_EXPLORED
        probability *= propensity
    if not places:
        return None
    return 0.0 if drawn else 1.0 / probability


class WeightedSums(msgspec.Struct):
    """Sums over lists: their number, weights w, w squared, rewards r, w r, w squared r, and both squared."""

    lists: float = 0.0
    weights: float = 0.0
    squares: float = 0.0
    rewards: float = 0.0
    weighted: float = 0.0
    squared: float = 0.0

    def add(self, weight: float, reward: float) -> None:
        """Add a list whose reward is 0 or 1."""
        self.lists += 1.0
        self.weights += weight
        self.squares += weight * weight
        self.rewards += reward
        self.weighted += weight * reward
        self.squared += weight * weight * reward


def unexplored(sums: WeightedSums) -> OffPolicy | None:
    """Estimate the mean reward of lists without drawn places; None for fewer than two lists, or no weight.

    Parameters
    ----------
    sums : WeightedSums
        Of lists whose rewards are 0 or 1, each drawn by itself.

    Notes
    -----
    IPS and SNIPS are those of `off_policy`, from sums. The model of the doubly robust estimate is the mean of
    all rewards, which takes out of IPS what its weights do not sum to the number of lists.

    Where lists are only known of when something followed, as with hits by act, SNIPS alone is right: it
    compares two sums over the same lists. IPS and DR divide by their number, which would be another one.

    References
    ----------
    As for `off_policy`.

    Examples
    --------
    >>> sums = WeightedSums()
    >>> for weight, reward in ((1.25, 1), (0.0, 0), (1.25, 0), (1.25, 1), (1.25, 0)):
    ...     sums.add(weight, reward)
    >>> found = unexplored(sums)
    >>> found.ips.value, found.snips.value, found.dr.value, found.effective
    (0.5, 0.5, 0.5, 4.0)
    """
    n, total = sums.lists, sums.weights
    if n < 2 or total <= 0:
        return None
    ips = sums.weighted / n
    ratio = sums.weighted / total
    model = sums.rewards / n
    robust = model + (sums.weighted - model * total) / n
    # Rewards are 0 or 1: a sum of w * w * (r - c) ** 2 needs none but the sums that are there.
    around_model = _around(sums, model)
    return OffPolicy(
        _value(ips, sums.squared - n * ips * ips, n),
        _value(ratio, _around(sums, ratio) * (n / total) ** 2, n),
        _value(robust, around_model - n * (robust - model) ** 2, n),
        total * total / sums.squares,
    )


def _around(sums: WeightedSums, centre: float) -> float:
    """Return the sum of squares of w (r - centre)."""
    return sums.squared * (1 - 2 * centre) + sums.squares * centre * centre


def _value(value: float, squares: float, n: float) -> Value:
    error = math.sqrt(max(0.0, squares) / (n - 1) / n)
    return Value(value, error, value - _Z * error, value + _Z * error)
