"""Factors as a model of its own: ranks items by the product of their vectors with the customer's."""

from collections.abc import Sequence

import numpy as np

from online_models.evaluation.baselines.customers import Customers
from online_models.evaluation.contract import Query
from online_models.item_factors import ASKED, ItemFactors
from online_models.open_sessions import ACTIONS
from schemas.messages import Event


class FactorModel:
    """Ranks items by the vectors of `ItemFactors`, learning each event.

    Parameters
    ----------
    factors : ItemFactors, optional
        Nobody else may teach them.

    Examples
    --------
    >>> from schemas.messages import Line
    >>> model = FactorModel()
    >>> for n in range(60):
    ...     pair = ("tea", "cup") if n % 2 else ("ink", "pen")
    ...     for item in pair:
    ...         model.learn_one(Event(f"s:{n}", "view", n, "browses", 0, n, 0, 0, lines=[Line(item, [])]))
    >>> query = Query(key="s:new", now=99, k=1, session=["ink"], exclude=frozenset({"ink"}))
    >>> [item for item, _ in model.rank(query)]
    ['pen']
    """

    def __init__(self, factors: ItemFactors | None = None) -> None:
        self._factors = ItemFactors() if factors is None else factors
        self._customers = Customers(max_history=2 * ASKED)

    def learn_one(self, x: Event) -> None:
        if x.kind in ACTIONS:
            for line in x.lines:
                self._factors.learn_one(list(reversed(self._customers.row(x.key))), line.item)
                self._customers.add(x.key, line.item)

    def rank(self, query: Query) -> Sequence[tuple[str, float]]:
        newest = self._customers.items(query.key, query.session)[::-1]
        scored = self._factors.scores(newest)
        wanted = query.k + len(query.exclude)
        if len(scored) > wanted:
            values = np.array([score for score, _ in scored])
            least = float(np.partition(values, -wanted)[-wanted])
            scored = [each for each in scored if each[0] >= least]
        ranked = sorted((-score, item) for score, item in scored if item not in query.exclude)
        return [(item, -negative) for negative, item in ranked[: query.k]]
