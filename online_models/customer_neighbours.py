"""User-user collaborative filtering, live: what customers with the same items have besides."""

from collections.abc import Sequence
from itertools import islice
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_models.customer_kernels import cosines, had_by, sharing
from online_models.session_index import SessionIndex
from schemas.state import HistoryRow

ASKED: Final = 15
"""Newest items of a history with which neighbours are looked for."""

WEIGHTS: Final = np.exp(-np.arange(ASKED) / 10.0)
"""Of these items, the newest first."""

MOST_ITEMS: Final = 20_000
"""Items of neighbours that are looked at."""

_NOT_WANTED: Final = 2**62


class Alike(NamedTuple):
    """Items that near customers have, best first, by the numbers of the session index.

    `share` is the cosines of the neighbours who have an item by those of all neighbours, in (0, 1];
    `customers` is how many have it, `similarity` their mean cosine.
    """

    numbers: NDArray[np.int64]
    share: NDArray[np.float64]
    customers: NDArray[np.int64]
    similarity: NDArray[np.float64]

    @classmethod
    def none(cls) -> "Alike":
        """Return no items."""
        return cls(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64), np.zeros(0))


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
        index = self._index
        mine = index.numbers(items[: len(weights)])
        asked = np.array(weights[: len(mine)], np.float64)
        people, cosine = self._nearest(index.customer_of(key), mine, asked)
        if not len(people):
            return Alike.none()
        unwanted = index.numbers(without)
        numbers = self._of(people, cosine, unwanted[unwanted >= 0])
        if fewest > 1:
            numbers = numbers[self._sums[numbers, 1] >= fewest]
        sums, counts = self._sums[numbers].T
        if len(numbers) > most:
            least = np.partition(sums, len(sums) - most)[len(sums) - most]
            kept = sums >= least
            numbers, sums, counts = numbers[kept], sums[kept], counts[kept]
        order = np.argsort(-sums, kind="stable")[:most]
        numbers, sums, counts = numbers[order], sums[order], counts[order]
        return Alike(numbers, sums / cosine.sum(), counts.astype(np.int64), sums / np.maximum(counts, 1))

    def _nearest(
        self, own: int, mine: NDArray[np.int32], weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        index, chains = self._index, self._index.customers
        self._base += max(len(mine), self._neighbours) + 1
        count = sharing(
            index.items,
            index.links,
            index.heads,
            chains.of,
            mine,
            weights,
            own,
            self._ring,
            self._met,
            self._base,
            self._shared,
            self._found,
        )
        people = self._found[:count]
        cosine = np.empty(count)
        norm = float(weights @ weights)
        newest = (index.about, chains.before, chains.newest, index.newest)
        cosines(*newest, self._rows, people, self._shared, norm, cosine)
        # Of customers who are equally near, those who are met first are asked: they acted last.
        order = np.argsort(-cosine, kind="stable")[: self._neighbours]
        return people[order], cosine[order]

    def _of(
        self, people: NDArray[np.int64], cosine: NDArray[np.float64], unwanted: NDArray[np.int32]
    ) -> NDArray[np.int64]:
        index, chains = self._index, self._index.customers
        if len(self._items_met) < len(index.heads):
            self._items_met, self._sums = (
                np.zeros(len(index.heads), np.int64),
                np.zeros((len(index.heads), 2)),
            )
        self._items_met[unwanted] = _NOT_WANTED
        count = had_by(
            index.items,
            index.about,
            chains.before,
            chains.newest,
            index.newest,
            self._rows,
            people,
            cosine,
            self._items_met,
            self._base,
            self._sums,
            self._items,
        )
        self._items_met[unwanted] = 0
        found: NDArray[np.int64] = self._items[:count]
        return found
