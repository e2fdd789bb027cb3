"""Session kNN, live: what sessions like the current one went on with (V-SKNN, STAN, VSTAN)."""

from collections.abc import Sequence
from functools import lru_cache
from math import exp, log10
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from online_models.evaluation.contract import Query
from online_models.neighbour_kernels import score_items
from online_models.open_sessions import ACTIONS
from online_models.session_index import SessionIndex
from schemas.messages import Event

Decay = Literal["same", "div", "linear", "log", "quadratic", "exp"]
_DAY_MS = 86_400_000
_Floats = NDArray[np.float64]


class Weighting(msgspec.Struct, frozen=True, kw_only=True):
    """How neighbours are found and weighed; a span or factor of 0 leaves that part out.

    `sample` sessions are compared, `neighbours` of them kept. `similarity` is the weighted cosine, or the
    weights of shared items by distinct items of the current session. `position` weighs the items of the
    current session, `match` a neighbour by the last of them that it shares; both by how far back they are,
    "exp" with their span. `age_days` is the span of a neighbour's age, `distance` that of places from an item
    to the last shared one; `idf` weighs rare items up. At most `length` items of the session are looked at.
    """

    sample: int = 2500
    neighbours: int = 1000
    similarity: Literal["cosine", "dot"] = "dot"
    position: Decay = "exp"
    position_span: float = 3.62
    match: Decay = "exp"
    match_span: float = 3.62
    age_days: float = 100.0
    distance: float = 0.4525
    idf: float = 1.0
    length: int = 100


VSTAN = Weighting()
STAN = Weighting(sample=1000, neighbours=500, similarity="cosine", position_span=1.81, match="same", idf=0.0)
VSKNN = Weighting(
    neighbours=1500,
    similarity="cosine",
    position="same",
    match="linear",
    age_days=0.0,
    distance=0.0,
    idf=10.0,
)


def _position_weight(decay: Decay, span: float, place: int, length: int) -> float:
    back = length - place
    match decay:
        case "div":
            return place / length
        case "linear":
            return 1 - 0.1 * back if place <= 10 else 0.0
        case "log":
            return 1 / log10(back + 1.7)
        case "quadratic":
            return (place / length) ** 2
        case _:
            return _match_weight(decay, span, back + 1)


def _match_weight(decay: Decay, span: float, step: int) -> float:
    match decay:
        case "same":
            return 1.0
        case "div":
            return 1 / step
        case "linear":
            return 1 - 0.1 * step
        case "log":
            return 1 / log10(step + 1.7)
        case "quadratic":
            return 1 / (step * step)
        case "exp":
            return exp((1 - step) / span)


@lru_cache(maxsize=1024)
def weights(weighting: Weighting, length: int) -> tuple[_Floats, _Floats]:
    """Return the weights by place of a session of some length: in the similarity, and of the last match.

    Examples
    --------
    >>> in_similarity, of_match = weights(VSKNN, 3)
    >>> in_similarity.tolist(), of_match.round(3).tolist()
    ([1.0, 1.0, 1.0], [0.7, 0.8, 0.9])
    """
    places = range(1, length + 1)
    position = [_position_weight(weighting.position, weighting.position_span, n, length) for n in places]
    match = [_match_weight(weighting.match, weighting.match_span, length - n + 1) for n in places]
    return np.array(position), np.array(match)


class SessionKnn:
    """Ranks the items of sessions that are like the current one, learning each event as it passes.

    References
    ----------
    Ludewig, Mauro, Latifi, Jannach: Empirical analysis of session-based recommendation algorithms, UMUAI 2021
    (the weightings); Kersbergen, Sprangers, Schelter: Serenade, SIGMOD 2022 (early stopping).

    Parameters
    ----------
    weighting : Weighting
        How neighbours are found and weighed.
    index : SessionIndex, optional
        Where sessions are kept; may be shared with other readers, if only one of them learns.

    Examples
    --------
    >>> knn = SessionKnn()
    >>> for at, (key, item) in enumerate((("s:a", "tea"), ("s:a", "cup"), ("s:b", "pot"), ("s:b", "mat"))):
    ...     knn.learn_view(key, item, at)
    >>> [item for item, _ in knn.rank(Query(key="s:c", now=9, k=5, session=["tea"]))]
    ['tea', 'cup']
    """

    def __init__(self, weighting: Weighting = VSTAN, index: SessionIndex | None = None) -> None:
        self.index = SessionIndex() if index is None else index
        self._weighting = weighting
        self._how = np.array(
            [
                weighting.neighbours,
                float(weighting.similarity == "cosine"),
                weighting.age_days * _DAY_MS,
                weighting.distance,
                weighting.idf,
            ]
        )
        self._lasts = np.zeros(0, np.int64)
        self._scores = np.zeros(0, np.float64)
        self._touched = np.zeros(0, np.int64)

    def learn_one(self, x: Event) -> None:
        if x.kind in ACTIONS:
            for line in x.lines:
                self.index.learn_one(x.key, x.session_id, line.item, x.at)

    def learn_view(self, key: str, item: str, at: int) -> None:
        """Learn an item without an event around it, at a time in epoch ms."""
        self.index.learn_one(key, None, item, at)

    def rank(self, query: Query) -> Sequence[tuple[str, float]]:
        scored, scores = self.scores(query)
        return best(self.index.names, scored, scores, query)

    def scores(self, query: Query) -> tuple[NDArray[np.int64], _Floats]:
        """Return all items that have a score, by number, with their scores; in no order."""
        index = self.index
        current = index.numbers(query.session[-self._weighting.length :])
        rows = index.neighbours(current, index.session_of(query.key), self._weighting.sample)
        if not len(rows):
            return np.zeros(0, np.int64), np.zeros(0)
        if len(self._scores) < len(index.heads):
            self._lasts = np.zeros(len(index.heads), np.int64)
            self._touched = np.zeros(len(index.heads), np.int64)
            self._scores = np.full(len(index.heads), np.nan)
        in_similarity, of_match = weights(self._weighting, len(current))
        found = score_items(
            index.items,
            index.about,
            index.counts,
            current,
            in_similarity,
            of_match,
            self._how,
            index.newest,
            query.now,
            rows,
            np.empty(len(rows)),
            self._lasts,
            self._scores,
            self._touched,
        )
        scored = self._touched[:found].copy()
        scores = self._scores[scored]
        self._scores[scored] = np.nan
        return scored, scores


def best(
    names: Sequence[str], scored: NDArray[np.int64], scores: _Floats, query: Query
) -> list[tuple[str, float]]:
    """Return the `query.k` best of scored items that are not excluded, ties by item id."""
    wanted = query.k + len(query.exclude)
    if len(scores) > wanted:
        least = np.partition(scores, len(scores) - wanted)[len(scores) - wanted]
        chosen = np.flatnonzero(scores >= least)
        scored, scores = scored[chosen], scores[chosen]
    found = [
        (names[number], score)
        for number, score in zip(scored.tolist(), scores.tolist(), strict=True)
        if names[number] not in query.exclude
    ]
    found.sort(key=lambda each: (-each[1], each[0]))
    return found[: query.k]
