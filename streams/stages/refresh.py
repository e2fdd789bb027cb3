"""Which customers are owed a refreshed list, and when.

At most one refresh per customer and interval; the first is never delayed and the newest event is never
dropped: it waits for the end of the interval together with what came before it.
"""

import heapq
from collections import deque

from schemas.state import Pending

MAX_CAUSES = 20


class RefreshQueue:
    """Coalesces refreshes in the time that the driver tells.

    Parameters
    ----------
    pending : dict of str to Pending
        Part of the stage's progress, so that a refresh that is owed survives a crash.
    interval_ms : int
        Least time between two refreshes of a customer; 0: every event is answered.

    Examples
    --------
    >>> queue = RefreshQueue({}, interval_ms=100)
    >>> def event(n):
    ...     return Pending("browses", 0, n, n, n, n, [f"b-{n}"])
    >>> queue.add("u:anna", event(1), now=0)
    >>> queue.take(now=0)[1].event_ids
    ['b-1']
    >>> queue.add("u:anna", event(2), now=10); queue.add("u:anna", event(3), now=20)
    >>> queue.take(now=50) is None, queue.take(now=100)[1].event_ids
    (True, ['b-2', 'b-3'])
    """

    def __init__(self, pending: dict[str, Pending], *, interval_ms: int) -> None:
        self._pending, self._interval = pending, interval_ms
        self._ready: deque[str] = deque(pending)
        self._later: list[tuple[int, str]] = []
        self._last: dict[str, int] = {}
        self._forgotten_at = self._taken_at = 0
        self.coalesced = 0

    def add(self, key: str, cause: Pending, *, now: int) -> None:
        """Owe `key` a refresh because of `cause`."""
        owed = self._pending.get(key)
        if owed is not None:
            self.coalesced += 1
            cause.event_ids = (owed.event_ids + cause.event_ids)[-MAX_CAUSES:]
            self._pending[key] = cause
            return
        self._pending[key] = cause
        due = self._due(key, now)
        if due <= now:
            self._ready.append(key)
        else:
            heapq.heappush(self._later, (due, key))

    def take(self, *, now: int) -> tuple[str, Pending] | None:
        """Give the next refresh that is due and forget it; None when none is."""
        if now < self._taken_at:
            self._set_back(now)
        self._taken_at = now
        while self._later and self._later[0][0] <= now:
            self._ready.append(heapq.heappop(self._later)[1])
        while self._ready:
            key = self._ready.popleft()
            if key not in self._pending:
                continue
            due = self._due(key, now)
            if due > now:
                # One who was dropped and came back stands here twice.
                heapq.heappush(self._later, (due, key))
                continue
            self._last[key] = now
            self._forget(now)
            return key, self._pending.pop(key)
        return None

    def take_all(self) -> list[tuple[str, Pending]]:
        """Give every refresh that is owed, due or not."""
        owed = list(self._pending.items())
        self._pending.clear()
        self._ready.clear()
        self._later.clear()
        return owed

    def drop(self, key: str) -> None:
        """Owe `key` nothing any more."""
        self._pending.pop(key, None)

    def _due(self, key: str, now: int) -> int:
        """When a refresh may follow the last one."""
        return self._last.get(key, now - self._interval) + self._interval

    def _set_back(self, now: int) -> None:
        """The clock was set back: that delays nobody by more than an interval."""
        self._last = {key: min(at, now) for key, at in self._last.items()}
        self._later = [(min(due, now + self._interval), key) for due, key in self._later]
        heapq.heapify(self._later)
        self._forgotten_at = now

    def _forget(self, now: int) -> None:
        """Keep the times of refreshes of the last two intervals only."""
        if now - self._forgotten_at > max(2 * self._interval, 1000):
            self._forgotten_at = now
            self._last = {key: at for key, at in self._last.items() if now - at < self._interval}
