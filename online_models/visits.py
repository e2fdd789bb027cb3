"""What each customer browsed and bought in the visit that goes on, for rules from the one to the other."""

from collections import OrderedDict
from collections.abc import Sequence

from online_models.open_sessions import goes_on


class Visit:
    """A visit: the items browsed, with the time of the last browse of each, and the items bought.

    Both in the order of the last time, oldest first; times are in epoch ms.
    """

    __slots__ = ("bought", "browsed", "last_at", "session_id")

    def __init__(self, session_id: str | None, at: int) -> None:
        self.session_id, self.last_at = session_id, at
        self.browsed: dict[str, int] = {}
        self.bought: dict[str, int] = {}


class Visits:
    """The newest visit of each key; keys that did nothing for longest are forgotten.

    A visit is a session; with a window it goes on over all sessions of a customer, until the window has
    passed without an event.

    Parameters
    ----------
    window_ms : int
        0: visits are sessions. Otherwise a visit lasts as long as no gap is longer than this, and a browse
        belongs to a purchase up to so long after it.
    visits : int
        Most keys.
    length : int
        Most items browsed and bought in a visit that are kept, the last ones.
    gap_ms : int
        A session without an id ends after this long without an event.

    Examples
    --------
    >>> visits = Visits(gap_ms=1_000)
    >>> visits.browse("u:anna", None, "tea", 0), visits.browse("u:anna", None, "tea", 5)
    ((True, True), (False, False))
    >>> visits.buy("u:anna", None, "cup", 10)
    (False, ['tea'])
    >>> visits.buy("u:anna", None, "cup", 20)  # had been bought in this visit
    (False, None)
    >>> visits.buy("u:anna", None, "cup", 5_000)
    (True, [])
    """

    def __init__(
        self, window_ms: int = 0, *, visits: int = 100_000, length: int = 100, gap_ms: int = 1_800_000
    ) -> None:
        self._window_ms, self._gap_ms = window_ms, window_ms or gap_ms
        self._most, self._length = visits, length
        self._visits: OrderedDict[str, Visit] = OrderedDict()

    def __len__(self) -> int:
        return len(self._visits)

    def browse(self, key: str, session_id: str | None, item: str, at: int) -> tuple[bool, bool]:
        """Note a browse; return whether it opened a visit, and whether the item is new to the visit."""
        visit, opened = self._enter(key, session_id, at)
        return opened, self._noted(visit.browsed, item, at)

    def buy(self, key: str, session_id: str | None, item: str, at: int) -> tuple[bool, Sequence[str] | None]:
        """Note a purchase; return whether it opened a visit, and what had been browsed in it.

        None instead of the items, if this one was bought in the visit before.
        """
        visit, opened = self._enter(key, session_id, at)
        if not self._noted(visit.bought, item, at):
            return opened, None
        since = at - self._window_ms if self._window_ms else None
        return opened, [each for each, last in visit.browsed.items() if since is None or last >= since]

    def going_on(self, key: str, now: int) -> Visit | None:
        """Return the visit of a key, if it goes on at a time in epoch ms."""
        visit = self._visits.get(key)
        return visit if visit is not None and now - visit.last_at <= self._gap_ms else None

    def _enter(self, key: str, session_id: str | None, at: int) -> tuple[Visit, bool]:
        session_id = None if self._window_ms else session_id
        visit = self._visits.pop(key, None)
        opened = visit is None or not goes_on(
            visit.session_id, visit.last_at, session_id, at, gap_ms=self._gap_ms
        )
        if visit is None or opened:
            visit = Visit(session_id, at)
        visit.session_id, visit.last_at = session_id or visit.session_id, max(at, visit.last_at)
        self._visits[key] = visit
        if len(self._visits) > self._most:
            self._visits.popitem(last=False)
        return visit, opened

    def _noted(self, items: dict[str, int], item: str, at: int) -> bool:
        before = items.pop(item, None)
        items[item] = at if before is None else max(at, before)
        if len(items) > self._length:
            del items[next(iter(items))]
        return before is None
