"""Which customer each session belongs to, and which session of the same customer came before it."""

import numpy as np

from online_models.session_kernels import NONE


class CustomerChains:
    """Numbers customers by the digests of their keys, and links the sessions of each, newest first.

    Bounded by the sessions: a customer of whom no session is held has no number, and that goes on to another.

    Parameters
    ----------
    sessions : int
        Most sessions held; a session is in row number % sessions.

    Attributes
    ----------
    of : array of int32, shape (sessions,)
        The customer of the session in each row; -1 for nobody.
    before : array of int64, shape (sessions,)
        Number of the customer's session that was begun before that in the row, -1 for none. It may have been
        forgotten since: then it is older than all that are held.
    newest : array of int64, shape (sessions,)
        Number of the session that each customer began last.

    Examples
    --------
    >>> chains = CustomerChains(sessions=3)
    >>> for session, key in enumerate([71, 72, 71]):
    ...     chains.begin(session, key)
    >>> chains.of.tolist(), int(chains.before[2]), int(chains.newest[chains.number(71)])
    ([0, 1, 0], 0, 2)
    >>> chains.forget(1, 72)
    >>> chains.number(72)
    -1
    """

    def __init__(self, sessions: int) -> None:
        self.of = np.full(sessions, NONE, np.int32)
        self.before = np.full(sessions, NONE, np.int64)
        self.newest = np.full(sessions, NONE, np.int64)
        self._held = np.zeros(sessions, np.int32)
        self._numbers: dict[int, int] = {}
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, key: int) -> int:
        """Return the number of the customer with this digest, -1 if none of their sessions is held."""
        return self._numbers.get(key, NONE)

    def begin(self, session: int, key: int) -> None:
        """Note a session, newer than all others, in a row that holds none."""
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = self._free.pop() if self._free else len(self._numbers)
            self.newest[number] = NONE
        row = session % len(self.of)
        self.of[row], self.before[row] = number, self.newest[number]
        self.newest[number] = session
        self._held[number] += 1

    def forget(self, row: int, key: int) -> None:
        """Take the session in a row out: the oldest of all, or one of a customer who goes with all."""
        number = int(self.of[row])
        if number == NONE:
            return
        self.of[row] = self.before[row] = NONE
        self._held[number] -= 1
        if not self._held[number]:
            del self._numbers[key]
            self._free.append(number)
