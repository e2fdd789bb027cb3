"""How much comes through, second by second: events and lists that were followed, requests that were answered.

Nothing here waits or reads a clock; the caller says when a second has gone by.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from schemas.page import FlowNews, FlowPoint, Quantiles
from schemas.recommendations import Latency

KEPT_S: Final = 600
"""Seconds that are kept."""

NEWEST: Final = 12
"""Customers whose lists came last."""

MOST_TIMED: Final = 2_000
"""Lists of one second whose times are looked at; the others are counted."""

LIVE_MS: Final = 3_600_000
"""An event that was read so long after it happened is of a file: its age is no latency."""


class _Told(msgspec.Struct):
    user_id: str | None
    latency: Latency


_decode = msgspec.json.Decoder(_Told).decode


class Flow:
    """Counts what comes, and keeps the newest seconds.

    Parameters
    ----------
    names : bool
        Whether to keep the customers whose lists came last: not where ids of topics are pseudonyms, by which
        nobody can ask.
    """

    def __init__(self, *, names: bool) -> None:
        self._names = names
        self._points: deque[FlowPoint] = deque(maxlen=KEPT_S)
        self._newest: dict[str, None] = {}
        self._events: dict[str, int] = {}
        self._lists = self._requests = 0
        self._event_ms: list[int] = []
        self._work_ms: list[int] = []

    def note_list(self, key: str, value: bytes | None) -> None:
        """Take a list as it arrives; None says that its customer is to be forgotten."""
        if value is None:
            self._newest.pop(key, None)
            return
        self._lists += 1
        if len(self._work_ms) >= MOST_TIMED:
            return
        try:
            told = _decode(value)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            # Who asks for it will see what is wrong with it.
            return
        latency = told.latency
        self._work_ms.append(max(0, latency.emitted_at - latency.ingested_at))
        if latency.ingested_at - latency.event_at < LIVE_MS:
            self._event_ms.append(max(0, latency.emitted_at - latency.event_at))
        if self._names and told.user_id is not None:
            self._note(told.user_id)

    def _note(self, user: str) -> None:
        self._newest.pop(user, None)
        self._newest[user] = None
        if len(self._newest) > NEWEST:
            del self._newest[next(iter(self._newest))]

    def tick(self, at: int, events: Mapping[str, int], requests: int) -> None:
        """End a second.

        Parameters
        ----------
        at : int
            When, epoch ms.
        events : mapping of str to int
            How many events of each kind there have been since the start.
        requests : int
            The same of requests.
        """
        new = {kind: count - self._events.get(kind, 0) for kind, count in events.items()}
        point = FlowPoint(
            at,
            {kind: count for kind, count in new.items() if count},
            self._lists,
            requests - self._requests,
            _quantiles(self._event_ms),
            _quantiles(self._work_ms),
        )
        self._points.append(point)
        self._events, self._requests, self._lists = dict(events), requests, 0
        self._event_ms, self._work_ms = [], []

    def start(self, events: Mapping[str, int], requests: int) -> None:
        """Begin the first second: what came before is not counted."""
        self.tick(0, events, requests)
        self._points.clear()

    def since(self, at: int) -> FlowNews:
        """Give the seconds after a moment, epoch ms, that are kept."""
        points = [point for point in self._points if point.at > at]
        return FlowNews(points, list(reversed(self._newest)))


def _quantiles(times: Sequence[int]) -> Quantiles | None:
    """Nearest-rank quantiles.

    Examples
    --------
    >>> _quantiles(range(1, 101))
    Quantiles(p50=50, p95=95, p99=99)
    >>> _quantiles([7])
    Quantiles(p50=7, p95=7, p99=7)
    """
    if not times:
        return None
    ordered, last = sorted(times), len(times)
    return Quantiles(*(ordered[-(-last * share // 100) - 1] for share in (50, 95, 99)))
