"""A history for somebody who tells what they look at now: a guest's session, or the page a customer is on."""

from collections.abc import Sequence

import msgspec

from online_models.sessions import MAX_ACTS
from schemas.messages import WEIGHT_ONE
from schemas.state import HistoryRow, ItemMark, SessionMark


def with_acts(row: HistoryRow | None, items: Sequence[str], now: int, *, gap_ms: int) -> HistoryRow:
    """Return a history that goes on with views of `items`, oldest first; `row` stays as it is.

    Parameters
    ----------
    row : HistoryRow or None
        What is known; None of a guest.
    items : sequence of str
        Items in the order in which they were looked at; the last `MAX_ACTS` count.
    now : int
        When, epoch ms.
    gap_ms : int
        A session that is open then goes on; otherwise they are one of their own.

    Examples
    --------
    >>> row = with_acts(None, ["tea", "cup", "tea"], 7, gap_ms=1000)
    >>> list(row.items), row.sessions[0].acts
    (['cup', 'tea'], ['tea', 'cup', 'tea'])
    """
    row = row or HistoryRow()
    acts = list(items[-MAX_ACTS:])
    marks, sessions = dict(row.items), list(row.sessions)
    for item in acts:
        mark = marks.pop(item, None) or ItemMark(0, now)
        marks[item] = msgspec.structs.replace(mark, weight=max(mark.weight, WEIGHT_ONE), at=now)
    if sessions and now <= sessions[-1].last_at + gap_ms:
        last = sessions.pop()
        sessions.append(SessionMark(last.session_id, last.first_at, now, [], (last.acts + acts)[-MAX_ACTS:]))
    else:
        sessions.append(SessionMark(None, now, now, [], acts))
    return HistoryRow(marks, sessions, behaviour=row.behaviour, last_at=now, follows=row.follows)
