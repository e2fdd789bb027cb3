"""Any items at all: what a model has to beat before it can be said to know anything."""

from hashlib import blake2b

import numpy as np

from online_models.evaluation.baselines.numbered import MAX_ITEMS, Names, Ranking
from online_models.evaluation.contract import Query
from online_models.evaluation.relevance import ACTIONS
from schemas.messages import Event, ItemFacts


class Chance:
    """Ranks known items in an order that follows from the query alone.

    Parameters
    ----------
    max_items : int
        Items that are known.

    Notes
    -----
    The seed is made of who asks, when, and how long the session is, so that the same question gets the same
    answer.

    Examples
    --------
    >>> from schemas.messages import Line
    >>> model = Chance()
    >>> for item in ("tea", "cup", "jam"):
    ...     model.learn_one(Event("u:a", "view", 0, "browses", 0, 0, 0, 0, lines=[Line(item, [])]))
    >>> query = Query(key="u:b", now=0, k=2, exclude=frozenset({"tea"}))
    >>> sorted(item for item, _ in model.rank(query)), model.rank(query) == model.rank(query)
    (['cup', 'jam'], True)
    """

    def __init__(self, *, max_items: int = MAX_ITEMS) -> None:
        self._names = Names(max_items)

    def learn_one(self, x: Event) -> None:
        if x.kind in ACTIONS:
            for line in x.lines:
                self._names.add(line.item)

    def learn_item(self, x: ItemFacts) -> None:
        """Learn a row of the catalogue: an item need not have been acted upon to be ranked."""
        self._names.add(x.item)

    def rank(self, query: Query) -> Ranking:
        text = f"{query.key}|{query.now}|{len(query.session)}"
        seed = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")
        size, texts = len(self._names), self._names.texts
        # So many that k are left, whatever is excluded.
        some = min(size, query.k + len(query.exclude))
        drawn = np.random.default_rng(seed).choice(size, some, replace=False).tolist() if size else []
        left = [texts[number] for number in drawn if texts[number] not in query.exclude][: query.k]
        return [(item, 1.0 - place / size) for place, item in enumerate(left)]
