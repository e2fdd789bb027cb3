"""Factors of items, learned event by event; a customer's vector is folded in from what they have.

So only items are kept, of nobody; a customer who is new has a vector from the first item on.
"""

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from itertools import islice
from typing import Final

import numpy as np

from online_models.factor_kernels import Floats, Matrix, fold_in, step

ASKED: Final = 20
"""Newest items from which a customer's vector is made."""

_SPAN: Final = 10.0
_DEVIATION: Final = 0.9


class ItemFactors:
    """Vectors of items: near to the vectors of customers who act on them, far from those of others.

    An event is one step of ISGD towards 1 for its item, then one towards 0 for each of the items that were
    negatives longest ago and not acted on since: recency-based negatives, without which all vectors would
    become alike. The customer's vector is that of one ALS step from the items before, newer ones weighing
    more, and is not kept. Vectors begin with numbers that follow from ids.

    Parameters
    ----------
    factors : int
        Length of vectors.
    rate, regularisation : float
        Size of a step, and the pull of vectors towards 0.
    pull : float
        The pull of a customer's vector towards 0.
    negatives : int
        Items that an event pushes away.
    items : int
        Most items; the one that was acted on longest ago makes room.

    References
    ----------
    Vinagre, Jorge, Gama: Fast Incremental Matrix Factorization for Recommendation with Positive-Only
    Feedback, UMAP 2014; the same: Collaborative filtering with recency-based negative feedback, SAC 2015
    (RAISGD); Hu, Koren, Volinsky: Collaborative Filtering for Implicit Feedback Datasets, ICDM 2008 (ALS).

    Examples
    --------
    >>> model = ItemFactors(factors=4)
    >>> for _ in range(30):
    ...     for had, item in (([], "tea"), (["tea"], "cup"), ([], "ink"), (["ink"], "pen")):
    ...         model.learn_one(had, item)
    >>> [max(model.scores([item]))[1] for item in ("tea", "ink")]
    ['cup', 'pen']
    """

    def __init__(
        self,
        *,
        factors: int = 32,
        rate: float = 0.15,
        regularisation: float = 0.01,
        pull: float = 1.0,
        negatives: int = 3,
        items: int = 100_000,
    ) -> None:
        self._rate, self._regularisation, self._pull = rate, regularisation, pull
        self._negatives, self._most = negatives, items
        self._vectors: Matrix = np.zeros((min(items, 1_024), factors))
        self._names: list[str] = []
        # Numbers by id, the item acted on longest ago first; and by who was pushed away or acted on last.
        self._numbers: OrderedDict[str, int] = OrderedDict()
        self._waiting: OrderedDict[str, None] = OrderedDict()
        self._weights = np.exp(-np.arange(ASKED) / _SPAN)
        self._gram, self._user = np.zeros((factors, factors)), np.zeros(factors)

    def __len__(self) -> int:
        return len(self._numbers)

    def learn_one(self, had: Sequence[str], item: str) -> None:
        """Learn that somebody acted on an item; `had` is what they acted on before, newest first."""
        user = self.user([each for each in islice(had, ASKED + 1) if each != item])
        self._enter(item)
        if user is None:
            return
        step(self._vectors[self._numbers[item]], user, 1.0, self._rate, self._regularisation)
        for other in list(islice(self._waiting, self._negatives)):
            if other != item:
                step(self._vectors[self._numbers[other]], user, 0.0, self._rate, self._regularisation)
                self._waiting.move_to_end(other)

    def user(self, had: Sequence[str]) -> Floats | None:
        """Return the vector of somebody who has some items, newest first; None where none is known."""
        known = [(n, self._numbers[each]) for n, each in enumerate(had[:ASKED]) if each in self._numbers]
        if not known:
            return None
        places, numbers = np.array(known, np.int64).T.copy()
        fold_in(self._vectors, numbers, self._weights[places], self._pull, self._gram, self._user)
        return self._user.copy()

    def vector(self, item: str) -> Floats:
        """Return a copy of the vector of an item; KeyError where it is not known."""
        found: Floats = self._vectors[self._numbers[item]].copy()
        return found

    def scores(self, had: Sequence[str]) -> list[tuple[float, str]]:
        """Return the products of all vectors with that of somebody with these items; none for a stranger."""
        user = self.user(had)
        if user is None:
            return []
        scores = self._vectors[: len(self._names)] @ user
        return list(zip(scores.tolist(), self._names, strict=True))

    def _enter(self, item: str) -> None:
        """Make an item the newest, with a vector."""
        if item not in self._numbers:
            self._numbers[item] = self._place(item)
            self._vectors[self._numbers[item]] = self._beginning(item)
        self._numbers.move_to_end(item)
        self._waiting[item] = None
        self._waiting.move_to_end(item)

    def _place(self, item: str) -> int:
        if len(self._names) == self._most:
            oldest, number = self._numbers.popitem(last=False)
            del self._waiting[oldest]
            self._names[number] = item
            return number
        self._names.append(item)
        if len(self._names) > len(self._vectors):
            room = np.zeros((min(len(self._vectors), self._most - len(self._vectors)), len(self._user)))
            self._vectors = np.concatenate([self._vectors, room])
        return len(self._names) - 1

    def _beginning(self, item: str) -> Floats:
        seed = int.from_bytes(blake2b(item.encode(), digest_size=8).digest(), "little")
        deviation = _DEVIATION / np.sqrt(len(self._user))
        return np.random.default_rng(seed).normal(0.0, deviation, len(self._user))
