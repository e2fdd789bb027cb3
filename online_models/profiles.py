"""What each customer is like: when they do what, how much, and in which categories and tags, decayed.

Emits a lesson for the needs of all customers with each visit that begins and each order. Guests and
customers without consent leave no trace. What is concluded from a row is in `online_models.profile_answers`.
"""

from typing import Final

from online_models.decay import Decay
from online_models.key_digests import digest_of
from online_models.protocols import Store
from online_models.segment_sums import like
from schemas.messages import Fact
from schemas.profiles import KINDS, NeedLesson, ProfileRow
from schemas.settings import Settings

KEPT: Final = 30
"""Categories, tags and items kept for one customer; up to twice as many until the lightest go."""

KEPT_OF_VISIT: Final = 8
"""Categories kept of one visit."""

MOST_CATEGORIES: Final = 4
"""Categories of a visit's first item that are learned."""

MOST_NAMES: Final = 20
"""Items, and categories, of an order that are told to all."""

MAX_NAME: Final = 256
"""Characters of a category or tag; a longer one is left out."""

UNIT: Final = 16
"""Integer weight of an action that weighs 1, before decay."""

_KIND: Final = {kind: n for n, kind in enumerate(KINDS)}
_DAY_MS, _HOUR_MS = 86_400_000, 3_600_000
_THURSDAY: Final = 3
"""Weekday of the first day of the epoch, Monday being 0."""
_MOST: Final = 1e15


class ProfilesStep:
    """Keeps a row of sums per customer.

    Parameters
    ----------
    rows : Store of ProfileRow
        By customer key. At most `2 * KEPT` categories, tags and items each.
    settings : Settings
        `weights`, and the half-life of interests in `profiles`.

    Notes
    -----
    Interests are integers under forward decay, so a replay gives the same bits.

    Examples
    --------
    >>> from online_models.memory_store import MemoryStore
    >>> from schemas.messages import Line
    >>> step = ProfilesStep(MemoryStore(ProfileRow), Settings())
    >>> def view(at, item, category, start):
    ...     return Fact("u:anna", "view", at, [Line(item, [category])], [0], start, [])
    >>> step.learn_one(view(1, "tea", "drinks", True))[0].went_to
    ['drinks']
    >>> step.learn_one(view(2, "cup", "pots", False))
    []
    >>> lesson = step.learn_one(view(9_000_000, "oolong", "drinks", True))[0]
    >>> lesson.came_from, lesson.own, lesson.visits
    ('drinks', [0.5], 2)
    """

    def __init__(self, rows: Store[ProfileRow], settings: Settings) -> None:
        self.rows = rows
        self.decay = Decay(settings.profiles.half_life_s)
        self._weights = {
            kind: round(UNIT * getattr(settings.weights, kind)) for kind in ("view", "cart", "purchase")
        }

    def key(self, x: Fact) -> str:
        return x.key

    def learn_one(self, x: Fact) -> list[NeedLesson]:
        if x.kind == "erasure":
            return self._forget(x)
        if not x.key.startswith("u:"):
            return []
        row = self.rows.get(x.key) or ProfileRow()
        if x.features:
            row.features = x.features
        if x.kind not in _KIND:
            if x.kind == "customer":
                row.attributes = x.attributes or {}
                row.changes += 1
                self.rows.put(x.key, row)
            return []
        came_from, went_to = _begin_visit(row, x) if x.session_start else ("", [])
        own, recent = _shares(row.categories, went_to), _shares(row.visit, went_to)
        if x.session_start:
            row.visit = {}
        self._add(row, x)
        self.rows.put(x.key, row)
        bought = x.kind == "purchase"
        if not (x.session_start or bought):
            return []
        return [_lesson(row, x, came_from, went_to, own, recent)]

    def _forget(self, x: Fact) -> list[NeedLesson]:
        if self.rows.get(x.key) is None:
            return []
        self.rows.delete(x.key)
        return [NeedLesson(digest_of(x.key), x.at, forget=True)]

    def _add(self, row: ProfileRow, x: Fact) -> None:
        kind, at = _KIND[x.kind], x.at
        row.changes += 1
        row.kinds[kind] += 1
        row.hours[at // _HOUR_MS % 24] += 1
        row.weekdays[(at // _DAY_MS + _THURSDAY) % 7] += 1
        row.first_at = min(row.first_at, at) if row.last_at else at
        row.last_at = max(row.last_at, at)
        if x.session_start:
            row.visits += 1
            row.visit_at = max(row.visit_at, at)
        if x.kind == "purchase":
            row.ordered_at = max(row.ordered_at, at)
            row.pieces = min(row.pieces + sum(line.quantity for line in x.lines), _MOST)
            spent = sum(line.quantity * (line.unit_price or 0.0) for line in x.lines)
            row.spent = min(row.spent + spent, _MOST)
        self._like(row, x)

    def _like(self, row: ProfileRow, x: Fact) -> None:
        """Add the action's weight to what it was about; a rating weighs what it raised."""
        epoch, factor = self.decay.weight(x.at)
        if epoch > row.epoch:
            self._move(row, epoch)
        weight = self._weights.get(x.kind)
        behind = row.epoch - epoch
        for line, gained in zip(x.lines, x.gained, strict=True):
            units = weight if weight is not None else (gained * UNIT) >> 20
            amount = (units * factor) >> behind
            if amount <= 0:
                continue
            like(row.items, ((line.item, amount),), keep=KEPT)
            names = [(name, amount) for name in line.categories if len(name) <= MAX_NAME]
            if names:
                like(row.categories, names, keep=KEPT)
                like(row.visit, ((name, units) for name, _ in names), keep=KEPT_OF_VISIT)
            if line.tags:
                tags = [(name, amount) for name in line.tags if len(name) <= MAX_NAME]
                like(row.tags, tags, keep=KEPT)

    def _move(self, row: ProfileRow, epoch: int) -> None:
        for name in ("categories", "tags", "items"):
            moved = {
                key: self.decay.move(n, from_epoch=row.epoch, to_epoch=epoch)
                for key, n in getattr(row, name).items()
            }
            setattr(row, name, {key: n for key, n in moved.items() if n})
        row.epoch = epoch


def first_of(weights: dict[str, int]) -> str:
    """Return the heaviest name, of equals the first by name; "" when there is none."""
    return min(weights, key=lambda name: (-weights[name], name), default="")


def _begin_visit(row: ProfileRow, x: Fact) -> tuple[str, list[str]]:
    names = [name for name in (x.lines[0].categories if x.lines else []) if len(name) <= MAX_NAME]
    return first_of(row.visit), list(dict.fromkeys(names))[:MOST_CATEGORIES]


def _shares(weights: dict[str, int], names: list[str]) -> list[float]:
    total = sum(weights.values()) if names else 0
    return [weights.get(name, 0) / total if total else 0.0 for name in names]


def _lesson(
    row: ProfileRow, x: Fact, came_from: str, went_to: list[str], own: list[float], recent: list[float]
) -> NeedLesson:
    lines = x.lines if x.kind == "purchase" else x.lines[:1]
    items = list(dict.fromkeys(line.item for line in lines))
    names = dict.fromkeys(name for line in lines for name in line.categories if len(name) <= MAX_NAME)
    categories = list(names)
    return NeedLesson(
        digest_of(x.key),
        x.at,
        row.visits,
        row.first_at,
        row.visit_at,
        row.kinds[_KIND["purchase"]],
        row.ordered_at,
        row.spent,
        came_from,
        went_to,
        own,
        recent,
        x.kind == "purchase",
        items=items[:MOST_NAMES],
        categories=categories[:MOST_NAMES],
    )
