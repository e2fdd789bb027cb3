"""Keeps what is known of whoever asks, whether or not models learn: history, open session, what they have."""

from typing import Final

import msgspec

from online_models.evaluation.actions import Ask, Learn, Logged
from online_models.evaluation.contract import Query
from online_models.evaluation.plain_store import PlainStore
from online_models.evaluation.relevance import ACTIONS
from online_models.history import HistoryStep
from schemas.messages import Event
from schemas.settings import Settings
from schemas.state import ExpiryRow, GuestChunk, HistoryRow, TotalsRow

COLD_EVENTS: Final = 5
"""An item with at most so many events is cold."""

FEW_EVENTS: Final = 5
"""Who did at most so much did little."""

_NOTHING: Final[frozenset[str]] = frozenset()


class OpenSession(msgspec.Struct):
    """The session of somebody that is open: its id, its last event (epoch ms) and its items, oldest first."""

    session_id: str | None
    last_at: int
    items: list[str]


class Asker:
    """Makes questions as of now; `note` moves now on.

    Parameters
    ----------
    settings : Settings
        Section `history` says when a session ends and what a history keeps.
    k : int
        Items asked for.
    repeats : bool
        Whether what somebody has already may be recommended, and counts when it is acted upon again.
    only_new : bool
        Whether only items that nobody had acted upon when `begin` was called are ranked, and right.

    Examples
    --------
    >>> from schemas.messages import Line
    >>> def view(n, item):
    ...     return Event("u:anna", "view", n, "browses", 0, n, n, n, f"b-{n}", None, None, [Line(item, [])])
    >>> asker = Asker(Settings(), k=10, repeats=False)
    >>> asker.note(view(1, "tea"))
    >>> ask = asker.ask("u:anna", now=2, relevant={"tea", "cup"})
    >>> ask.relevant, ask.query.session, ask.query.exclude
    (frozenset({'cup'}), ('tea',), frozenset({'tea'}))
    >>> asker.ask("u:anna", now=2, relevant={"tea"}) is None  # no new item, no question
    True
    """

    def __init__(self, settings: Settings, *, k: int, repeats: bool, only_new: bool = False) -> None:
        self._rows = PlainStore[HistoryRow]()
        stores = PlainStore[TotalsRow](), PlainStore[ExpiryRow](), PlainStore[GuestChunk]()
        self._step = HistoryStep(self._rows, *stores, settings)
        self._gap_ms = settings.history.session_gap_s * 1000
        self._k, self._repeats = k, repeats
        self._open: dict[str, OpenSession] = {}
        self._acts: dict[str, int] = {}
        self._only_new, self._old = only_new, _NOTHING
        self._has: dict[str, set[str]] = {}
        self.interactions: dict[str, int] = {}

    def begin(self) -> None:
        """Note that questions are asked from now on."""
        if self._only_new:
            self._old = frozenset(self.interactions)

    def learn(self, logged: Logged) -> Learn:
        """Note an event that models learn, too."""
        if isinstance(logged, Event):
            self.note(logged)
            if logged.kind in ACTIONS:
                for line in logged.lines:
                    self.interactions[line.item] = self.interactions.get(line.item, 0) + 1
        return Learn(logged)

    def note(self, event: Event) -> None:
        """Note an event of which models may learn nothing."""
        self._step.learn_one(event)
        if event.kind not in ACTIONS or not event.lines:
            return
        key, items = event.key, [line.item for line in event.lines]
        self._acts[key] = self._acts.get(key, 0) + 1
        if not self._repeats:
            self._has.setdefault(key, set()).update(items)
        session = self._session(key, event.session_id, event.at)
        if session is None:
            self._open[key] = OpenSession(event.session_id, event.at, items)
        else:
            session.last_at = max(session.last_at, event.at)
            session.items += items

    def ask(self, key: str, *, now: int, relevant: set[str], session_id: str | None = None) -> Ask | None:
        """Make the question of somebody, to which these items are the right answers; None if there are none.

        Parameters
        ----------
        key : str
            Who asks.
        now : int
            When, epoch ms.
        relevant : set of str
            What they act on next.
        session_id : str, optional
            The session in which they do.
        """
        has = self._has.get(key)
        right = frozenset(relevant if has is None else relevant - has) - self._old
        if not right:
            return None
        session = self._session(key, session_id, now)
        query = Query(
            key=key,
            now=now,
            k=self._k,
            session=tuple(session.items) if session is not None else (),
            history=self._rows.get(key),
            exclude=self._old.union(has) if has else self._old,
        )
        seen = self.interactions
        cold = frozenset(item for item in right if seen.get(item, 0) <= COLD_EVENTS)
        new, acts = frozenset(item for item in cold if item not in seen), self._acts.get(key, 0)
        return Ask(query, right, cold, not acts, new, 0 < acts <= FEW_EVENTS)

    def _session(self, key: str, session_id: str | None, at: int) -> OpenSession | None:
        """Return the open session that goes on at this time."""
        session = self._open.get(key)
        if session is None:
            return None
        if session_id is not None and session.session_id is not None:
            return session if session.session_id == session_id else None
        return session if at <= session.last_at + self._gap_ms else None
