"""Exact item-item cosine over who acted upon what; what a customer has asks for what goes with it."""

from array import array
from heapq import nlargest

import numpy as np

from online_models.evaluation.baselines.customers import Customers
from online_models.evaluation.baselines.numbered import MAX_ITEMS, Floats, Names, Ranking, best, grown
from online_models.evaluation.contract import Query
from online_models.evaluation.relevance import ACTIONS
from schemas.messages import Event

MAX_PARTNERS = 20_000
"""Partners counted for an item; a full row keeps the half with the largest counts."""


class Partners:
    """How many customers had an item and each of its partners."""

    __slots__ = ("_places", "counts", "numbers")

    def __init__(self) -> None:
        self.numbers, self.counts = array("i"), array("i")
        self._places: dict[int, int] = {}

    def add(self, number: int) -> None:
        """Count a partner once more."""
        place = self._places.get(number)
        if place is None:
            self._places[number] = len(self.numbers)
            self.numbers.append(number)
            self.counts.append(1)
        else:
            self.counts[place] += 1

    def cut(self, most: int) -> None:
        """Forget the partners with the smallest counts once there are more than `most`."""
        if len(self.numbers) <= most:
            return
        kept = nlargest(most // 2, zip(self.counts, self.numbers, strict=True))
        self.counts = array("i", (count for count, _ in kept))
        self.numbers = array("i", (number for _, number in kept))
        self._places = {number: place for place, (_, number) in enumerate(kept)}


class ItemCosine:
    """Scores an item by the sum of its cosine similarities to what the customer has.

    cosine = customers with both / sqrt(customers with one * customers with the other).

    Parameters
    ----------
    last : int
        Only so many of the customer's newest items ask; 0: all of them.
    with_current : bool
        The asking items are candidates, too, each with similarity 1 to itself.
    max_items : int
        Items that are counted.

    References
    ----------
    Sarwar, Karypis, Konstan, Riedl: Item-Based Collaborative Filtering Recommendation Algorithms, WWW 2001.

    Examples
    --------
    >>> from schemas.messages import Line
    >>> model = ItemCosine()
    >>> for key, item in (("u:a", "tea"), ("u:a", "cup"), ("u:b", "tea"), ("u:b", "jam"), ("u:c", "cup")):
    ...     model.learn_one(Event(key, "view", 0, "browses", 0, 0, 0, 0, lines=[Line(item, [])]))
    >>> [(item, round(score, 3)) for item, score in model.rank(Query(key="u:d", now=0, k=2, session=["tea"]))]
    [('jam', 0.707), ('cup', 0.5)]
    """

    def __init__(self, *, last: int = 0, with_current: bool = False, max_items: int = MAX_ITEMS) -> None:
        self._last, self._with_current = last, with_current
        self._names, self._customers = Names(max_items), Customers()
        self._rows: list[Partners] = []
        self._counts: Floats = np.zeros(1_024)

    def learn_one(self, x: Event) -> None:
        if x.kind not in ACTIONS:
            return
        for line in x.lines:
            number = self._names.add(line.item)
            if number is None:
                continue
            if number == len(self._rows):
                self._rows.append(Partners())
                self._counts = grown(self._counts, number + 1)
            if self._customers.add(x.key, line.item):
                self._learn_pairs(x.key, number)

    def _learn_pairs(self, key: str, number: int) -> None:
        self._counts[number] += 1
        rows, mine = self._rows, self._rows[number]
        for other in self._names.of(self._customers.row(key)):
            if other != number:
                mine.add(other)
                rows[other].add(number)
                rows[other].cut(MAX_PARTNERS)
        mine.cut(MAX_PARTNERS)

    def rank(self, query: Query) -> Ranking:
        asking = self._names.of(self._customers.items(query.key, query.session))
        if self._last:
            asking = asking[-self._last :]
        if not asking:
            return []
        size, rows, counts = len(self._names), self._rows, self._counts
        numbers = np.concatenate([np.frombuffer(rows[each].numbers, np.int32) for each in asking])
        weights = np.concatenate(
            [np.frombuffer(rows[each].counts, np.int32) / np.sqrt(counts[each]) for each in asking]
        )
        scores = np.bincount(numbers, weights, minlength=size) / np.sqrt(counts[:size])
        if self._with_current:
            scores[asking] += 1.0
        return best(scores, self._names, query.k, exclude=query.exclude)
