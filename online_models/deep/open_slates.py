"""Slates that are not over: what was shown to whom, and what it has earned since."""

from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import NamedTuple


class Shown(NamedTuple):
    """An item in a place of a slate.

    `evidence` is the chance that it is acted on, as far as was known, the same for all where nothing was;
    `propensity` that with which it got its place, 1 where nothing was drawn.
    """

    item: str
    evidence: float = 1.0
    propensity: float = 1.0


class Slate(NamedTuple):
    """What was shown, best first, after which acts of the session, oldest first."""

    session: tuple[str, ...]
    shown: tuple[Shown, ...]


class Ended(NamedTuple):
    """A slate that is over: what each place earned, and what was shown next; None where the session ended."""

    slate: Slate
    earned: tuple[float, ...]
    following: Slate | None


class _Open:
    def __init__(self, session_id: str | None, length: int) -> None:
        self.session_id, self.last_at = session_id, 0
        self.items: deque[str] = deque(maxlen=length)
        self.slate: Slate | None = None
        self.earned: list[float] = []

    def end(self, following: Slate | None) -> list[Ended]:
        ended = [] if self.slate is None else [Ended(self.slate, tuple(self.earned), following)]
        self.slate = following
        self.earned = [] if following is None else [0.0] * len(following.shown)
        return ended


class OpenSlates:
    """The newest slate of each session that is open; what earned it something is seen for so long.

    A session ends when its key is in another one, or has been silent for `gap_ms`, by the highest time seen.

    Parameters
    ----------
    most : int
        Sessions; the one that was silent longest makes room, and ends.
    length : int
        Acts of a session that are remembered, the newest ones.
    gap_ms : int
        A session ends after this long without an event.

    Examples
    --------
    >>> slates = OpenSlates(most=10, length=5, gap_ms=1_000)
    >>> slates.show("u:anna", None, [Shown("tea"), Shown("cup")], 0)
    []
    >>> slates.act("u:anna", None, "cup", 4.0, 9)
    []
    >>> (ended,) = slates.show("u:anna", None, [Shown("pot")], 10)
    >>> ended.earned, ended.following.session
    ((0.0, 4.0), ('cup',))
    >>> [each.following for each in slates.act("u:bert", None, "ink", 1.0, 9_999)]
    [None]
    """

    def __init__(self, most: int, *, length: int, gap_ms: int) -> None:
        if most < 1:
            raise ValueError(f"most is {most}; expected at least 1")
        self._most, self._length, self._gap_ms, self._highest_at = most, length, gap_ms, 0
        self._open: OrderedDict[str, _Open] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def session(self, key: str, session_id: str | None, at: int) -> tuple[str, ...]:
        """Return what has been acted on in a session, oldest first."""
        found = self._open.get(key)
        return tuple(found.items) if found is not None and self._goes_on(found, session_id, at) else ()

    def show(self, key: str, session_id: str | None, shown: Sequence[Shown], at: int) -> list[Ended]:
        """Note what a key is shown, and return what is over."""
        ended, session = self._session(key, session_id, at)
        return ended + session.end(Slate(tuple(session.items), tuple(shown)))

    def act(self, key: str, session_id: str | None, item: str, worth: float, at: int) -> list[Ended]:
        """Note an act, earned by the place where the item was shown, and return what is over."""
        ended, session = self._session(key, session_id, at)
        if session.slate is not None:
            for place, each in enumerate(session.slate.shown):
                if each.item == item:
                    session.earned[place] += worth
        session.items.append(item)
        return ended

    def _session(self, key: str, session_id: str | None, at: int) -> tuple[list[Ended], _Open]:
        self._highest_at = max(self._highest_at, at)
        ended = []
        found = self._open.pop(key, None)
        if found is not None and not self._goes_on(found, session_id, at):
            ended, found = found.end(None), None
        if found is None:
            found = _Open(session_id, self._length)
        found.last_at = max(found.last_at, at)
        self._open[key] = found
        return ended + self._silent(), found

    def _silent(self) -> list[Ended]:
        """End the sessions that are silent for too long, or too many."""
        ended: list[Ended] = []
        while len(self._open) > 1:
            key, oldest = next(iter(self._open.items()))
            if len(self._open) <= self._most and self._highest_at - oldest.last_at <= self._gap_ms:
                break
            del self._open[key]
            ended += oldest.end(None)
        return ended

    def _goes_on(self, found: _Open, session_id: str | None, at: int) -> bool:
        if session_id is not None and found.session_id is not None:
            return session_id == found.session_id
        return at - found.last_at <= self._gap_ms
