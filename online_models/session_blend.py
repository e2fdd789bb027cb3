"""The blend of what sessions say, its weights learned event by event: the next item of a session."""

from collections.abc import Sequence

import numpy as np

from online_models.candidate_kernels import FEATURES
from online_models.evaluation.contract import Query
from online_models.open_sessions import ACTIONS, OpenSessions
from online_models.protocols import Ranker
from online_models.ranker import ListwiseRanker
from online_models.session_candidates import Candidates, SessionCandidates
from online_models.session_index import SessionIndex
from online_models.session_knn import best
from schemas.messages import Event

_RANKED_LINES = 10
"""So many lines of one event teach the ranker; the index learns all."""


class SessionBlend:
    """Ranks what session kNN, rules, repeats and two steps propose, as an online ranker weighs them.

    Each event first teaches the ranker which of the candidates of its session came next, then the index. What
    its key looked at in sessions before is proposed as well; what nobody proposes, popularity fills up.

    Parameters
    ----------
    index : SessionIndex, optional
        Where sessions are kept; nobody else may teach it.
    ranker : Ranker, optional
        Weighs the features of `SessionCandidates`.
    sessions : OpenSessions, optional
        What sessions have held.

    Examples
    --------
    >>> blend = SessionBlend()
    >>> for n in range(20):
    ...     blend.learn_view(f"s:{n}", "tea", n)
    ...     blend.learn_view(f"s:{n}", "cup", n)
    >>> [item for item, _ in blend.rank(Query(key="s:x", now=99, k=2, session=["tea"]))]
    ['cup', 'tea']
    """

    def __init__(
        self,
        index: SessionIndex | None = None,
        ranker: Ranker | None = None,
        sessions: OpenSessions | None = None,
    ) -> None:
        self._index = SessionIndex() if index is None else index
        self._ranker: Ranker = ListwiseRanker(FEATURES) if ranker is None else ranker
        self._sessions = OpenSessions(length=50) if sessions is None else sessions
        self._candidates = SessionCandidates(self._index)

    def learn_one(self, x: Event) -> None:
        if x.kind in ACTIONS:
            for place, line in enumerate(x.lines):
                self._learn_item(x.key, x.session_id, line.item, x.at, rank=place < _RANKED_LINES)

    def learn_view(self, key: str, item: str, at: int, session_id: str | None = None) -> None:
        """Learn an item without an event around it, at a time in epoch ms."""
        self._learn_item(key, session_id, item, at, rank=True)

    def _learn_item(self, key: str, session_id: str | None, item: str, at: int, *, rank: bool) -> None:
        held = self._sessions.grow(key, session_id, item, at)
        if rank:
            self._learn_next(item, self._candidates.find(key, held.session, at, earlier=held.earlier))
        self._index.learn_one(key, session_id, item, at)

    def held(self) -> tuple[int, int]:
        """Return how many items the index holds and how many sessions are open."""
        return len(self._index.known()), len(self._sessions)

    def _learn_next(self, item: str, found: Candidates) -> None:
        number = self._index.numbers([item])[0]
        places = np.flatnonzero(found.numbers == number)
        if number >= 0 and len(places):
            self._ranker.learn_one(found.features, int(places[0]))

    def rank(self, query: Query) -> Sequence[tuple[str, float]]:
        session, earlier = self._sessions.held(query.key)
        earlier = earlier if query.session else earlier + session
        found = self._candidates.find(query.key, query.session, query.now, earlier=earlier)
        scores = self._ranker.score_many(found.features).astype(np.float64)
        ranked = best(self._index.names, found.numbers.astype(np.int64), scores, query)
        return ranked if len(ranked) == query.k else self._filled(ranked, query)

    def _filled(self, ranked: list[tuple[str, float]], query: Query) -> list[tuple[str, float]]:
        """Add the items that most sessions hold, with scores below those of the candidates."""
        has = {item for item, _ in ranked} | query.exclude
        lowest = ranked[-1][1] if ranked else 0.0
        popular = [item for item in self._index.popular(query.k + len(has)) if item not in has]
        missing = popular[: query.k - len(ranked)]
        return ranked + [(item, lowest - place) for place, item in enumerate(missing, start=1)]
