"""Items by number, and the best of many scored items: what all baselines share."""

from collections.abc import Iterable
from heapq import nsmallest
from typing import Final

import numpy as np
from numpy.typing import NDArray

MAX_ITEMS: Final = 1_000_000
"""Items that a baseline knows; it learns no further ones."""

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Ranking = list[tuple[str, float]]


class Names:
    """Consecutive numbers for ids, in the order in which they are first seen.

    Parameters
    ----------
    most : int
        So many ids get a number.

    Examples
    --------
    >>> names = Names(most=2)
    >>> [names.add(item) for item in ("tea", "cup", "tea", "jam")], names.get("cup"), names.get("jam")
    ([0, 1, 0, None], 1, None)
    """

    def __init__(self, most: int = MAX_ITEMS) -> None:
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}
        self._most = most

    def __len__(self) -> int:
        return len(self.texts)

    def add(self, text: str) -> int | None:
        """Return the number of an id, None when all are taken."""
        number = self._numbers.get(text)
        if number is None and len(self.texts) < self._most:
            number = self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return number

    def get(self, text: str) -> int | None:
        """Return the number of an id that has one."""
        return self._numbers.get(text)

    def of(self, texts: Iterable[str]) -> list[int]:
        """Return the numbers of those ids that have one."""
        numbers = map(self._numbers.get, texts)
        return [number for number in numbers if number is not None]


def best(scores: Floats, names: Names, k: int, *, exclude: Iterable[str], least: float = 0.0) -> Ranking:
    """Return the k items with the highest scores, ties by item id.

    Parameters
    ----------
    scores : array of float, shape (items,)
        By number.
    names : Names
        Of the items.
    k : int
        How many.
    exclude : iterable of str
        Items that can't be among them.
    least : float
        Only scores above it count.

    Examples
    --------
    >>> names = Names()
    >>> numbers = [names.add(item) for item in ("tea", "cup", "jam", "pot")]
    >>> best(np.array([1.0, 2.0, 2.0, 0.0]), names, 2, exclude=["cup"])
    [('jam', 2.0), ('tea', 1.0)]
    """
    without = names.of(exclude)
    if without:
        scores = scores.copy()
        scores[[number for number in without if number < len(scores)]] = -np.inf
    if len(scores) > k:
        bound = np.partition(scores, -k)[-k]
        places = np.flatnonzero((scores >= bound) & (scores > least))
    else:
        places = np.flatnonzero(scores > least)
    found = zip((-scores[places]).tolist(), places.tolist(), strict=True)
    texts = names.texts
    return [(item, -negative) for negative, item in nsmallest(k, ((s, texts[n]) for s, n in found))]


def grown(array: Floats, size: int) -> Floats:
    """Return the array, copied to twice its length when it has no place for so many.

    Examples
    --------
    >>> grown(np.ones(2), 3).tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    if size <= len(array):
        return array
    larger = np.zeros((max(2 * len(array), size), *array.shape[1:]))
    larger[: len(array)] = array
    return larger
