"""What each session has held so far, for models that learn from one event and those before it."""

from collections import OrderedDict, deque
from typing import NamedTuple

ACTIONS = frozenset({"view", "cart", "purchase", "rating"})
"""Events that put their items into a session."""


class Held(NamedTuple):
    """Items of a key's newest session, and of those before it; oldest first."""

    session: list[str]
    earlier: list[str]


class _Open(NamedTuple):
    session_id: str | None
    last_at: int
    items: deque[str]
    earlier: deque[str]


def goes_on(session_id: str | None, last_at: int, next_id: str | None, at: int, *, gap_ms: int) -> bool:
    """Whether an event belongs to the session before it: by its id, where both have one, else by the gap.

    Examples
    --------
    >>> goes_on("a", 0, "b", 1, gap_ms=10), goes_on("a", 0, None, 10, gap_ms=10)
    (False, True)
    """
    if next_id is not None and session_id is not None:
        return next_id == session_id
    return at - last_at <= gap_ms


class OpenSessions:
    """The newest session of each key, with its last items; keys that did nothing for longest are forgotten.

    A session ends when an event bears another session id, or when an event without one comes after a gap.

    Parameters
    ----------
    sessions : int
        Most keys.
    length : int
        Most items of a session, and of the sessions before it.
    gap_ms : int
        A session without an id ends after this long without an event.

    Examples
    --------
    >>> sessions = OpenSessions(gap_ms=1_000)
    >>> for item, at in (("tea", 0), ("cup", 9), ("pot", 5_000)):
    ...     before = sessions.grow("u:anna", None, item, at)
    >>> before, sessions.held("u:anna").session
    (Held(session=[], earlier=['tea', 'cup']), ['pot'])
    """

    def __init__(self, *, sessions: int = 100_000, length: int = 100, gap_ms: int = 1_800_000) -> None:
        self._sessions, self._length, self._gap_ms = sessions, length, gap_ms
        self._open: OrderedDict[str, _Open] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def grow(self, key: str, session_id: str | None, item: str, at: int) -> Held:
        """Return what was held before, and add an item to its session; the time is in epoch ms."""
        found = self._open.pop(key, None)
        if found is None:
            found = _Open(session_id, at, deque(maxlen=self._length), deque(maxlen=self._length))
        elif not goes_on(found.session_id, found.last_at, session_id, at, gap_ms=self._gap_ms):
            found.earlier.extend(found.items)
            found = _Open(session_id, at, deque(maxlen=self._length), found.earlier)
        before = Held(list(found.items), list(found.earlier))
        found.items.append(item)
        self._open[key] = found._replace(
            session_id=session_id or found.session_id, last_at=max(at, found.last_at)
        )
        if len(self._open) > self._sessions:
            self._open.popitem(last=False)
        return before

    def held(self, key: str) -> Held:
        """Return what a key's newest session holds, however long ago it was, and those before it."""
        found = self._open.get(key)
        return Held([], []) if found is None else Held(list(found.items), list(found.earlier))
