"""What followed the last item before: a Markov chain of first order over each customer's actions."""

from heapq import nlargest, nsmallest
from typing import Final

from online_models.evaluation.baselines.customers import MAX_CUSTOMERS
from online_models.evaluation.baselines.numbered import MAX_ITEMS, Ranking
from online_models.evaluation.contract import Query
from online_models.evaluation.relevance import ACTIONS
from schemas.messages import Event

MAX_FOLLOWERS: Final = 1_000
"""Followers counted for an item; a full row keeps the half with the largest counts."""


class Markov:
    """Ranks items by the share of times that they followed the last one.

    Parameters
    ----------
    max_items, max_customers : int
        Items with followers, and customers whose last item is kept; whoever came first makes room.

    References
    ----------
    Zimdars, Chickering, Meek: Using Temporal Data for Making Recommendations, UAI 2001.

    Examples
    --------
    >>> from schemas.messages import Line
    >>> model = Markov()
    >>> for item in ("tea", "cup", "tea", "jam", "tea", "cup"):
    ...     model.learn_one(Event("u:a", "view", 0, "browses", 0, 0, 0, 0, lines=[Line(item, [])]))
    >>> model.rank(Query(key="u:b", now=0, k=2, session=["tea"]))
    [('cup', 0.6666666666666666), ('jam', 0.3333333333333333)]
    """

    def __init__(self, *, max_items: int = MAX_ITEMS, max_customers: int = MAX_CUSTOMERS) -> None:
        self._max_items, self._max_customers = max_items, max_customers
        self._last: dict[str, str] = {}
        self._followers: dict[str, dict[str, int]] = {}

    def learn_one(self, x: Event) -> None:
        if x.kind not in ACTIONS or not x.lines:
            return
        for line in x.lines:
            previous = self._last.pop(x.key, None)
            if previous is not None:
                self._count(previous, line.item)
            elif len(self._last) >= self._max_customers:
                del self._last[next(iter(self._last))]
            self._last[x.key] = line.item

    def _count(self, previous: str, item: str) -> None:
        row = self._followers.get(previous)
        if row is None:
            if len(self._followers) >= self._max_items:
                del self._followers[next(iter(self._followers))]
            row = self._followers[previous] = {}
        row[item] = row.get(item, 0) + 1
        if len(row) > MAX_FOLLOWERS:
            kept = nlargest(MAX_FOLLOWERS // 2, ((count, each) for each, count in row.items()))
            self._followers[previous] = {each: count for count, each in kept}

    def rank(self, query: Query) -> Ranking:
        last = query.session[-1] if query.session else self._last.get(query.key)
        row = self._followers.get(last) if last is not None else None
        if not row:
            return []
        total, exclude = sum(row.values()), query.exclude
        scored = ((-count / total, item) for item, count in row.items() if item not in exclude)
        return [(item, -negative) for negative, item in nsmallest(query.k, scored)]
