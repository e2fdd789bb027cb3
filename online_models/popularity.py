"""Popular items, overall and by category: decayed weights of what customers did, learned from item deltas.

Each item's own weight is kept exactly; a scope keeps those of its leading items. Popularity in
segments is `online_models.segments`' business.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from heapq import nsmallest
from itertools import islice

import msgspec

from online_models.amounts import keep_largest, scaled
from online_models.decay import Decay
from online_models.protocols import Store
from schemas.messages import WEIGHT_ONE, ItemTouches, Popular, Position
from schemas.settings import Settings
from schemas.state import PopularityRow

ALL = "all"
"""The scope of every item."""

CATEGORY = "category:"
"""What the scope of a category begins with."""

MOST_CATEGORIES = 32
"""Categories of an item that are remembered."""

_OWN = ""


class PopularityTouch(msgspec.Struct, frozen=True):
    """What one event adds to the popularity of one item, in units of `schemas.messages.WEIGHT_ONE`."""

    item: str
    at: int
    weight: int
    categories: list[str]


class PopularityStep:
    """Learns what is popular among the items of one partition.

    Parameters
    ----------
    items : Store of PopularityRow
        The weight of each item, under its id.
    leaders : Store of PopularityRow
        The leading items of each scope, under its name.
    settings : Settings
        `popularity.half_life_s` and the bounds `popularity.leaders` and `popularity.published`.

    Notes
    -----
    A scope keeps up to twice `popularity.leaders` items and is then cut to the bound by weight, ties by
    id; every touch of an item enters it again with its whole weight, so that none is lost by a cut. An
    item that changed its category stays in the old one as long as its weight lets it. A negative weight
    takes back what a customer did: it reaches the item in all its categories (the last `MOST_CATEGORIES`),
    and rows that have nothing left are dropped.

    Examples
    --------
    >>> from online_models.memory_store import MemoryStore
    >>> from schemas.messages import BEFORE_ALL, ItemTouch
    >>> step = PopularityStep(MemoryStore(PopularityRow), MemoryStore(PopularityRow), Settings())
    >>> touches = [ItemTouch(0, 0, (0, 0, 0), WEIGHT_ONE, ["x"]),
    ...            ItemTouch(0, 1, (0, 0, 0), 4 * WEIGHT_ONE, [])]
    >>> sorted(step.learn_many(ItemTouches(["tea", "cup"], [(7, 0)], [0], touches), after=BEFORE_ALL))
    ['all', 'category:x']
    >>> merge([step.popular("all", partition=0)], at=0, settings=Settings())
    [('cup', 4.0), ('tea', 1.0)]
    """

    def __init__(
        self, items: Store[PopularityRow], leaders: Store[PopularityRow], settings: Settings
    ) -> None:
        self.items, self.leaders = items, leaders
        self.decay = Decay(settings.popularity.half_life_s)
        self._most, self._published = settings.popularity.leaders, settings.popularity.published

    def key(self, x: PopularityTouch) -> str:
        return x.item

    def learn_one(self, x: PopularityTouch) -> list[str]:
        """Add what one event added to one item and return the scopes it changed."""
        batch = _Batch(self.items, self.leaders, self._most)
        epoch, factor = self.decay.weight(x.at)
        batch.add(x.item, x.weight * factor, epoch, x.categories)
        return sorted(batch.close())

    def learn_many(self, deltas: ItemTouches, after: Position) -> set[str]:
        """Apply the events after a position and return the scopes whose leaders changed."""
        batch = _Batch(self.items, self.leaders, self._most)
        names, event, epoch, factor = deltas.names, -1, 0, 1
        first = bisect_right(deltas.positions, after)
        start = bisect_left(deltas.touches, first, key=lambda touch: touch.event)
        for touch in islice(deltas.touches, start, None):
            if touch.event != event:
                event = touch.event
                epoch, factor = self.decay.weight(deltas.ats[event])
            batch.add(names[touch.item], touch.weight * factor, epoch, touch.categories)
        return batch.close()

    def popular(self, scope: str, partition: int) -> Popular | None:
        """Return the published part of a scope's leaders, best first; None if it has none."""
        row = self.leaders.get(scope)
        if row is None or not row.counts:
            return None
        best = nsmallest(self._published, ((-count, item) for item, count in row.counts.items()))
        return Popular(partition, scope, row.epoch, [(item, -negative) for negative, item in best])


class _Batch:
    """The rows that one batch changes, each fetched once and put back once."""

    def __init__(self, items: Store[PopularityRow], leaders: Store[PopularityRow], most: int) -> None:
        self._items, self._leaders, self._most = items, leaders, most
        self._item_rows: dict[str, PopularityRow] = {}
        self._scope_rows: dict[str, PopularityRow] = {}
        self._dropped: set[str] = set()

    def add(self, item: str, increment: int, epoch: int, categories: list[str]) -> None:
        """Add an increment under the landmark `epoch` to an item, and enter the item in its scopes."""
        if not increment:
            return
        row = self._item_rows.get(item) or _fetch(self._items, self._item_rows, item, epoch)
        if row.epoch < epoch:
            _move(row, epoch)
        count = row.counts.get(_OWN, 0) + scaled(increment, 1, row.epoch - epoch)
        row.counts[_OWN] = count = count if count > 0 else 0
        row.updates += 1
        if increment < 0:
            categories = row.categories
        for category in categories:
            if category not in row.categories:
                row.categories = [*row.categories, category][-MOST_CATEGORIES:]
        self._enter(ALL, item, count, row.epoch)
        for category in categories:
            self._enter(CATEGORY + category, item, count, row.epoch)
        if increment < 0:
            self._drop_empty(item, row, categories)

    def close(self) -> set[str]:
        """Put all changed rows and return the scopes among them."""
        for item, row in self._item_rows.items():
            self._items.put(item, row)
        for scope, row in self._scope_rows.items():
            self._leaders.put(scope, row)
        return self._dropped.union(self._scope_rows)

    def _drop_empty(self, item: str, row: PopularityRow, categories: list[str]) -> None:
        """Drop what has nothing left, at once: a row that comes again later begins anew."""
        if not row.counts[_OWN]:
            del self._item_rows[item]
            self._items.delete(item)
        for scope in (ALL, *(CATEGORY + category for category in categories)):
            if not self._scope_rows[scope].counts:
                del self._scope_rows[scope]
                self._leaders.delete(scope)
                self._dropped.add(scope)

    def _enter(self, scope: str, item: str, count: int, epoch: int) -> None:
        row = self._scope_rows.get(scope) or _fetch(self._leaders, self._scope_rows, scope, epoch)
        if row.epoch < epoch:
            _move(row, epoch)
        row.updates += 1
        leaders = row.counts
        count >>= row.epoch - epoch
        if count:
            leaders[item] = count
            if len(leaders) > 2 * self._most:
                keep_largest(leaders, self._most)
        else:
            leaders.pop(item, None)


def merge(rows: Iterable[Popular], at: int, settings: Settings) -> list[tuple[str, float]]:
    """Merge what the partitions published of one scope into one list of (item, weight), best first.

    Parameters
    ----------
    rows : iterable of Popular
        One per partition; an item is in the partition of its key, hence in one row.
    at : int
        Weights are as of this time (epoch ms), but never as of before the newest landmark.
    settings : Settings
        `popularity.half_life_s`, and `popularity.published` for the length of the list.
    """
    found = list(rows)
    decay = Decay(settings.popularity.half_life_s)
    as_of = max([at, *(row.epoch * decay.half_life_ms for row in found)])
    scored = []
    for row in found:
        unit = decay.value(1, epoch=row.epoch, at=as_of) / WEIGHT_ONE
        scored += [(-count * unit, item) for item, count in row.items]
    return [(item, -negative) for negative, item in nsmallest(settings.popularity.published, scored)]


def _fetch(
    store: Store[PopularityRow], rows: dict[str, PopularityRow], key: str, epoch: int
) -> PopularityRow:
    row = rows[key] = store.get(key) or PopularityRow(epoch, {}, 0)
    return row


def _move(row: PopularityRow, epoch: int) -> None:
    """Express all counts of a row against a later landmark; what decayed to 0 is dropped."""
    shift = epoch - row.epoch
    row.epoch = epoch
    row.counts = {item: moved for item, count in row.counts.items() if (moved := count >> shift)}
