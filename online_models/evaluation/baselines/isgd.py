"""Factors learned by one gradient step per event: incremental matrix factorisation of what was done."""

from hashlib import blake2b
from typing import Final

import numpy as np

from online_models.evaluation.baselines.customers import MAX_CUSTOMERS
from online_models.evaluation.baselines.numbered import MAX_ITEMS, Floats, Names, Ranking, best, grown
from online_models.evaluation.contract import Query
from online_models.evaluation.relevance import ACTIONS
from schemas.messages import Event

_DEVIATION: Final = 0.1
"""Of the numbers with which vectors begin."""

_MOST_ERROR: Final = 2.0
"""A larger error counts as this, so that large steps can't run away."""


class Isgd:
    """Ranks items by the product of their vector with the customer's.

    Each event takes one step: e = 1 - u.v; u += rate (e v - decay u); v += rate (e u - decay v).

    Parameters
    ----------
    factors : int
        Length of the vectors.
    rate : float
        Size of a step.
    regularisation : float
        Pull towards 0.
    max_items, max_customers : int
        Vectors kept; whoever comes after that has none.

    Notes
    -----
    Somebody without a vector is taken for the mean of the vectors of the open session's items. Vectors begin
    with numbers that follow from ids alone.

    References
    ----------
    Vinagre, Jorge, Gama: Fast Incremental Matrix Factorization for Recommendation with Positive-Only
    Feedback, UMAP 2014.

    Examples
    --------
    >>> from schemas.messages import Line
    >>> model = Isgd()
    >>> for _ in range(50):
    ...     model.learn_one(Event("u:a", "view", 0, "browses", 0, 0, 0, 0, lines=[Line("tea", [])]))
    ...     model.learn_one(Event("u:b", "view", 0, "browses", 0, 0, 0, 0, lines=[Line("cup", [])]))
    >>> [item for item, _ in model.rank(Query(key="u:a", now=0, k=1))]
    ['tea']
    """

    def __init__(
        self,
        *,
        factors: int = 100,
        rate: float = 0.22,
        regularisation: float = 0.01,
        max_items: int = MAX_ITEMS,
        max_customers: int = MAX_CUSTOMERS,
    ) -> None:
        self._factors, self._rate, self._regularisation = factors, rate, regularisation
        self._items, self._people = Names(max_items), Names(max_customers)
        self._item_vectors: Floats = np.zeros((1_024, factors))
        self._people_vectors: Floats = np.zeros((1_024, factors))

    def learn_one(self, x: Event) -> None:
        if x.kind not in ACTIONS or not x.lines:
            return
        before = len(self._people)
        person = self._people.add(x.key)
        if person is None:
            return
        if person == before:
            self._people_vectors = grown(self._people_vectors, person + 1)
            self._people_vectors[person] = self._beginning("customer", x.key)
        for line in x.lines:
            item = self._item(line.item)
            if item is not None:
                self._step(self._people_vectors[person], self._item_vectors[item])

    def _item(self, name: str) -> int | None:
        before = len(self._items)
        item = self._items.add(name)
        if item == before:
            self._item_vectors = grown(self._item_vectors, item + 1)
            self._item_vectors[item] = self._beginning("item", name)
        return item

    def _step(self, u: Floats, v: Floats) -> None:
        error = min(_MOST_ERROR, max(-_MOST_ERROR, 1.0 - float(u @ v)))
        u += self._rate * (error * v - self._regularisation * u)
        v += self._rate * (error * u - self._regularisation * v)

    def _beginning(self, kind: str, name: str) -> Floats:
        digest = blake2b(f"{kind}:{name}".encode(), digest_size=8).digest()
        generator = np.random.default_rng(int.from_bytes(digest, "little"))
        return generator.normal(0.0, _DEVIATION, self._factors)

    def rank(self, query: Query) -> Ranking:
        person = self._people.get(query.key)
        if person is not None:
            mine = self._people_vectors[person]
        else:
            known = self._items.of(query.session)
            if not known:
                return []
            mine = self._item_vectors[known].mean(axis=0)
        scores = self._item_vectors[: len(self._items)] @ mine
        return best(scores, self._items, query.k, exclude=query.exclude, least=-np.inf)
