"""Sessions as they go on, indexed by item, in bounded memory: what session kNN looks its neighbours up in."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_models.session_kernels import LAST_AT, LENGTH, NONE, ROOT, append, forget, recent_rows

_FIRST_ITEMS = 1024
_POPULAR = 500
_MOST_PLACES = 2**31 - 1


class Owner(NamedTuple):
    """Whose session it is, and under which id."""

    key: str
    session_id: str | None


class SessionIndex:
    """The newest sessions, with all items in order, and for each item a chain of places that hold it.

    A session is known by its key and session id; without an id it is the key's newest one, unless that has
    been idle for longer than the gap. A session longer than a row goes on in another row. When all rows are
    taken, the session that began first is forgotten, with the items that no other one holds.

    Parameters
    ----------
    sessions : int
        Most sessions held.
    width : int
        Most items in a row.
    gap_ms : int
        A session without an id ends after this long without an event.

    Raises
    ------
    ValueError
        There are more places than can be numbered.

    Attributes
    ----------
    items : array of int32, shape (sessions, width)
        Items by number; a place whose item comes again later in the row has ~item.
    links : array of int32, shape (sessions * width, 2)
        Of each place, numbered row * width + position, the next older and the next newer one with the same
        item; -1 if there is none.
    about : array of int64, shape (sessions, 4)
        Time of the last event (epoch ms), places, distinct items, first part of the session.
    heads, counts : array of int64, shape (items,)
        Newest place of an item, -1 if there is none, and in how many places it is.
    names : list of str
        Item ids by number.
    newest : int
        Number of the newest session, -1 before the first.

    Examples
    --------
    >>> index = SessionIndex(sessions=2)
    >>> for key, item in (("s:a", "tea"), ("s:a", "cup"), ("s:b", "tea")):
    ...     index.learn_one(key, None, item, 0)
    >>> index.session_of("s:a"), index.numbers(["cup", "pot"])
    (0, array([ 1, -1], dtype=int32))
    >>> index.learn_one("s:c", None, "pot", 0)
    >>> index.session_of("s:a"), sorted(index.known())
    (-1, ['pot', 'tea'])
    """

    def __init__(self, *, sessions: int = 150_000, width: int = 32, gap_ms: int = 1_800_000) -> None:
        if sessions * width > _MOST_PLACES:
            raise ValueError(
                f"{sessions} sessions of {width} items are {sessions * width} places; expected at most"
                f" {_MOST_PLACES}: hold fewer sessions"
            )
        self.items = np.zeros((sessions, width), np.int32)
        self.links = np.zeros((sessions * width, 2), np.int32)
        self.about = np.zeros((sessions, 4), np.int64)
        self.heads = np.full(_FIRST_ITEMS, NONE, np.int64)
        self.counts = np.zeros(_FIRST_ITEMS, np.int64)
        self.names: list[str] = []
        self.newest = NONE
        self._marks = np.zeros(sessions, np.int64)
        self._mark = 0
        self._gone = np.zeros(width, np.int64)
        self._gap_ms = gap_ms
        self._popular: list[str] = []
        self._uncounted = 0
        self._numbers: dict[str, int] = {}
        self._free: list[int] = []
        self._owners: list[Owner] = []
        self._open: dict[Owner, int] = {}
        self._latest: dict[str, int] = {}

    def learn_one(self, key: str, session_id: str | None, item: str, at: int) -> None:
        """Add an item to the end of its session, or open one.

        Parameters
        ----------
        key, session_id, item : str
            Whose event it is, in which session (None where that is not said), and of what.
        at : int
            Event time, epoch ms.
        """
        session = self._session(key, session_id, at)
        number = self._number(item)
        row = session % len(self.items)
        append(self.items, self.links, self.about, self.heads, self.counts, row, number, at)
        self._count_popular()

    def session_of(self, key: str) -> int:
        """Return the number of the first part of the session a key acted in last, -1 if that is not held."""
        session = self._latest.get(key, NONE)
        return NONE if session == NONE else int(self.about[session % len(self.about), ROOT])

    def numbers(self, names: Sequence[str]) -> NDArray[np.int32]:
        """Return the numbers of items, -1 for those that no session holds."""
        return np.array([self._numbers.get(name, NONE) for name in names], np.int32)

    def popular(self, most: int) -> list[str]:
        """Return the items that are held most often, at most so many; counted anew now and then."""
        return [name for name in self._popular[: 2 * most] if name in self._numbers][:most]

    def known(self) -> list[str]:
        """Return the items that a session holds."""
        return list(self._numbers)

    def neighbours(self, current: NDArray[np.int32], own: int, most: int) -> NDArray[np.int64]:
        """Return the rows of the sessions, at most `most`, that ended last of those that share an item.

        Parameters
        ----------
        current : array of int32, shape (n,)
            Items of the current session, oldest first; -1 for those that are not known.
        own : int
            Its number, so that it is not found itself; -1 if it is not in the index.
        most : int
            Most rows.
        """
        held = np.empty(most, np.int64)
        self._mark += 1
        found = recent_rows(
            self.items,
            self.links,
            self.about,
            self.heads,
            current,
            self.newest,
            own,
            held,
            self._marks,
            self._mark,
        )
        return held[:found]

    def _count_popular(self) -> None:
        # Counting anew takes as long as there are items: once in so many events it costs next to nothing.
        self._uncounted += 1
        if self._uncounted * 8 < len(self.names):
            return
        self._uncounted = 0
        counts = self.counts[: len(self.names)]
        kept = min(_POPULAR, len(counts))
        found = np.argpartition(counts, len(counts) - kept)[len(counts) - kept :]
        self._popular = [
            self.names[number]
            for number in sorted(found.tolist(), key=lambda each: (-int(counts[each]), self.names[each]))
            if counts[number]
        ]

    def _session(self, key: str, session_id: str | None, at: int) -> int:
        owner = Owner(key, session_id)
        session = self._open.get(owner, NONE) if session_id is not None else self._idle(key, at)
        if session == NONE:
            return self._begin(owner, NONE, at)
        row = session % len(self.items)
        if self.about[row, LENGTH] == self.items.shape[1]:
            return self._begin(self._owners[row], int(self.about[row, ROOT]), at)
        self._latest[key] = session
        return session

    def _idle(self, key: str, at: int) -> int:
        session = self._latest.get(key, NONE)
        if session == NONE or at - self.about[session % len(self.about), LAST_AT] > self._gap_ms:
            return NONE
        return session

    def _begin(self, owner: Owner, root: int, at: int) -> int:
        session = self.newest + 1
        row = session % len(self.items)
        if session >= len(self.items):
            self._forget(session - len(self.items))
            self._owners[row] = owner
        else:
            self._owners.append(owner)
        self.newest = session
        self.about[row] = (at, 0, 0, session if root == NONE else root)
        self._open[owner] = self._latest[owner.key] = session
        return session

    def _forget(self, session: int) -> None:
        row = session % len(self.items)
        owner = self._owners[row]
        found = forget(self.items, self.links, self.about, self.heads, self.counts, row, self._gone)
        for number in self._gone[:found].tolist():
            del self._numbers[self.names[number]]
            self._free.append(number)
        if self._open.get(owner) == session:
            del self._open[owner]
        if self._latest.get(owner.key) == session:
            del self._latest[owner.key]

    def _number(self, item: str) -> int:
        number = self._numbers.get(item)
        if number is not None:
            return number
        if self._free:
            number = self._free.pop()
            self.names[number] = item
        else:
            number = len(self.names)
            self.names.append(item)
            if number == len(self.heads):
                self.heads = np.concatenate([self.heads, np.full(number, NONE, np.int64)])
                self.counts = np.concatenate([self.counts, np.zeros(number, np.int64)])
        self._numbers[item] = number
        return number
