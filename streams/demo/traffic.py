"""Sends a simulated shop's events when they are due. Pure: who calls tells the time."""

from collections.abc import Iterator

from online_models.worlds import Emitted


class Traffic:
    """An endless stream, given out as time goes by.

    Parameters
    ----------
    events : iterator of Emitted
        In the order in which they are sent. One that is older than its predecessor is late and goes at once
        after it.

    Examples
    --------
    >>> def at(ms):
    ...     return Emitted("browses", "anna", b"{}", ms)
    >>> traffic = Traffic(iter([at(0), at(20), at(5), at(30)]))
    >>> [[event.at for event in traffic.due(now)] for now in (10, 20, 30)]
    [[0], [20, 5], [30]]
    """

    def __init__(self, events: Iterator[Emitted]) -> None:
        self._events = events
        self._next: Emitted | None = None

    def due(self, now_ms: int) -> Iterator[Emitted]:
        """Give what is due by now and wasn't given yet."""
        while True:
            if self._next is None:
                self._next = next(self._events, None)
            if self._next is None or self._next.at > now_ms:
                return
            event, self._next = self._next, None
            yield event
