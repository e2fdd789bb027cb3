"""What is due to be published, and when: the earliest first, each key once."""

import heapq
from collections.abc import Iterable, Mapping

KEPT_TIMES = 100_000
"""Times of the last publication that are kept before those that matter no more are dropped."""


class DueQueue:
    """Keys with the time from which they may be taken (epoch ms).

    Parameters
    ----------
    keys : iterable of str
        Due at once.

    Examples
    --------
    >>> queue = DueQueue()
    >>> queue.add("tea", 300); queue.add("cup", 200); queue.add("tea", 100)
    >>> queue.take(now=250, at_once=False), queue.take(now=250, at_once=False)
    ('cup', None)
    >>> queue.take(now=250, at_once=True)
    'tea'
    """

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._waiting = [(0, key) for key in keys]
        heapq.heapify(self._waiting)
        self._known = {key for _, key in self._waiting}

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def add(self, key: str, due: int) -> None:
        """Note a key; one that waits already keeps its time."""
        if key not in self._known:
            self._known.add(key)
            heapq.heappush(self._waiting, (due, key))

    def add_after(self, key: str, last: Mapping[str, int], *, interval: int, now: int) -> None:
        """Note a key that may be taken an interval after the last time, and not before now."""
        self.add(key, max(now, last.get(key, now - interval) + interval))

    def take(self, *, now: int, at_once: bool) -> str | None:
        """Give the next key and forget it; None when none is due."""
        if not self._waiting or (self._waiting[0][0] > now and not at_once):
            return None
        _, key = heapq.heappop(self._waiting)
        self._known.discard(key)
        return key


def still_waiting(last: dict[str, int], *, interval: int, now: int) -> dict[str, int]:
    """Keep of many times only those that still hold somebody up."""
    if len(last) <= KEPT_TIMES:
        return last
    return {key: at for key, at in last.items() if now - at < interval}
