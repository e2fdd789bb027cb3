"""How far predicted ratings are from those that were given."""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

Numbers = Sequence[float] | NDArray[np.float64]


def rmse(given: Numbers, predicted: Numbers) -> float:
    """Return the root of the mean squared error.

    Parameters
    ----------
    given, predicted : sequence of float, shape (n,)
        In the unit of the ratings.

    Raises
    ------
    ValueError
        There are none, or not as many of each.

    Examples
    --------
    >>> rmse([4.0, 2.0], [4.0, 4.0]) == 2**0.5
    True
    """
    return sqrt(float(np.mean(_errors(given, predicted) ** 2)))


def mae(given: Numbers, predicted: Numbers) -> float:
    """Return the mean absolute error; parameters as for `rmse`.

    Examples
    --------
    >>> mae([4.0, 2.0], [4.0, 4.0])
    1.0
    """
    return float(np.mean(np.abs(_errors(given, predicted))))


def _errors(given: Numbers, predicted: Numbers) -> NDArray[np.float64]:
    one, other = np.asarray(given, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if one.shape != other.shape or not one.size:
        raise ValueError(f"{one.shape} ratings and {other.shape} predictions; expected as many, at least 1")
    return one - other
