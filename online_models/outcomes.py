"""What came of sessions: looks at an open session, kept until it has ended.

By event time alone. The rows of customers are bounded; of the sessions that are open, the one that rested
longest makes room, and nothing is learned of it.
"""

from typing import Final

import msgspec

from online_models.open_sessions import ACTIONS
from online_models.protocols import Store
from online_models.visit_features import NEVER_DAYS, VERSION
from schemas.messages import Fact
from schemas.settings import Settings
from schemas.trees import OpenVisits, Outcome, VisitRow

KEY: Final = "open"
"""Key of the one row that says whose session is open."""

MAX_ITEMS: Final = 30
"""Distinct items of a session that are told apart."""

MAX_TRAIL: Final = 30
"""Actions of a session whose categories are kept."""

MAX_PAST: Final = 8
"""Categories kept of the sessions before."""

MAX_NAME: Final = 256
"""Characters of a category; a longer one is left out."""

_FULL: Final = 64.0
_CLOSED_AT_ONCE: Final = 2
_DAY_MS: Final = 86_400_000
_MINUTE_MS: Final = 60_000


class OutcomesStep:
    """Looks at open sessions after their 1st, 2nd, 4th, 8th... action, and says later what came of each.

    A session ends with the first action of the customer's next one, or when nobody acted in it for
    `history.session_gap_s` as of the newest event of the partition. An order is the outcome of all looks
    before it. Both outcomes become known at the end alone: if orders were told at once, the newest outcomes
    would always be mostly orders.

    Parameters
    ----------
    rows : Store of VisitRow
        By customer key. A guest's row goes with the session.
    opened : Store of OpenVisits
        One row.
    settings : Settings
        `history.session_gap_s`, `trees.looks` and `trees.open_sessions`.

    Examples
    --------
    >>> from online_models.memory_store import MemoryStore
    >>> from schemas.messages import Line
    >>> step = OutcomesStep(MemoryStore(VisitRow), MemoryStore(OpenVisits), Settings())
    >>> def act(kind, at, start=False):
    ...     return step.learn_one(Fact("u:anna", kind, at, [Line("tea", ["drinks"])], [0], start, []))
    >>> act("view", 0, start=True), act("view", 9_000), act("purchase", 60_000), act("view", 70_000)
    ([], [], [], [])
    >>> [(each.at, each.next, each.bought) for each in act("view", 90_000_000, start=True)]
    [(0, 'drinks', True), (9000, 'drinks', True), (70000, '', False)]
    """

    def __init__(self, rows: Store[VisitRow], opened: Store[OpenVisits], settings: Settings) -> None:
        self.rows, self._opened = rows, opened
        self._gap_ms = settings.history.session_gap_s * 1000
        self._looks, self._most = settings.trees.looks, settings.trees.open_sessions
        self._per_minute = settings.trees.outcomes_per_minute

    def key(self, x: Fact) -> str:
        return x.key

    def learn_one(self, x: Fact) -> list[Outcome]:
        if x.kind == "erasure":
            self._forget(x.key)
            return []
        if x.kind not in ACTIONS or x.key.startswith("o:"):
            return []
        opened = self._opened.get(KEY) or OpenVisits()
        opened.watermark = max(opened.watermark, x.at)
        outcomes = self._close_resting(opened, x.key)
        row = self.rows.get(x.key) or VisitRow()
        if row.events and (x.session_start or x.at > row.last_at + self._gap_ms):
            outcomes += _ended(row)
        self._act(row, x)
        self.rows.put(x.key, row)
        # The newest stands at the end, so that who rested longest is found at once.
        opened.keys.pop(x.key, None)
        opened.keys[x.key] = row.last_at
        if len(opened.keys) > self._most:
            self._close(next(iter(opened.keys)), opened)
        outcomes = self._told(opened, outcomes)
        self._opened.put(KEY, opened)
        return outcomes

    def _told(self, opened: OpenVisits, outcomes: list[Outcome]) -> list[Outcome]:
        """Leave out what is more than the trees learn in a minute of the partition's clock."""
        minute = opened.watermark // _MINUTE_MS
        if minute > opened.minute:
            opened.minute, opened.told = minute, 0
        if self._per_minute:
            outcomes = outcomes[: max(0, self._per_minute - opened.told)]
        opened.told += len(outcomes)
        return outcomes

    def _act(self, row: VisitRow, x: Fact) -> None:
        category = _category_of(x)
        if not row.events:
            begin(row, x.at, category)
        for look in row.pending[-1:]:
            if not look.next and category:
                look.next = category
        if x.kind == "purchase":
            for look in row.pending:
                look.bought = True
        act(row, x, category)
        # After 1, 2, 4, 8... actions: a long session does not outweigh many short ones.
        if row.events & (row.events - 1) == 0 and len(row.pending) < self._looks:
            row.pending.append(look_at(row, x.key, x.at))

    def _close_resting(self, opened: OpenVisits, key: str) -> list[Outcome]:
        """End sessions that have rested for long, few at a time, so that no event pays for many."""
        outcomes: list[Outcome] = []
        for _ in range(_CLOSED_AT_ONCE):
            oldest = next(iter(opened.keys), key)
            if oldest == key or opened.keys[oldest] + self._gap_ms >= opened.watermark:
                break
            outcomes += self._close(oldest, opened)
        return outcomes

    def _close(self, key: str, opened: OpenVisits) -> list[Outcome]:
        del opened.keys[key]
        row = self.rows.get(key)
        if row is None:
            return []
        outcomes = _ended(row)
        if key.startswith("u:"):
            self.rows.put(key, row)
        else:
            self.rows.delete(key)
        return outcomes

    def _forget(self, key: str) -> None:
        self.rows.delete(key)
        opened = self._opened.get(KEY)
        if opened is not None and key in opened.keys:
            del opened.keys[key]
            self._opened.put(KEY, opened)


def begin(row: VisitRow, at: int, category: str) -> None:
    """Begin a session."""
    row.started_at = row.last_at = at
    row.first = category


def act(row: VisitRow, x: Fact, category: str) -> None:
    """Add an action to the open session."""
    row.events += 1
    row.pause_s = max(x.at - row.last_at, 0) / 1000.0
    row.last_at = max(row.last_at, x.at)
    if x.kind == "view":
        row.views += 1
    elif x.kind == "cart":
        row.carts += 1
    elif x.kind == "purchase":
        row.orders += 1
        row.ordered += 1
        row.carts = 0
        row.ordered_at = max(row.ordered_at, x.at)
    for line in x.lines:
        if line.item in row.items:
            row.repeats += x.kind == "view"
        else:
            row.items.append(line.item)
            row.seen += 1
            del row.items[:-MAX_ITEMS]
        if line.unit_price is not None:
            row.price = line.unit_price
            row.price_sum += line.unit_price
            row.priced += 1
    if category:
        row.first = row.first or category
        row.trail.append(category)
        del row.trail[:-MAX_TRAIL]
        _like(row.past, category)


def look_at(row: VisitRow, key: str, at: int) -> Outcome:
    """Return what the open session looks like; its outcome is not known yet.

    Parameters
    ----------
    row : VisitRow
        With a session that is open.
    key : str
        As in events: a guest's begins with `s:`.
    at : int
        Now, epoch ms.
    """
    mean = row.price_sum / row.priced if row.priced else 0.0
    numbers = [
        float(row.views),
        float(row.carts),
        float(row.orders),
        float(row.seen),
        float(row.repeats),
        float(len(set(row.trail))),
        float(_streak(row.trail)),
        (row.last_at - row.started_at) / 1000.0,
        row.pause_s,
        row.price,
        row.price / mean if mean else 1.0,
        float(key.startswith("u:")),
        float(row.sessions),
        row.bought / row.sessions if row.sessions else 0.0,
        float(row.ordered),
        _days(row.ordered_at, at),
        _days(row.visited_at, row.started_at),
    ]
    return Outcome(at, VERSION, numbers, [*_last_two(row.trail), row.first, _favourite(row.past)])


def _ended(row: VisitRow) -> list[Outcome]:
    """End the session of a row that goes on with the next one."""
    pending = row.pending
    row.pending = []
    row.sessions += 1
    row.bought += row.orders > 0
    row.visited_at = row.last_at
    row.events = row.views = row.carts = row.orders = row.repeats = row.priced = row.seen = 0
    row.price = row.price_sum = row.pause_s = 0.0
    row.items, row.trail, row.first = [], [], ""
    return pending


def _category_of(x: Fact) -> str:
    for line in x.lines:
        for category in line.categories:
            if len(category) <= MAX_NAME:
                return category
    return ""


def _like(weights: dict[str, float], category: str) -> None:
    weight = weights.get(category, 0.0) + 1.0
    if category not in weights and len(weights) >= MAX_PAST:
        # Space-Saving, as in online_models.features: the lightest goes, of equals the first by name.
        lightest, gone = min((old, name) for name, old in weights.items())
        del weights[gone]
        weight += lightest
    weights[category] = weight
    if weight >= _FULL:
        for name, old in weights.items():
            weights[name] = old / 2


def _favourite(weights: dict[str, float]) -> str:
    return min(weights, key=lambda name: (-weights[name], name), default="")


def _streak(trail: list[str]) -> int:
    length = 0
    for category in reversed(trail):
        if category != trail[-1]:
            break
        length += 1
    return length


def _last_two(trail: list[str]) -> tuple[str, str]:
    """Return the category of the newest action, and the newest other one."""
    if not trail:
        return "", ""
    return trail[-1], next((each for each in reversed(trail) if each != trail[-1]), "")


def _days(since: int, at: int) -> float:
    return max(at - since, 0) / _DAY_MS if since else NEVER_DAYS


def copy_of(row: VisitRow) -> VisitRow:
    """Return a row that can be changed without changing this one."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(row), type=VisitRow)
