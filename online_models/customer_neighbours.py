"""User-user collaborative filtering, live: what customers with the same items have besides."""

from collections.abc import Sequence
from itertools import islice
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_models.customer_kernels import alike
from online_models.session_index import SessionIndex
from schemas.state import HistoryRow

ASKED: Final = 15
"""Newest items of a history with which neighbours are looked for."""

WEIGHTS: Final = np.exp(-np.arange(ASKED) / 10.0)
"""Of these items, the newest first."""

MOST_ITEMS: Final = 20_000
"""Items of neighbours that are looked at."""


class Alike(NamedTuple):
    """Items that near customers have, best first, by the numbers of the session index.

    `share` is the cosines of the neighbours who have an item by those of all neighbours, in (0, 1];
    `customers` is how many have it, `similarity` their mean cosine.
    """

    numbers: NDArray[np.int64]
    share: NDArray[np.float64]
    customers: NDArray[np.int64]
    similarity: NDArray[np.float64]


class CustomerNeighbours:
    """Finds the customers nearest to somebody and adds up what they have.

    A customer's items are those of their newest sessions; a guest is a customer. Of each of somebody's items
    the newest places are looked at, so that the cost does not grow with the number of customers. cosine =
    weights of shared items / sqrt(squared weights of the items asked with * items of the neighbour).

    Parameters
    ----------
    index : SessionIndex
        Sessions so far; only read.
    neighbours : int
        Customers who are asked.
    ring : int
        Newest places of an item in which customers are looked for.
    rows : int
        Newest rows of sessions of a neighbour.
    most : int
        Most customers who are compared.

    References
    ----------
    Herlocker, Konstan, Borchers, Riedl: An Algorithmic Framework for Performing Collaborative Filtering,
    SIGIR 1999.

    Examples
    --------
    >>> index = SessionIndex()
    >>> for key, item in (("u:a", "tea"), ("u:a", "cup"), ("u:b", "jam"), ("u:b", "pot")):
    ...     index.learn_one(key, None, item, 0)
    >>> found = CustomerNeighbours(index).find("u:c", ["tea"], most=5, without=["tea"])
    >>> [index.names[number] for number in found.numbers], found.share.tolist(), found.customers.tolist()
    (['cup'], [1.0], [1])
    """

    def __init__(
        self,
        index: SessionIndex,
        *,
        neighbours: int = 40,
        ring: int = 20,
        rows: int = 8,
        most: int = 400,
    ) -> None:
        self._index, self._neighbours, self._ring, self._rows = index, neighbours, ring, rows
        self._met = np.zeros(len(index.about), np.int64)
        self._shared = np.zeros(len(index.about))
        self._found = np.zeros(most, np.int64)
        self._items_met, self._sums = np.zeros(0, np.int64), np.zeros((0, 2))
        self._items = np.zeros(MOST_ITEMS, np.int64)
        self._base = 0

    def of_history(
        self, key: str, history: HistoryRow, *, most: int, repeat: bool = False, fewest: int = 1
    ) -> Alike:
        """Return what the customers have who are nearest to one with this history.

        Parameters
        ----------
        key : str
            Who asks, as in events.
        history : HistoryRow
            Its newest items are asked; those disliked are not, and are not wanted.
        most : int
            Most items.
        repeat : bool
            Whether what was bought or rated is wanted.
        fewest : int
            Items that fewer neighbours have are not told.
        """
        marks = history.items
        liked = (item for item, mark in reversed(marks.items()) if not mark.disliked)
        without = [item for item, mark in marks.items() if mark.disliked or (mark.had and not repeat)]
        return self.find(key, list(islice(liked, ASKED)), most=most, without=without, fewest=fewest)

    def find(
        self,
        key: str,
        items: Sequence[str],
        *,
        most: int,
        without: Sequence[str] = (),
        weights: Sequence[float] | NDArray[np.float64] = WEIGHTS,
        fewest: int = 1,
    ) -> Alike:
        """Return what the nearest customers have, at most so many items.

        Parameters
        ----------
        key : str
            Who asks, as in events; "" for somebody whose own sessions need not be left out.
        items : sequence of str
            What they have, each once, newest first; as many are asked as there are weights.
        without : sequence of str
            Items that are not wanted.
        weights : sequence of float
            Of `items`.
        fewest : int
            Items that fewer neighbours have are not told.
        """
        index, chains = self._index, self._index.customers
        mine = index.numbers(items[: len(weights)])
        asked = np.array(weights[: len(mine)], np.float64)
        if len(self._items_met) < len(index.heads):
            self._items_met = np.zeros(len(index.heads), np.int64)
            self._sums = np.zeros((len(index.heads), 2))
        self._base += max(len(mine), self._neighbours) + 1
        numbers, said = np.empty(most, np.int64), np.empty((most, 3))
        count = alike(
            index.items,
            index.links,
            index.about,
            index.heads,
            chains.of,
            chains.before,
            chains.newest,
            index.newest,
            mine,
            asked,
            index.customer_of(key),
            self._ring,
            self._rows,
            self._met,
            self._shared,
            self._found,
            self._items_met,
            self._sums,
            self._items,
            self._base,
            self._neighbours,
            index.numbers(without),
            fewest,
            numbers,
            said,
        )
        said = said[:count]
        return Alike(numbers[:count], said[:, 0], said[:, 1].astype(np.int64), said[:, 2])
