"""Cutting logs: into sessions, into a part to learn from and a part to be asked about."""

from collections.abc import Iterable, Sequence
from math import floor

from online_models.evaluation.actions import Logged
from online_models.evaluation.relevance import ACTIONS
from schemas.messages import Event

Session = list[Event]
_ROUNDING = 1e-9


def first_share(total: int, share: float) -> int:
    """How many of so many make up the first share.

    Raises
    ------
    ValueError
        The share is not between 0 and 1.

    Examples
    --------
    >>> first_share(119_859, 0.95), first_share(10, 0.3)
    (113866, 3)
    """
    if not 0 <= share <= 1:
        raise ValueError(f"the share is {share}; expected a number from 0 to 1")
    return floor(total * share + _ROUNDING)


def place_of_share(log: Sequence[Logged], share: float) -> int:
    """Return how long the beginning of a log is that holds the first share of the actions in it.

    Rows of the catalogue, links and whatever else is no action belong to what comes next.

    Examples
    --------
    >>> from schemas.messages import ItemFacts, Line
    >>> tea = ItemFacts("tea", None, [], None, None, [], True, 0)
    >>> def view(at):
    ...     return Event("u:anna", "view", at, "browses", 0, 0, at, at, lines=[Line("tea", [])])
    >>> place_of_share([tea, view(0), view(1), tea, view(2), view(3)], 0.5)
    3
    """
    places = [n for n, each in enumerate(log) if isinstance(each, Event) and each.kind in ACTIONS]
    first = first_share(len(places), share)
    return places[first - 1] + 1 if first else 0


def sessions_of(log: Iterable[Logged], *, gap_ms: int) -> list[Session]:
    """Return the sessions of a log, each in the order of the log, in the order in which they begin.

    Parameters
    ----------
    log : iterable of Event or ItemFacts
        Where an event bears a session id, that decides; otherwise a gap in the events of one customer does.
    gap_ms : int
        A session without an id ends after so long without an event.

    Examples
    --------
    >>> from schemas.messages import Line
    >>> def view(key, at):
    ...     return Event(key, "view", at, "browses", 0, 0, at, at, lines=[Line("tea", [])])
    >>> log = [view("u:anna", 0), view("u:bert", 5), view("u:anna", 10), view("u:anna", 100)]
    >>> [[event.at for event in session] for session in sessions_of(log, gap_ms=50)]
    [[0, 10], [5], [100]]
    """
    sessions: list[Session] = []
    named: dict[tuple[str, str], Session] = {}
    newest: dict[str, Session] = {}
    for event in log:
        if not isinstance(event, Event) or event.kind not in ACTIONS or not event.lines:
            continue
        if event.session_id is not None:
            session = named.setdefault((event.key, event.session_id), [])
        else:
            session = newest.get(event.key, [])
            if session and event.at > session[-1].at + gap_ms:
                session = []
            newest[event.key] = session
        if not session:
            sessions.append(session)
        session.append(event)
    return sessions


def last_sessions(log: Sequence[Logged], share: float, *, gap_ms: int) -> tuple[list[Logged], list[Session]]:
    """Split a log: the sessions that end last are for the test, all else is learned.

    Parameters
    ----------
    log : sequence of Event or ItemFacts
        In the order of time.
    share : float
        Of the sessions; ties of their last event by the order in which they begin.
    gap_ms : int
        As for `sessions_of`.

    Returns
    -------
    (list of Event or ItemFacts, list of sessions)
        Train, in the order of the log; test, in the order in which sessions begin.
    """
    sessions = sessions_of(log, gap_ms=gap_ms)
    order = sorted(range(len(sessions)), key=lambda place: max(event.at for event in sessions[place]))
    train = first_share(len(sessions), 1 - share)
    test = [sessions[place] for place in sorted(order[train:])]
    held_out = {id(event) for session in test for event in session}
    return [logged for logged in log if id(logged) not in held_out], test


def prepared(test: Iterable[Session], known: Iterable[Logged]) -> list[Session]:
    """Drop what a test can't be about: items that train does not know, then sessions of one item.

    Sessions are put in the order of their first lines in the file, which an event's offset names.

    Examples
    --------
    >>> from schemas.messages import Line
    >>> def view(item):
    ...     return Event("s:1", "view", 0, "browses", 0, 0, 0, 0, lines=[Line(item, [])])
    >>> train = [view("tea"), view("cup")]
    >>> test = [[view("tea"), view("jam"), view("cup")], [view("tea"), view("jam")]]
    >>> [[event.lines[0].item for event in session] for session in prepared(test, train)]
    [['tea', 'cup']]
    """
    items = {line.item for event in known if isinstance(event, Event) for line in event.lines}
    in_file_order = sorted(test, key=lambda session: min(event.offset for event in session))
    kept = ([event for event in session if _is_about(event, items)] for session in in_file_order)
    return [session for session in kept if len(session) > 1]


def _is_about(event: Event, items: set[str]) -> bool:
    return any(line.item in items for line in event.lines)
