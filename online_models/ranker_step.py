"""The ranker of lists as a step: learns from lessons, one after another, and gives its weights out."""

import numpy as np
from numpy.typing import NDArray

from online_models.list_features import FEATURES, VERSION, prior
from online_models.protocols import Store
from online_models.ranker import ListwiseRanker
from schemas.messages import Lesson, RankerWeights
from schemas.state import RankerRow

KEY = "ranker"
"""The key of everything: there is one ranker."""


class RankerStep:
    """Learns which candidates of a list are acted on next.

    Parameters
    ----------
    rows : Store of RankerRow
        One row.

    Notes
    -----
    A lesson whose features mean something else, from an older or a newer version, is passed over; weights
    that were learned of others are begun anew.

    Examples
    --------
    >>> from online_models.memory_store import MemoryStore
    >>> step = RankerStep(MemoryStore(RankerRow))
    >>> features = np.zeros((2, FEATURES), np.float16)
    >>> features[1, 0] = 1
    >>> for at in range(20):
    ...     _ = step.learn_one(Lesson(at, VERSION, FEATURES, [1], features.tobytes()))
    >>> step.weights().learned
    20
    """

    def __init__(self, rows: Store[RankerRow]) -> None:
        self._rows = rows

    def key(self, x: Lesson) -> str:  # noqa: ARG002  # there is one ranker
        return KEY

    def learn_one(self, x: Lesson) -> list[RankerWeights]:
        """Learn a lesson; the weights are published by whoever asks for them."""
        if (x.version, x.width) != (VERSION, FEATURES):
            return []
        row = self._row() or _begun()
        ranker = _over(row)
        features = _features(x)
        for place in x.chosen:
            ranker.learn_one(features, place)
        row.learned += 1
        self._rows.put(KEY, row)
        return []

    def loss(self, x: Lesson) -> float | None:
        """Return the mean log loss, in nats, of what was chosen in a lesson; None if it can't be scored."""
        row = self._row()
        if row is None or (x.version, x.width) != (VERSION, FEATURES) or not x.chosen:
            return None
        scores = _over(row).score_many(_features(x)).astype(np.float64)
        total = scores.max() + np.log(np.exp(scores - scores.max()).sum())
        return float(np.mean(total - scores[list(x.chosen)]))

    def weights(self) -> RankerWeights | None:
        """Return the weights as they are; None before the first lesson."""
        row = self._row()
        if row is None:
            return None
        units = len(row.out) // 4
        return RankerWeights(VERSION, row.learned, row.width, units, bytes(row.weights), bytes(row.out))

    def _row(self) -> RankerRow | None:
        row = self._rows.get(KEY)
        return row if row is not None and (row.version, row.width) == (VERSION, FEATURES) else None


def _features(x: Lesson) -> NDArray[np.float32]:
    return np.frombuffer(x.features, "<f2").reshape(-1, x.width).astype(np.float32)


def _begun() -> RankerRow:
    arrays = ListwiseRanker(FEATURES, prior=prior()).arrays()
    return RankerRow(VERSION, FEATURES, 0, *(bytearray(each.tobytes()) for each in arrays))


def _over(row: RankerRow) -> ListwiseRanker:
    """Return a ranker that changes the row as it learns."""
    weights, out, squares, out_squares = (
        np.frombuffer(each, np.float32) for each in (row.weights, row.out, row.squares, row.out_squares)
    )
    return ListwiseRanker.over(weights, out, squares, out_squares)
