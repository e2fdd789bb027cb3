"""What everybody acts upon, for everybody: counted, or decayed so that the newest counts most."""

from typing import Final

import numpy as np

from online_models.evaluation.baselines.numbered import MAX_ITEMS, Floats, Names, Ranking, best, grown
from online_models.evaluation.contract import Query
from online_models.evaluation.relevance import ACTIONS
from schemas.messages import Event

_FARTHEST: Final = 500.0
"""Half-lives after which weights are expressed as of a later time, far below what a float can hold."""


class Popularity:
    """Ranks items by how often they were acted upon.

    Parameters
    ----------
    half_life_s : float
        An action weighs half as much after it; 0: all weigh the same.
    max_items : int
        Items that are counted.

    References
    ----------
    Cormode, Shkapenyuk, Srivastava, Xu: Forward Decay, ICDE 2009 (decayed counts).

    Examples
    --------
    >>> from schemas.messages import Line
    >>> def view(at, item):
    ...     return Event("u:anna", "view", at, "browses", 0, 0, 0, 0, lines=[Line(item, [])])
    >>> counted, decayed = Popularity(), Popularity(half_life_s=1.0)
    >>> for model in (counted, decayed):
    ...     for at, item in ((0, "tea"), (0, "tea"), (5_000, "cup")):
    ...         model.learn_one(view(at, item))
    >>> query = Query(key="u:bert", now=5_000, k=1)
    >>> counted.rank(query), [item for item, _ in decayed.rank(query)]
    ([('tea', 2.0)], ['cup'])
    """

    def __init__(self, *, half_life_s: float = 0.0, max_items: int = MAX_ITEMS) -> None:
        if half_life_s < 0:
            raise ValueError(f"half_life_s is {half_life_s}; expected 0 (no decay) or a positive number")
        self._half_life_ms = half_life_s * 1000
        self._names = Names(max_items)
        self._weights: Floats = np.zeros(1_024)
        self._landmark = 0.0

    def learn_one(self, x: Event) -> None:
        if x.kind not in ACTIONS:
            return
        weight = self._weight(x.at)
        for line in x.lines:
            number = self._names.add(line.item)
            if number is not None:
                self._weights = grown(self._weights, number + 1)
                self._weights[number] += weight

    def rank(self, query: Query) -> Ranking:
        return best(self._weights[: len(self._names)], self._names, query.k, exclude=query.exclude)

    def _weight(self, at: int) -> float:
        if not self._half_life_ms:
            return 1.0
        if not len(self._names):
            self._landmark = float(at)
        age = (at - self._landmark) / self._half_life_ms
        if age > _FARTHEST:
            self._weights *= 2.0 ** -min(age, 2 * _FARTHEST)
            self._landmark, age = float(at), 0.0
        return float(2.0 ** max(age, -2 * _FARTHEST))
