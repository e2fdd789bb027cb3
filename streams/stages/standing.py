"""Standing lists of customers: what is in each, and which of them hold an item that was withdrawn since.

Nothing that is learned: a bookkeeping table beside the histories. A withdrawal (sold out, or excluded by
another file of rules, or by a rule whose window opened) begins a pass over all standing lists, some at a time
and no faster than `recommend.withdraw_rows_per_s`; withdrawals during a pass share the next one. Of a few
items that were sold out, encoded rows are searched for the names; otherwise, and after a start, for what was
withdrawn in between, each list is held against the filters. Windows go by event time: by the newest event of
the partition.
"""

from collections import deque
from collections.abc import Callable, Container
from hashlib import blake2b
from typing import Final, NamedTuple

from online_models.filters import Filters
from online_models.protocols import Request, Store
from schemas.state import HistoryRow, StandingRow
from streams.rocks_store import RocksDatabase
from streams.stages.partition import StageContext
from streams.stages.sweep import SWEEP_ROWS, Sweep

_TABLE: Final = "~"
_DIGEST_BYTES: Final = 4
_SEARCHED: Final = 100
"""Encoded rows that are searched in one go: a fifth of the work of holding them against the filters."""

_BEFORE_ALL: Final = (-1, -1, -1)


class Withdrawn(NamedTuple):
    """A standing list that may stand no longer; `mark` tells its successor from every other list."""

    key: str
    mark: str


class StandingLists:
    """Standing lists of one partition.

    Parameters
    ----------
    database : RocksDatabase
        That of the histories.
    rows : Store of HistoryRow
        The histories: a list stands no longer than its customer's.
    context : StageContext
        The views tell what is withdrawn.
    newest_at : callable
        Tells the highest `at` of the partition so far, epoch ms.
    """

    def __init__(
        self,
        database: RocksDatabase,
        rows: Store[HistoryRow],
        context: StageContext,
        newest_at: Callable[[], int],
    ) -> None:
        self._table = database.table(_TABLE, StandingRow)
        self._rows, self._views, self._newest_at = rows, context.views, newest_at
        self._settings = context.settings.recommend
        # For a pass over the filters the allowance is a fifth, too.
        rows_per_s = self._settings.withdraw_rows_per_s
        self._search = Sweep(database, _TABLE, rows_per_s=rows_per_s)
        self._sweep = Sweep(database, _TABLE, rows_per_s=max(1, rows_per_s * SWEEP_ROWS // _SEARCHED))
        self._names: list[bytes] = []
        self._looked_for = _BEFORE_ALL
        self._unwritten: deque[str] = deque()
        self._found: deque[Withdrawn] = deque()

    def note(self, key: str, row: StandingRow) -> None:
        """Note the list that somebody was given."""
        self._table.put(key, row)

    def forget(self, key: str) -> None:
        """Forget somebody's list."""
        self._table.delete(key)

    def look(self, owed: Container[str], *, now: int, at_once: bool) -> bool:
        """Look at a few lists; whether there were any to look at.

        Parameters
        ----------
        owed : container of str
            Who is owed a new list anyway.
        now : int
            The time, epoch ms.
        at_once : bool
            True looks on whatever the time is.
        """
        keys = self._keys(now, at_once=at_once)
        for key in keys or ():
            if key not in owed:
                self._look_at(key)
        return keys is not None

    def take(self) -> Withdrawn | None:
        """Give a list that was found, and forget that it was; None where none is left."""
        return self._found.popleft() if self._found else None

    @property
    def looking(self) -> bool:
        """Whether a pass is under way, or is to begin."""
        return self._under_way or bool(self._found) or self._looked_for != self._withdrawals

    @property
    def _withdrawals(self) -> tuple[int, int, int]:
        """Changes whenever something may have to leave lists: an item, by a file of rules, or by a window."""
        items, version = self._views.withdrawals
        rules = self._views.business_rules()
        return items, version, rules.openings(self._newest_at()) if rules.opens else 0

    @property
    def _under_way(self) -> bool:
        return self._sweep.running or self._search.running or bool(self._unwritten)

    def _start(self) -> None:
        """Begin a pass for all that was withdrawn since the last one began."""
        (items, *before), self._looked_for = self._looked_for, self._withdrawals
        by_rules = before != [*self._looked_for[1:]]
        self._unwritten.extend(self._table.unwritten_keys())
        names = None if by_rules else self._views.withdrawn_after(items)
        if names is None:
            self._sweep.start()
        else:
            self._names = [name.encode() for name in names]
            self._search.start()

    def _keys(self, now: int, *, at_once: bool) -> list[str] | None:
        """Whose lists are to be looked at now; None while none may be."""
        if not self._under_way and self._looked_for != self._withdrawals:
            self._start()
        if self._unwritten:
            return [self._unwritten.popleft() for _ in range(min(SWEEP_ROWS, len(self._unwritten)))]
        if self._sweep.running:
            return self._sweep.take(now, at_once=at_once) or None
        rows = self._search.take_rows(now, at_once=at_once, most=_SEARCHED)
        return [key for key, raw in rows if any(name in raw for name in self._names)] if rows else None

    def _look_at(self, key: str) -> None:
        row = self._table.get(key)
        if row is None:
            return
        history = self._rows.get(key) if self._views.business_rules().rules else None
        filters = Filters(
            self._views,
            Request(history=None, now=row.at, ruled_at=max(row.at, self._newest_at())),
            self._settings,
            segment=row.segment,
            behaviour=None if history is None else history.behaviour,
        )
        gone = [item for item in row.items if not filters.admit(item)]
        if gone:
            told = "\0".join((row.list_id, *gone)).encode()
            self._found.append(Withdrawn(key, blake2b(told, digest_size=_DIGEST_BYTES).hexdigest()))


class HistoriesWithLists:
    """Histories whose deletion takes the standing list with it; a `Store`.

    Parameters
    ----------
    rows : Store of HistoryRow
        The histories.
    standing : StandingLists
        The lists.
    """

    def __init__(self, rows: Store[HistoryRow], standing: StandingLists) -> None:
        self.get, self.put = rows.get, rows.put
        self._delete, self._standing = rows.delete, standing

    def delete(self, key: str) -> None:
        self._delete(key)
        self._standing.forget(key)
