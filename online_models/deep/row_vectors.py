"""Vectors of items in one table, of which a step changes only the rows that it looked at."""

from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_FIRST_SQUARE: Final = 1e-4


class RowVectors:
    """A table of vectors; each row has its own length of steps, by Adagrad.

    A step costs what its rows cost, however many the table has. A vector begins with numbers that follow from
    the id of its item.

    Parameters
    ----------
    rows, width : int
        Shape of the table.
    rate : float
        Length of steps.
    deviation : float
        Of the numbers with which a vector begins.

    Attributes
    ----------
    vectors : array of float32, shape (rows, width)

    References
    ----------
    Duchi, Hazan, Singer: Adaptive subgradient methods, JMLR 2011.

    Examples
    --------
    >>> table = RowVectors(rows=3, width=2, rate=0.5, deviation=0.0)
    >>> table.descend(np.array([1, 1]), np.array([[1, 0], [1, 0]], np.float32))
    >>> (table.vectors < 0).tolist()
    [[False, False], [True, False], [False, False]]
    """

    def __init__(self, rows: int, width: int, *, rate: float, deviation: float) -> None:
        self.vectors: Floats = np.zeros((rows, width), np.float32)
        self._squares: Floats = np.full(rows, _FIRST_SQUARE, np.float32)
        self._rate, self._deviation = rate, deviation

    def begin(self, row: int, item: str) -> None:
        """Give a row to an item: nothing is left of the one before."""
        seed = int.from_bytes(blake2b(item.encode(), digest_size=8).digest(), "little")
        drawn = np.random.default_rng(seed).standard_normal(self.vectors.shape[1], np.float32)
        self.vectors[row] = self._deviation * drawn
        self._squares[row] = _FIRST_SQUARE

    def descend(self, rows: NDArray[np.integer], gradients: Floats) -> None:
        """Take one step against the gradients, shape (n, width), of n rows; repeated rows are added up.

        What is said of a negative row is left out.
        """
        known = rows >= 0
        distinct, places = np.unique(rows[known], return_inverse=True)
        sums = np.zeros((len(distinct), self.vectors.shape[1]), np.float32)
        np.add.at(sums, places, gradients[known])
        self._squares[distinct] += np.mean(sums * sums, axis=1)
        self.vectors[distinct] -= self._rate * sums / np.sqrt(self._squares[distinct])[:, None]
