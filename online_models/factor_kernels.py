"""Compiled loops of factors: the vector of somebody by what they have, and one gradient step of an item."""

import numpy as np
from numpy.typing import NDArray

from online_models.compilation import compiled
from online_models.session_kernels import Ints

Floats = NDArray[np.float64]
Matrix = NDArray[np.float64]


@compiled("void(float64[:,::1], float64[::1])")
def solve(gram: Matrix, found: Floats) -> None:
    """Solve gram x = found by Cholesky's decomposition; `gram` has its lower half and is overwritten."""
    factors = len(found)
    for row in range(factors):
        for column in range(row + 1):
            left = gram[row, column]
            for k in range(column):
                left -= gram[row, k] * gram[column, k]
            gram[row, column] = np.sqrt(left) if row == column else left / gram[column, column]
    for row in range(factors):
        for k in range(row):
            found[row] -= gram[row, k] * found[k]
        found[row] /= gram[row, row]
    for row in range(factors - 1, -1, -1):
        for k in range(row + 1, factors):
            found[row] -= gram[k, row] * found[k]
        found[row] /= gram[row, row]


@compiled("void(float64[:,::1], int64[::1], float64[::1], float64, float64[:,::1], float64[::1])")
def fold_in(vectors: Matrix, had: Ints, weights: Floats, pull: float, gram: Matrix, found: Floats) -> None:
    """Find the u with the least sum of weight * (1 - u.v)^2 over what somebody has, and pull * u.u.

    Parameters
    ----------
    vectors : array, shape (items, factors)
    had, weights : array
        Numbers of items, and what each of them weighs.
    pull : float
        Pull towards 0, above 0.
    gram : array, shape (factors, factors)
        Room to work.
    found : array, shape (factors,)
        Receives u: (sum of weight v v' + pull I) u = sum of weight v.
    """
    gram[:], found[:] = 0.0, 0.0
    for row in range(len(found)):
        gram[row, row] = pull
    for n in range(len(had)):
        vector = vectors[had[n]]
        for row in range(len(found)):
            weighted = weights[n] * vector[row]
            found[row] += weighted
            for column in range(row + 1):
                gram[row, column] += weighted * vector[column]
    solve(gram, found)


@compiled("void(float64[::1], float64[::1], float64, float64, float64)")
def step(vector: Floats, user: Floats, wanted: float, rate: float, decay: float) -> None:
    """Move an item's vector: e = wanted - u.v; v += rate (e u - decay v)."""
    error = wanted
    for n in range(len(user)):
        error -= user[n] * vector[n]
    # A larger error counts as this, so that large steps can't run away.
    error = min(2.0, max(-2.0, error))
    for n in range(len(user)):
        vector[n] += rate * (error * user[n] - decay * vector[n])
