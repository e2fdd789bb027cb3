"""Serves a deep model only while its lists prove no worse than those of a shallow one: test, then learn."""

from collections import deque
from collections.abc import Sequence
from typing import Final

from online_models import metrics
from online_models.evaluation.contract import Contender, Query
from online_models.open_sessions import ACTIONS, OpenSessions
from schemas.messages import Event

_ONE: Final = 1_000_000
"""Scores are kept as whole millionths: their sum is exact, however long it is carried on."""


class Gate:
    """Open while the newest scores of one are not below those of the other, on the same acts.

    Parameters
    ----------
    window : int
        So many of the newest acts are looked at.
    warm_up : int
        Closed before so many; at most `window`.

    References
    ----------
    Gama, Sebastião, Rodrigues: On Evaluating Stream Learning Algorithms, Machine Learning 90, 2013.

    Examples
    --------
    >>> gate = Gate(window=3, warm_up=2)
    >>> gate.add(deep=1.0, shallow=0.5), gate.open
    (None, False)
    >>> gate.add(deep=0.0, shallow=0.5), gate.open
    (None, True)
    >>> gate.add(deep=0.0, shallow=0.1), gate.open
    (None, False)
    """

    def __init__(self, *, window: int = 2_000, warm_up: int = 500) -> None:
        if not 1 <= warm_up <= window:
            raise ValueError(f"warm_up is {warm_up} and window {window}; expected 1 to window, and window")
        self._window, self._warm_up = window, warm_up
        self._leads: deque[int] = deque()
        self._lead = 0

    @property
    def open(self) -> bool:
        """Whether the deep model is to be served."""
        return len(self._leads) >= self._warm_up and self._lead >= 0

    def add(self, deep: float, shallow: float) -> None:
        """Note what the list of each was worth at an act, the same measure of both."""
        lead = round(_ONE * deep) - round(_ONE * shallow)
        self._leads.append(lead)
        self._lead += lead
        if len(self._leads) > self._window:
            self._lead -= self._leads.popleft()


class Gated:
    """Ranks as a deep model does while its gate is open, else as a shallow one; both learn everything.

    Before an act is learned, both rank for it, and the reciprocal ranks of what is acted on are compared.

    Parameters
    ----------
    deep, shallow : Contender
        Nobody else may teach them.
    gate : Gate
        Nobody else may add to it.
    k : int
        Places that are compared.
    repeats : bool
        Whether lists that are compared may hold what somebody acted on in the session.
    sessions : OpenSessions, optional
        What sessions have held.
    """

    def __init__(
        self,
        deep: Contender,
        shallow: Contender,
        gate: Gate,
        *,
        k: int,
        repeats: bool,
        sessions: OpenSessions | None = None,
    ) -> None:
        self._deep, self._shallow, self._gate = deep, shallow, gate
        self._k, self._repeats = k, repeats
        self._sessions = OpenSessions(length=50) if sessions is None else sessions

    def learn_one(self, x: Event) -> None:
        if x.kind in ACTIONS and x.lines:
            self._compare(x)
        for model in (self._deep, self._shallow):
            model.learn_one(x)

    def rank(self, query: Query) -> Sequence[tuple[str, float]]:
        return (self._deep if self._gate.open else self._shallow).rank(query)

    def _compare(self, x: Event) -> None:
        acted = [line.item for line in x.lines]
        session = self._sessions.grow(x.key, x.session_id, acted[0], x.at).session
        for item in acted[1:]:
            self._sessions.grow(x.key, x.session_id, item, x.at)
        has = frozenset[str]() if self._repeats else frozenset(session)
        relevant = frozenset(acted) - has
        if session and relevant:
            query = Query(key=x.key, now=x.at, k=self._k, session=session, exclude=has)
            self._gate.add(*(self._score(model, query, relevant) for model in (self._deep, self._shallow)))

    def _score(self, model: Contender, query: Query, relevant: frozenset[str]) -> float:
        return metrics.reciprocal_rank([item for item, _ in model.rank(query)], relevant, self._k)
