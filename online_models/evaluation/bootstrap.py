"""How certain a mean over questions is: bootstrap intervals, also of the difference of two contenders.

Questions of one customer or session hang together, so customers are drawn, each with all their questions.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

DRAWS: Final = 1_000
CONFIDENCE: Final = 0.95
_TOGETHER: Final = 50
"""Draws made at a time, to bound memory."""

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """Bounds between which a mean lies with `CONFIDENCE`."""

    low: float
    high: float


class Resamples:
    """Means over questions, each time with other customers drawn, with repetition.

    Parameters
    ----------
    groups : sequence of int, shape (queries,)
        Who asked each question, as numbers from 0 on.
    seed : int
        The same seed draws the same customers.
    draws : int
        How often customers are drawn.

    References
    ----------
    Efron, Tibshirani: An Introduction to the Bootstrap, 1993, chapter 13 (percentile intervals).
    Field, Welsh: Bootstrapping Clustered Data, Journal of the Royal Statistical Society B 69(3), 2007.

    Examples
    --------
    >>> resamples = Resamples([0, 0, 1, 2], seed=1)
    >>> resamples.intervals(np.array([[0.5], [0.5], [0.5], [0.5]]))
    [Interval(low=0.5, high=0.5)]
    """

    def __init__(self, groups: Sequence[int], *, seed: int, draws: int = DRAWS) -> None:
        self._groups = np.asarray(groups, dtype=np.intp)
        self._seed, self._draws = seed, draws

    def means(self, values: Floats) -> Floats:
        """Return the resampled means of each column.

        Parameters
        ----------
        values : array of float, shape (queries, columns)
            What each question brought.

        Returns
        -------
        array of float, shape (draws, columns)
        """
        if len(values) != len(self._groups) or not len(values):
            raise ValueError(f"{len(values)} values of {len(self._groups)} questions; expected one of each")
        size = int(self._groups.max()) + 1
        counted = np.bincount(self._groups, minlength=size)
        sums = np.zeros((size, values.shape[1]))
        np.add.at(sums, self._groups, values)
        there = counted > 0
        sums, counts = sums[there], counted[there].astype(np.float64)
        generator, size = np.random.default_rng(self._seed), len(counts)
        found = np.empty((self._draws, values.shape[1]))
        for start in range(0, self._draws, _TOGETHER):
            some = min(_TOGETHER, self._draws - start)
            drawn = generator.multinomial(size, np.full(size, 1 / size), size=some).astype(np.float64)
            found[start : start + some] = (drawn @ sums) / (drawn @ counts)[:, None]
        return found

    def intervals(self, values: Floats) -> list[Interval]:
        """Return the interval of the mean of each column."""
        return percentiles(self.means(values))


def percentiles(means: Floats) -> list[Interval]:
    """Return the central interval of each column of resampled means.

    Examples
    --------
    >>> percentiles(np.linspace(0, 1, 1001)[:, None])
    [Interval(low=0.025, high=0.975)]
    """
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return [Interval(round(float(a), 9), round(float(b), 9)) for a, b in zip(low, high, strict=True)]
