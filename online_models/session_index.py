"""Sessions as they go on, indexed by item, in bounded memory: what session kNN looks its neighbours up in."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from online_models.customer_chains import CustomerChains
from online_models.key_digests import digest_of as _digest
from online_models.open_sessions import ACTIONS
from online_models.session_kernels import LAST_AT, LENGTH, NONE, ROOT, append, forget, recent_rows
from schemas.messages import Fact
from schemas.state import SessionRows

_FIRST_ITEMS = 1024
_POPULAR = 500
_MOST_PLACES = 2**31 - 1
KEY, OWNER = range(2)
"""Columns of owners: digests of whose session it is, and of that together with the session's id."""


class SessionIndex:
    """The newest sessions, with all items in order, and for each item a chain of places that hold it.

    A session is known by its key and session id; without an id it is the key's newest one, unless that has
    been idle for longer than the gap. A session longer than a row goes on in another row. When all rows are
    taken, the session that began first is forgotten, with the items that no other one holds. Of keys and ids
    of sessions only digests are held.

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
    named : array of int64, shape (items,)
        How many numbers had been given to items when this one was: a number goes on to another item once no
        session holds its own.
    newest : int
        Number of the newest session, -1 before the first.
    customers : CustomerChains
        Whose each session is.

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
        self.named = np.zeros(_FIRST_ITEMS, np.int64)
        self._given = 0
        self.newest = NONE
        self._marks = np.zeros(sessions, np.int64)
        self._mark = 0
        self._gone = np.zeros(width, np.int64)
        self._gap_ms = gap_ms
        self._popular: list[str] = []
        self._uncounted = 0
        self._numbers: dict[str, int] = {}
        self._free: list[int] = []
        self._owners = np.zeros((sessions, 2), np.int64)
        self._open: dict[int, int] = {}
        self._latest: dict[int, int] = {}
        self.customers = CustomerChains(sessions)

    def learn_one(self, key: str, session_id: str | None, item: str, at: int) -> None:
        """Add an item to the end of its session, or open one.

        Parameters
        ----------
        key, session_id, item : str
            Whose event it is, in which session (None where that is not said), and of what.
        at : int
            Event time, epoch ms.
        """
        self._append(self._session(key, session_id, at), item, at)

    def learn_fact(self, x: Fact) -> None:
        """Learn an event as the history step accepted it, which also said whether it opened a session.

        A guest is one session. An erasure, or consent that ends, takes all sessions of its key out.
        """
        if x.kind == "erasure":
            self._forget_key(_digest(x.key))
        elif x.kind in ACTIONS:
            key, opens = _digest(x.key), x.session_start and not x.key.startswith("s:")
            for place, line in enumerate(x.lines):
                session = NONE if opens and not place else self._latest.get(key, NONE)
                self._append(self._begun(key, key, session, x.at), line.item, x.at)

    def _append(self, session: int, item: str, at: int) -> None:
        number = self._number(item)
        row = session % len(self.items)
        append(self.items, self.links, self.about, self.heads, self.counts, row, number, at)
        self._count_popular()

    def session_of(self, key: str) -> int:
        """Return the number of the first part of the session a key acted in last, -1 if that is not held."""
        session = self._latest.get(_digest(key), NONE)
        return NONE if session == NONE else int(self.about[session % len(self.about), ROOT])

    def customer_of(self, key: str) -> int:
        """Return the number of whoever has this key in `customers`, -1 if none of their sessions is held."""
        return self.customers.number(_digest(key))

    def numbers(self, names: Sequence[str]) -> NDArray[np.int32]:
        """Return the numbers of items, -1 for those that no session holds."""
        return np.array([self._numbers.get(name, NONE) for name in names], np.int32)

    def popular(self, most: int) -> list[str]:
        """Return the items that are held most often, at most so many; counted anew now and then."""
        return [name for name in self._popular[: 2 * most] if name in self._numbers][:most]

    def known(self) -> list[str]:
        """Return the items that a session holds."""
        return list(self._numbers)

    def neighbours(
        self, current: NDArray[np.int32], own: int, most: int, places: int = _MOST_PLACES
    ) -> NDArray[np.int64]:
        """Return the rows of the sessions, at most `most`, that ended last of those that share an item.

        Parameters
        ----------
        current : array of int32, shape (n,)
            Items of the current session, oldest first; -1 for those that are not known.
        own : int
            Its number, so that it is not found itself; -1 if it is not in the index.
        most : int
            Most rows.
        places : int
            Rows that have so many places together are enough.
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
            places,
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
        of_key, owner = _digest(key), _digest(key, session_id)
        session = self._open.get(owner, NONE) if session_id is not None else self._idle(of_key, at)
        return self._begun(of_key, owner, session, at)

    def _idle(self, key: int, at: int) -> int:
        session = self._latest.get(key, NONE)
        if session == NONE or at - self.about[session % len(self.about), LAST_AT] > self._gap_ms:
            return NONE
        return session

    def _begun(self, key: int, owner: int, session: int, at: int) -> int:
        """Return a session with room for an item: the given one, its next part, or a new one for `NONE`."""
        if session == NONE:
            return self._begin(key, owner, NONE, at)
        row = session % len(self.items)
        if self.about[row, LENGTH] == self.items.shape[1]:
            # What goes on is the session as it was opened, with or without an id.
            return self._begin(key, int(self._owners[row, OWNER]), int(self.about[row, ROOT]), at)
        self._latest[key] = session
        return session

    def _begin(self, key: int, owner: int, root: int, at: int) -> int:
        session = self.newest + 1
        row = session % len(self.items)
        if session >= len(self.items):
            self._forget(session - len(self.items))
        self._owners[row] = (key, owner)
        self.newest = session
        self.about[row] = (at, 0, 0, session if root == NONE else root)
        self._open[owner] = self._latest[key] = session
        self.customers.begin(session, key)
        return session

    def _forget(self, session: int) -> None:
        row = session % len(self.items)
        key, owner = self._owners[row].tolist()
        self.customers.forget(row, key)
        found = forget(self.items, self.links, self.about, self.heads, self.counts, row, self._gone)
        for number in self._gone[:found].tolist():
            del self._numbers[self.names[number]]
            self._free.append(number)
        if self._open.get(owner) == session:
            del self._open[owner]
        if self._latest.get(key) == session:
            del self._latest[key]

    def _forget_key(self, key: int) -> None:
        held = min(self.newest + 1, len(self.items))
        for row in np.flatnonzero(self._owners[:held, KEY] == key).tolist():
            self._forget(self.newest - (self.newest - row) % len(self.items))
            # The row is empty, and nobody's, until its turn comes.
            self.about[row], self._owners[row] = 0, 0

    def rows(self) -> SessionRows:
        """Return a copy of all that is held, from which `restore` makes the same index."""
        held, known = min(self.newest + 1, len(self.items)), len(self.names)
        free = set(self._free)
        return SessionRows(
            self.newest,
            self.items.shape[1],
            ["" if number in free else name for number, name in enumerate(self.names)],
            list(self._free),
            self.items[:held].tobytes(),
            self.links[: held * self.items.shape[1]].tobytes(),
            self.about[:held].tobytes(),
            self._owners[:held].tobytes(),
            self.heads[:known].tobytes(),
            self.counts[:known].tobytes(),
        )

    def restore(self, rows: SessionRows) -> bool:
        """Take over what another index of the same bounds held; False, and nothing, if it had others."""
        capacity, width = self.items.shape
        held = min(rows.newest + 1, capacity)
        if rows.width != width or len(rows.owners) != 16 * held:
            return False
        self.newest = rows.newest
        self.items[:held] = np.frombuffer(rows.items, np.int32).reshape(held, width)
        self.links[: held * width] = np.frombuffer(rows.links, np.int32).reshape(held * width, 2)
        self.about[:held] = np.frombuffer(rows.about, np.int64).reshape(held, 4)
        self._owners[:held] = np.frombuffer(rows.owners, np.int64).reshape(held, 2)
        self.names, self._free = list(rows.names), list(rows.free)
        spare = np.zeros(max(_FIRST_ITEMS, len(self.names)), np.int64)
        self.heads = np.concatenate([np.frombuffer(rows.heads, np.int64), spare + NONE])
        self.counts = np.concatenate([np.frombuffer(rows.counts, np.int64), spare])
        self._given += 1
        self.named = np.full(len(self.heads), self._given, np.int64)
        free = set(self._free)
        self._numbers = {name: n for n, name in enumerate(self.names) if n not in free}
        self._open, self._latest, self.customers = {}, {}, CustomerChains(capacity)
        for session in range(self.newest - held + 1, self.newest + 1):
            row = session % capacity
            if self.about[row, LENGTH]:
                key, owner = self._owners[row].tolist()
                self._open[owner] = self._latest[key] = session
                self.customers.begin(session, key)
        self._popular, self._uncounted = [], len(self.names)
        return True

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
                self.named = np.concatenate([self.named, np.zeros(number, np.int64)])
        self._given += 1
        self.named[number] = self._given
        self._numbers[item] = number
        return number
