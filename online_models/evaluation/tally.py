"""What one contender's lists were worth, question by question, and what it took."""

from array import array
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from online_models import metrics
from online_models.evaluation.actions import Ask

METRICS: Final = ("hr", "recall", "precision", "f1", "mrr", "ndcg", "map")
"""Of every list, in the order of the columns of `Tally.scores`."""

PARTS: Final = ("hr", "recall", "mrr", "ndcg")
"""Of the questions of strangers, and of cold items among the right answers."""

_FUNCTIONS: Final = (
    metrics.hit_rate,
    metrics.recall,
    metrics.precision,
    metrics.f1,
    metrics.reciprocal_rank,
    metrics.ndcg,
    metrics.average_precision,
)
_PLACES: Final = [METRICS.index(name) for name in PARTS]

Floats = NDArray[np.float64]


def score_list(ranked: Sequence[str], relevant: frozenset[str], k: int) -> list[float]:
    """Return the value of each of `METRICS` for one list.

    Examples
    --------
    >>> dict(zip(METRICS, score_list(["a", "b"], frozenset("b"), 2), strict=True))["mrr"]
    0.5
    """
    if relevant.isdisjoint(ranked[:k]):
        return [0.0] * len(METRICS)
    return [of(ranked, relevant, k) for of in _FUNCTIONS]


class Tally:
    """Scores, lists and times of one contender; questions of strangers are scored apart and not timed.

    Parameters
    ----------
    k : int
        Places of a list that count.

    Examples
    --------
    >>> from online_models.evaluation.contract import Query
    >>> tally = Tally(k=2)
    >>> tally.add(Ask(Query(key="u:anna", now=0, k=2), frozenset({"tea"})), ["cup", "tea"], seconds=0.5)
    >>> tally.mean()["mrr"], tally.queries
    (0.5, 1)
    """

    def __init__(self, k: int) -> None:
        self.k = k
        self.lists: list[tuple[str, ...]] = []
        self._scores = array("d")
        self._strangers = array("d")
        self._cold = array("d")
        self._new = array("d")
        self.learn_s = array("d")
        self.recommend_s = array("d")

    def add(self, ask: Ask, ranked: Sequence[str], *, seconds: float) -> None:
        """Score one answer."""
        found = score_list(ranked, ask.relevant, self.k)
        if ask.stranger:
            self._strangers.extend(found)
        else:
            self._scores.extend(found)
            self.recommend_s.append(seconds)
            if ask.new:
                self._new.extend(found if ask.new == ask.relevant else score_list(ranked, ask.new, self.k))
        if ask.cold:
            cold = found if ask.cold == ask.relevant else score_list(ranked, ask.cold, self.k)
            self._cold.extend(cold)
        self.lists.append(tuple(ranked[: self.k]))

    @property
    def queries(self) -> int:
        """Questions of those of whom something is known."""
        return len(self._scores) // len(METRICS)

    @property
    def scores(self) -> Floats:
        """Array of (queries, metrics)."""
        return _table(self._scores)

    @property
    def scores_of_new(self) -> Floats:
        """Array of (queries, metrics): known customers' questions about new items, scored against these."""
        return _table(self._new)

    def mean(self) -> dict[str, float]:
        """Each metric, strangers left out; 0 without a question."""
        return _means(self._scores, range(len(METRICS)))

    def of_everyone(self) -> dict[str, float]:
        """`PARTS` over all questions, those of strangers among them, and how many there were."""
        return _part(self._scores + self._strangers)

    def of_strangers(self) -> dict[str, float]:
        """`PARTS` over the questions of strangers, and how many there were."""
        return _part(self._strangers)

    def of_cold_items(self) -> dict[str, float]:
        """`PARTS` over questions with cold right answers, scored against these alone, and how many."""
        return _part(self._cold)


def _table(flat: "array[float]") -> Floats:
    return np.array(flat, dtype=np.float64).reshape(-1, len(METRICS))


def _means(flat: "array[float]", places: Sequence[int]) -> dict[str, float]:
    table = _table(flat)
    values = table.mean(axis=0) if len(table) else np.zeros(len(METRICS))
    return {METRICS[place]: float(values[place]) for place in places}


def _part(flat: "array[float]") -> dict[str, float]:
    return {"queries": float(len(flat) // len(METRICS)), **_means(flat, _PLACES)}
