"""What is due to be published, and when: the earliest first, each key once."""

import heapq
from collections.abc import Iterable


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

    def take(self, *, now: int, at_once: bool) -> str | None:
        """Give the next key and forget it; None when none is due."""
        if not self._waiting or (self._waiting[0][0] > now and not at_once):
            return None
        _, key = heapq.heappop(self._waiting)
        self._known.discard(key)
        return key
