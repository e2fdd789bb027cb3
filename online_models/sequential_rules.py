"""What follows an item, and what goes with it, within sessions: SR and AR, learned one event at a time.

Weights are integers, so that they replay bit for bit; rows are bounded in number and in length.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from online_models.evaluation.contract import Query
from online_models.open_sessions import ACTIONS, OpenSessions
from schemas.messages import Event

UNIT = 2520
"""A step of one: the least number that is divided by 1 to 10."""

STEPS = 10


class BoundedRows:
    """Weights of pairs by row; a row that has grown to twice its bound keeps its heaviest entries.

    Rows that gained nothing for longest are forgotten.

    Parameters
    ----------
    rows, entries : int
        Most rows, and entries that a row keeps when it is cut.

    Examples
    --------
    >>> rows = BoundedRows(rows=2, entries=1)
    >>> for row, column in (("tea", "cup"), ("mat", "mop"), ("jug", "cup")):
    ...     rows.add(row, column, 1)
    >>> rows.row("tea"), rows.row("mat")
    ({}, {'mop': 1})
    """

    def __init__(self, *, rows: int = 100_000, entries: int = 100) -> None:
        self._most_rows, self._most_entries = rows, entries
        self._rows: OrderedDict[str, dict[str, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: str, column: str, weight: int) -> None:
        """Add to the weight of a pair."""
        found = self._rows.get(row)
        if found is None:
            found = self._rows[row] = {}
            if len(self._rows) > self._most_rows:
                self._rows.popitem(last=False)
        else:
            self._rows.move_to_end(row)
        found[column] = found.get(column, 0) + weight
        if len(found) >= 2 * self._most_entries and len(found) > 1:
            self._rows[row] = dict(heaviest(found.items(), self._most_entries))

    def row(self, row: str) -> dict[str, int]:
        """Return the weights of a row, empty if there is none."""
        return self._rows.get(row, {})

    def entries(self) -> int:
        """Return how many weights are held."""
        return sum(map(len, self._rows.values()))


def heaviest(weights: Iterable[tuple[str, int]], most: int) -> list[tuple[str, int]]:
    """Return the heaviest entries first, ties by id."""
    return sorted(weights, key=lambda each: (-each[1], each[0]))[:most]


def _ranked(weights: dict[str, int], unit: int, query: Query) -> Sequence[tuple[str, float]]:
    wanted = ((item, weight) for item, weight in weights.items() if item not in query.exclude)
    return [(item, weight / unit) for item, weight in heaviest(wanted, query.k)]


class SequentialRules:
    """SR: an item that comes up to ten steps after another gains one over the steps.

    References
    ----------
    Kamehkhosh, Jannach, Ludewig: A comparison of frequent pattern techniques and a deep learning method for
    session-based recommendation, TempRec at RecSys 2017.

    Parameters
    ----------
    rows : BoundedRows, optional
        Where weights are kept.
    sessions : OpenSessions, optional
        What sessions have held; at least ten items each, fewer shorten the steps.

    Examples
    --------
    >>> rules = SequentialRules()
    >>> for at, item in enumerate(("tea", "cup", "pot")):
    ...     rules.learn_view("s:a", item, at)
    >>> rules.rank(Query(key="s:b", now=9, k=5, session=["mat", "tea"]))
    [('cup', 1.0), ('pot', 0.5)]
    """

    def __init__(self, rows: BoundedRows | None = None, sessions: OpenSessions | None = None) -> None:
        self._rows = BoundedRows() if rows is None else rows
        self._sessions = OpenSessions(length=STEPS) if sessions is None else sessions

    def learn_one(self, x: Event) -> None:
        if x.kind in ACTIONS:
            for line in x.lines:
                self.learn_view(x.key, line.item, x.at, x.session_id)

    def learn_view(self, key: str, item: str, at: int, session_id: str | None = None) -> None:
        """Learn an item without an event around it, at a time in epoch ms."""
        before = self._sessions.grow(key, session_id, item, at).session[-STEPS:]
        for steps, earlier in enumerate(reversed(before), start=1):
            self._rows.add(earlier, item, UNIT // steps)

    def rank(self, query: Query) -> Sequence[tuple[str, float]]:
        return _ranked(self._rows.row(query.session[-1]), UNIT, query) if query.session else []


class SessionRules:
    """AR: items of one session gain one with each other, each time that both are in it.

    References
    ----------
    As for `SequentialRules`.

    Parameters
    ----------
    rows : BoundedRows, optional
        Where weights are kept.
    sessions : OpenSessions, optional
        What sessions have held; an item is paired with as many of the last items as these keep.

    Examples
    --------
    >>> rules = SessionRules()
    >>> for at, item in enumerate(("tea", "cup", "tea")):
    ...     rules.learn_view("s:a", item, at)
    >>> rules.rank(Query(key="s:b", now=9, k=5, session=["cup"]))
    [('tea', 2.0)]
    """

    def __init__(self, rows: BoundedRows | None = None, sessions: OpenSessions | None = None) -> None:
        self._rows = BoundedRows() if rows is None else rows
        self._sessions = OpenSessions() if sessions is None else sessions

    def learn_one(self, x: Event) -> None:
        if x.kind in ACTIONS:
            for line in x.lines:
                self.learn_view(x.key, line.item, x.at, x.session_id)

    def learn_view(self, key: str, item: str, at: int, session_id: str | None = None) -> None:
        """Learn an item without an event around it, at a time in epoch ms."""
        for earlier in self._sessions.grow(key, session_id, item, at).session:
            self._rows.add(earlier, item, 1)
            self._rows.add(item, earlier, 1)

    def rank(self, query: Query) -> Sequence[tuple[str, float]]:
        return _ranked(self._rows.row(query.session[-1]), 1, query) if query.session else []
