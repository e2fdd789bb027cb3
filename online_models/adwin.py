"""Has the mean of a stream of numbers changed? A window that grows while it has not, and shrinks when it has.

Sums are integers: a window of 2**20 numbers takes about a hundred buckets and is the same after every replay.
"""

from collections.abc import Iterator
from math import log, sqrt
from typing import Final, NamedTuple

from schemas.trees import AdwinState

ONE: Final = 1 << 20
"""Fixed-point one."""

BUCKETS: Final = 5
"""Buckets of a level, before two of them become one of the next."""

LEVELS: Final = 40
"""Most levels; the oldest numbers are left out beyond."""

EVERY: Final = 32
"""Numbers from one look at the window to the next."""

_GRACE, _LEAST = 10, 5


class Change(NamedTuple):
    """A change of the mean: before and after, both from 0 to 1."""

    before: float
    after: float


class _Part(NamedTuple):
    size: int
    total: int


class Adwin:
    """Adaptive windowing over numbers from 0 to 1.

    Parameters
    ----------
    state : AdwinState
        Changed in place; bounded by `LEVELS` times `BUCKETS` + 1 buckets.
    delta : float
        How likely a change is noticed that is none, at most, at each look.

    References
    ----------
    Bifet, Gavaldà: Learning from Time-Changing Data with Adaptive Windowing, SDM 2007. The first change is
    noticed when `river.drift.ADWIN` notices it; what is older than the clearest cut is then dropped at once.

    Examples
    --------
    >>> adwin = Adwin(AdwinState())
    >>> numbers = [0.1, 0.3] * 200 + [0.6, 0.8] * 200
    >>> changes = [(at, change) for at, number in enumerate(numbers) if (change := adwin.learn_one(number))]
    >>> len(changes), 400 < changes[0][0] < 500, round(adwin.mean, 1)
    (1, True, 0.7)
    """

    def __init__(self, state: AdwinState, *, delta: float = 0.002) -> None:
        self.state, self._delta = state, delta

    @property
    def width(self) -> int:
        """Numbers in the window."""
        return sum(len(level) << place for place, level in enumerate(self.state.sums))

    @property
    def mean(self) -> float:
        """Mean of the window; 0 when it is empty."""
        width = self.width
        return sum(map(sum, self.state.sums)) / (width * ONE) if width else 0.0

    def learn_one(self, x: float) -> Change | None:
        """Take a number, and say whether the mean has changed.

        Parameters
        ----------
        x : float
            From 0 to 1; others are taken as the nearest of these.
        """
        fixed = round(min(max(x, 0.0), 1.0) * ONE)
        state = self.state
        if not state.sums:
            state.sums, state.squares = [[]], [[]]
        state.sums[0].append(fixed)
        state.squares[0].append(fixed * fixed // ONE)
        self._compress()
        state.ticks += 1
        return self._look() if state.ticks % EVERY == 0 else None

    def _compress(self) -> None:
        """Let the two oldest buckets of a full level become one of the next."""
        sums, squares = self.state.sums, self.state.squares
        level = 0
        while len(sums[level]) > BUCKETS:
            if level + 1 == LEVELS:
                del sums[level][0], squares[level][0]
                return
            if level + 1 == len(sums):
                sums.append([])
                squares.append([])
            for rows in (sums, squares):
                rows[level + 1].append(rows[level][0] + rows[level][1])
                del rows[level][:2]
            level += 1

    def _look(self) -> Change | None:
        """Drop what is older than the clearest change, if there is one."""
        width = self.width
        cut = self._clearest(width) if width > _GRACE else None
        if cut is None:
            return None
        change, count = cut
        while count > 0:
            count -= self._drop_oldest()
        return change

    def _clearest(self, width: int) -> tuple[Change, int] | None:
        """Return the clearest cut between older and newer numbers, and how many are older."""
        total = sum(map(sum, self.state.sums))
        variance = max(sum(map(sum, self.state.squares)) / width / ONE - (total / width / ONE) ** 2, 0.0)
        doubt = log(2 * log(width) / self._delta)
        found, clearest = None, 0.0
        for older in self._parts():
            newer = _Part(width - older.size, total - older.total)
            if min(older.size, newer.size) < _LEAST:
                continue
            share = 1 / (older.size - _LEAST + 1) + 1 / (newer.size - _LEAST + 1)
            most = sqrt(2 * share * variance * doubt) + 2 / 3 * doubt * share
            change = Change(older.total / older.size / ONE, newer.total / newer.size / ONE)
            beyond = abs(change.before - change.after) - most
            if beyond > clearest:
                found, clearest = (change, older.size), beyond
        return found

    def _parts(self) -> Iterator[_Part]:
        """Give the older part of the window for each place at which it can be cut, the oldest first."""
        count = total = 0
        for level in range(len(self.state.sums) - 1, -1, -1):
            for amount in self.state.sums[level]:
                count += 1 << level
                total += amount
                yield _Part(count, total)

    def _drop_oldest(self) -> int:
        """Drop the oldest bucket; how many numbers it stood for."""
        sums, squares = self.state.sums, self.state.squares
        level = len(sums) - 1
        del sums[level][0], squares[level][0]
        while len(sums) > 1 and not sums[-1]:
            sums.pop()
            squares.pop()
        return 1 << level
