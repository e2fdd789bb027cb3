"""How good profiles are: next categories, chances and value, against what then happened."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from online_models.evaluation.bootstrap import Interval, Resamples

BINS: Final = 10


class Calibrated(NamedTuple):
    """Chances by tenths: how many, their mean, the share that came true; and the mean distance of the two."""

    error: float
    bins: list[tuple[int, float, float]]


def calibrated(chances: Sequence[float], outcomes: Sequence[bool]) -> Calibrated:
    """Hold chances against what happened.

    References
    ----------
    Naeini, Cooper, Hauskrecht: Obtaining Well Calibrated Probabilities Using Bayesian Binning, AAAI 2015.

    Examples
    --------
    >>> calibrated([0.25, 0.25, 0.9, 0.9], [True, False, True, True])
    Calibrated(error=0.175, bins=[(2, 0.25, 0.5), (2, 0.9, 1.0)])
    """
    given, true = np.array(chances), np.array(outcomes, dtype=np.float64)
    places = np.minimum((given * BINS).astype(np.intp), BINS - 1)
    bins, error = [], 0.0
    for place in np.unique(places):
        inside = places == place
        said, came = float(given[inside].mean()), float(true[inside].mean())
        bins.append((int(inside.sum()), round(said, 4), round(came, 4)))
        error += abs(said - came) * float(inside.mean())
    return Calibrated(round(error, 6), bins)


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the correlation of ranks, ties in the middle; 0 where everything is tied.

    References
    ----------
    Spearman: The Proof and Measurement of Association between Two Things, 1904.

    Examples
    --------
    >>> spearman([1, 2, 3, 4], [10, 20, 30, 40]), spearman([1, 2, 3], [3, 2, 1]), spearman([1, 1], [1, 2])
    (1.0, -1.0, 0.0)
    """
    left, right = _ranks(one), _ranks(other)
    if not left.std() or not right.std():
        return 0.0
    return round(float(np.corrcoef(left, right)[0, 1]), 6)


def _ranks(values: Sequence[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    _, place, counts = np.unique(np.array(values), return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[place], dtype=np.float64)


class Compared(NamedTuple):
    """Means of two contenders over the same questions, and the interval of their difference."""

    mean: float
    other: float
    difference: Interval


def compared(
    values: Sequence[float], others: Sequence[float], askers: Sequence[int], *, seed: int
) -> Compared:
    """Compare two contenders; whole customers are drawn, with all their questions.

    Examples
    --------
    >>> compared([1.0, 1.0], [0.5, 0.5], [0, 1], seed=1)
    Compared(mean=1.0, other=0.5, difference=Interval(low=0.5, high=0.5))
    """
    one, other = np.array(values), np.array(others)
    (interval,) = Resamples(askers, seed=seed).intervals((one - other)[:, None])
    return Compared(round(float(one.mean()), 6), round(float(other.mean()), 6), interval)
