"""Cutting a customer's events into sessions, by idle gap and by session id; late events find their home."""

from typing import Final

from online_models.deltas import PairGroup
from schemas.messages import SESSIONS
from schemas.state import HistoryRow, SessionMark

MAX_ACTS: Final = 50
"""Items of a session's last actions that are kept."""


def find_session(
    sessions: list[SessionMark], session_id: str | None, at: int, *, gap_ms: int
) -> SessionMark | None:
    """Return the session that an event belongs to, None when it opens a new one.

    Parameters
    ----------
    sessions : list of SessionMark
        The customer's last sessions, oldest first.
    session_id : str or None
        As the event bears it; an event without one belongs to the newest session near it in time.
    at : int
        Event time, epoch ms.
    gap_ms : int
        A session ends after this long without an event.

    Examples
    --------
    >>> marks = [SessionMark("a", 0, 5_000, []), SessionMark("b", 60_000, 70_000, [])]
    >>> find_session(marks, "a", 3_000, gap_ms=30_000).session_id
    'a'
    >>> find_session(marks, None, 80_000, gap_ms=30_000).session_id
    'b'
    >>> find_session(marks, "a", 90_000, gap_ms=30_000) is None
    True
    """
    for mark in reversed(sessions):
        near = at <= mark.last_at + gap_ms
        if session_id is not None and mark.session_id == session_id:
            return mark if near else None
        if (session_id is None or mark.session_id is None) and near and at >= mark.first_at - gap_ms:
            return mark
    return None


def open_session(
    sessions: list[SessionMark], session_id: str | None, at: int, *, max_sessions: int
) -> SessionMark:
    """Add a session in its place by time and forget the oldest above the bound."""
    mark = SessionMark(session_id, at, at, [])
    sessions.append(mark)
    # Not only by where the new one belongs: an older session may have gone on after it was opened.
    sessions.sort(key=lambda each: each.last_at)
    if len(sessions) > max_sessions:
        del sessions[0]
    return mark


def extend_session(mark: SessionMark, session_id: str | None, at: int) -> None:
    """Note that an event of the session happened at `at`; a session without an id takes the event's."""
    if mark.session_id is None:
        mark.session_id = session_id
    mark.first_at = min(mark.first_at, at)
    mark.last_at = max(mark.last_at, at)


def note_acts(mark: SessionMark, items: list[str]) -> None:
    """Note the items of an action; the oldest beyond `MAX_ACTS` are let go of.

    Examples
    --------
    >>> mark = SessionMark("a", 0, 0, [], ["x", "y"])
    >>> note_acts(mark, ["x"])
    >>> mark.acts
    ['x', 'y', 'x']
    """
    mark.acts += items
    del mark.acts[:-MAX_ACTS]


def acts_of(history: HistoryRow | None, key: str, now: int, *, gap_ms: int) -> tuple[list[str], list[str]]:
    """Return the items acted on in the session that is open at a time, and in those before; oldest first.

    A guest is a session: however long nothing happened, what comes belongs to it.

    Examples
    --------
    >>> marks = [SessionMark("a", 0, 5_000, [], ["x"]), SessionMark("b", 60_000, 70_000, [], ["y", "z"])]
    >>> acts_of(HistoryRow(sessions=marks), "u:anna", 71_000, gap_ms=30_000)
    (['y', 'z'], ['x'])
    >>> acts_of(HistoryRow(sessions=marks), "u:anna", 171_000, gap_ms=30_000)
    ([], ['x', 'y', 'z'])
    >>> acts_of(HistoryRow(sessions=marks), "s:a", 171_000, gap_ms=30_000)
    (['x', 'y', 'z'], [])
    """
    marks = history.sessions if history is not None else []
    if key.startswith("s:"):
        return [item for mark in marks for item in mark.acts], []
    opened = bool(marks) and now <= marks[-1].last_at + gap_ms
    earlier = [item for mark in (marks[:-1] if opened else marks) for item in mark.acts]
    return (list(marks[-1].acts) if opened else []), earlier


def grow_session(mark: SessionMark, item: str, *, max_set_size: int) -> PairGroup | None:
    """Add an item to the session's set; the pairs with earlier items, or None if nothing is added.

    The set holds at most `max_set_size` distinct items (0: no bound).

    Examples
    --------
    >>> mark = SessionMark("a", 0, 0, ["x", "y"])
    >>> grow_session(mark, "z", max_set_size=100).partners
    ['x', 'y']
    >>> grow_session(mark, "z", max_set_size=100) is None
    True
    """
    if item in mark.items or (max_set_size and len(mark.items) >= max_set_size):
        return None
    group = PairGroup(SESSIONS, item, list(mark.items), [1] * len(mark.items))
    mark.items.append(item)
    return group
