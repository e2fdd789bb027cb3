"""What customers with the same items have besides: user-user cosine."""

from typing import Final

import numpy as np

from online_models.evaluation.baselines.customers import MAX_CUSTOMERS, Customers
from online_models.evaluation.baselines.numbered import MAX_ITEMS, Floats, Names, Ranking, best
from online_models.evaluation.contract import Query
from online_models.evaluation.relevance import ACTIONS
from schemas.messages import Event

MAX_AUDIENCE: Final = 5_000
"""Customers kept of an item, the newest ones, so that the cost of an answer does not grow for ever."""


class UserKnn:
    """Scores an item by the summed cosine of the nearest customers who have it.

    cosine = items of both / sqrt(items of one * items of the other).

    Parameters
    ----------
    neighbours : int
        Customers who are asked.
    max_items : int
        Items that are known.

    References
    ----------
    Herlocker, Konstan, Borchers, Riedl: An Algorithmic Framework for Performing Collaborative Filtering,
    SIGIR 1999.

    Examples
    --------
    >>> from schemas.messages import Line
    >>> model = UserKnn()
    >>> for key, item in (("u:a", "tea"), ("u:a", "cup"), ("u:b", "jam"), ("u:b", "pot")):
    ...     model.learn_one(Event(key, "view", 0, "browses", 0, 0, 0, 0, lines=[Line(item, [])]))
    >>> query = Query(key="u:c", now=0, k=1, session=["tea"], exclude=frozenset({"tea"}))
    >>> [item for item, _ in model.rank(query)]
    ['cup']
    """

    def __init__(self, *, neighbours: int = 50, max_items: int = MAX_ITEMS) -> None:
        self._neighbours = neighbours
        self._items, self._people, self._customers = Names(max_items), Names(MAX_CUSTOMERS), Customers()
        self._audiences: list[dict[int, None]] = []

    def learn_one(self, x: Event) -> None:
        if x.kind not in ACTIONS:
            return
        person = self._people.add(x.key)
        for line in x.lines:
            number = self._items.add(line.item)
            if number is None or person is None:
                continue
            if number == len(self._audiences):
                self._audiences.append({})
            audience = self._audiences[number]
            audience.pop(person, None)
            audience[person] = None
            if len(audience) > MAX_AUDIENCE:
                del audience[next(iter(audience))]
            self._customers.add(x.key, line.item)

    def rank(self, query: Query) -> Ranking:
        mine = self._customers.items(query.key, query.session)
        audiences = [list(self._audiences[number]) for number in self._items.of(mine)]
        if not audiences:
            return []
        people = np.concatenate([np.array(each, dtype=np.intp) for each in audiences])
        shared = np.bincount(people)
        itself = self._people.get(query.key)
        if itself is not None and itself < len(shared):
            shared[itself] = 0
        return best(self._scores(shared, len(mine)), self._items, query.k, exclude=query.exclude)

    def _scores(self, shared: "np.ndarray[tuple[int], np.dtype[np.intp]]", size: int) -> Floats:
        found = np.flatnonzero(shared)
        rows = [self._customers.row(self._people.texts[person]) for person in found.tolist()]
        sizes = np.array([max(len(row), 1) for row in rows], dtype=np.float64)
        cosines = shared[found] / np.sqrt(sizes * size)
        scores = np.zeros(len(self._items))
        # Of customers who are equally near, those who came first are asked.
        for place in np.argsort(-cosines, kind="stable")[: self._neighbours].tolist():
            scores[self._items.of(rows[place])] += cosines[place]
        return scores
