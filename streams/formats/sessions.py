"""`sessions` and `session-lists`: what guests looked at, one view a row or one session a line."""

from collections.abc import Iterator
from typing import Final

from schemas.events import Browse
from schemas.times import MAX_EPOCH_MS
from streams.formats.entries import Entry, FileRecord, UnreadableLine, browse_record
from streams.formats.source import Source
from streams.formats.table import Values, converted_rows
from streams.formats.values import seconds

_SECONDS_PER_SESSION: Final = 100
_LAST_SESSION: Final = MAX_EPOCH_MS // (1_000 * _SECONDS_PER_SESSION) - 1
"""A later session has no time that a calendar knows, however many items it lists."""


def read_sessions(source: Source) -> Iterator[Entry]:
    """Yield a guest's view for each row."""
    return converted_rows(source, "sessions", _view)


def _view(line: int, values: Values) -> list[FileRecord]:
    session, item, time = values
    at = seconds(time, "Time")
    browse = Browse(event_id=f"ss-{line}", session_id=session, item_id=item, action="view", at=at)
    return [browse_record(browse, at, line)]


def read_session_lists(source: Source) -> Iterator[Entry]:
    """Yield a guest's view for each item of each line, a second apart."""
    for entry in source.text_lines():
        if isinstance(entry, UnreadableLine):
            yield entry
            continue
        line, text = entry
        session, tab, listed = text.partition("\t")
        session = session.strip()
        items = listed.split()
        if not tab and session:
            yield UnreadableLine(line, "missing_field", f"no tab between session and items: {text[:200]!r}")
        elif session and items:
            yield from _views(line, session, items)
        elif session or items:
            yield UnreadableLine(line, "missing_field", "no items" if session else "no session")


def _views(line: int, session: str, items: list[str]) -> Iterator[Entry]:
    # More than 20 digits are too many anyway, and Python refuses to convert thousands of them.
    number = int(session[:20]) if session.isdecimal() else line
    if number > _LAST_SESSION:
        yield UnreadableLine(line, "bad_value", f"session {session[:80]} is too large to make a time of it")
        return
    for position, item in enumerate(items):
        at = 1_000 * (_SECONDS_PER_SESSION * number + position)
        browse = Browse(
            event_id=f"sl-{line}-{position}", session_id=session, item_id=item, action="view", at=at
        )
        yield browse_record(browse, at, line)
