"""Counts of items and of pairs, for similarity and for rules over orders and sessions, one event at a time.

Here is the learning alone: measures are in `rule_measures`, what leaves is in `publishing`.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator

import msgspec

from online_models.decay import Decay
from online_models.protocols import Store
from online_models.rule_rows import (
    UNBOUNDED,
    add_own,
    add_pair,
    keep_largest,
    kept_of,
    move_landmark,
    new_row,
    scaled,
)
from schemas.messages import BEFORE_ALL, SCOPES, ItemDeltas, ItemTouch, Position
from schemas.settings import Settings
from schemas.state import RuleRow

_NO_ROW = RuleRow()
_NOTHING = (0, 0, 0)


class ItemUpdate(msgspec.Struct, frozen=True):
    """What one event changes in the row of one item.

    `touches` are added to its own counts (similarity, orders, sessions); `pairs` are (scope, partner, amount).
    """

    item: str
    position: Position
    at: int
    touches: list[tuple[int, int, int]]
    pairs: list[tuple[int, str, int]]


class _Run(msgspec.Struct):
    """Successive events under one landmark: the factor of each event by index, and their changes."""

    epoch: int
    factors: dict[int, int]
    touches: list[ItemTouch]
    pairs: list[int]


def unpack(deltas: ItemDeltas, after: Position = BEFORE_ALL) -> list[ItemUpdate]:
    """Return the changes of events later than `after`, one entry per event and item, in log order.

    Parameters
    ----------
    deltas : ItemDeltas
        Packed changes; `touches` and `pairs` ascend by event.
    after : Position
        Mark of the receiver: what it has applied already.
    """
    names, first = deltas.names, bisect_right(deltas.positions, after)
    updates: dict[tuple[int, int], ItemUpdate] = {}

    def update(event: int, item: int) -> ItemUpdate:
        if (event, item) not in updates:
            position, at = deltas.positions[event], deltas.ats[event]
            updates[event, item] = ItemUpdate(names[item], position, at, [], [])
        return updates[event, item]

    for touch in deltas.touches:
        if touch.event >= first and touch.added != _NOTHING:
            update(touch.event, touch.item).touches.append(touch.added)
    flat = iter(deltas.pairs)
    for code, row, column, amount in zip(flat, flat, flat, flat, strict=True):
        if code >> 2 >= first:
            update(code >> 2, row).pairs.append((code & 3, names[column], amount))
    return [updates[key] for key in sorted(updates, key=lambda key: key[0])]


class RulesStep:
    """Learns the counts of items and pairs from the `item-deltas` log.

    Parameters
    ----------
    rows : Store of RuleRow
        One row per item; at most `rules.max_row` partners per scope.
    settings : Settings
        Section `rules`: half-life and bound.

    Notes
    -----
    A count is the sum of amount * weight of the event's time (`online_models.decay`), an integer under the
    row's landmark. It is exact as long as decay is off and the bound was not reached; a full row keeps the
    4/5 with the largest counts. `updates` counts the entries applied to a row. Int64 holds the similarity
    of 16 million customers who bought both items within one half-life.

    References
    ----------
    Huang, Cui, Zhang, Jiang, Xu: TencentRec: Real-time Stream Recommendation in Practice, SIGMOD 2015.
    Agrawal, Imielinski, Swami: Mining Association Rules between Sets of Items, SIGMOD 1993.

    Examples
    --------
    >>> from online_models.memory_store import MemoryStore
    >>> from schemas.settings import RulesSettings
    >>> rows = MemoryStore(RuleRow)
    >>> step = RulesStep(rows, Settings(rules=RulesSettings(half_life_s=0)))
    >>> touches = [ItemTouch(0, 0, (0, 1, 0), 0, []), ItemTouch(0, 1, (0, 1, 0), 0, [])]
    >>> order = ItemDeltas(["tea", "cup"], [(0, 0)], [1_000], touches, [1, 0, 1, 1, 1, 1, 0, 1])
    >>> sorted(step.learn_many(order, after=(-1, -1)))
    ['cup', 'tea']
    >>> rows.get("tea").counts, rows.get("tea").pairs[1]
    ([0, 1, 0], {'cup': 1})
    >>> step.learn_many(order, after=(0, 0))  # has been applied
    set()
    """

    def __init__(self, rows: Store[RuleRow], settings: Settings) -> None:
        self._rows = rows
        self._decay = Decay(settings.rules.half_life_s)
        self._bound = settings.rules.max_row or UNBOUNDED

    def key(self, x: ItemUpdate) -> str:
        return x.item

    def learn_one(self, x: ItemUpdate) -> list[str]:
        row = self._row(x.item, self._decay.weight(x.at)[0])
        self._apply(row, x)
        self._rows.put(x.item, row)
        return [x.item]

    def learn_many(self, deltas: ItemDeltas, after: Position) -> set[str]:
        """Apply all events later than `after` and return the items whose rows changed.

        Parameters
        ----------
        deltas : ItemDeltas
            Packed changes for items of this partition; `touches` and `pairs` ascend by event.
        after : Position
            Mark of the receiver: what it has applied already.
        """
        names = deltas.names
        rows = [_NO_ROW] * len(names)
        for run in self._runs(deltas, bisect_right(deltas.positions, after)):
            entries = Counter(run.pairs[1::4])
            entries.update(touch.item for touch in run.touches)
            if self._open(run.epoch, names, rows, entries):
                for touch in run.touches:
                    _add_touch(rows[touch.item], touch, deltas.ats[touch.event], run.factors[touch.event])
                self._add_pairs(run, deltas, rows)
                for index, changes in entries.items():
                    rows[index].updates += changes
            else:
                self._learn_late(run, deltas, rows)
        changed = set()
        for name, row in zip(names, rows, strict=True):
            if row is not _NO_ROW:
                self._rows.put(name, row)
                changed.add(name)
        return changed

    def _row(self, item: str, epoch: int) -> RuleRow:
        row = self._rows.get(item)
        return new_row(epoch) if row is None else row

    def _apply(self, row: RuleRow, x: ItemUpdate) -> None:
        epoch, factor = self._decay.weight(x.at)
        if epoch > row.epoch:
            move_landmark(row, epoch)
        shift = row.epoch - epoch
        for added in x.touches:
            for scope, amount in enumerate(added):
                add_own(row, scope, scaled(amount, factor, shift))
        for scope, partner, amount in x.pairs:
            add_pair(row.pairs[scope], partner, scaled(amount, factor, shift), self._bound)
        row.updates += len(x.touches) + len(x.pairs)
        row.at = max(row.at, x.at)

    def _runs(self, deltas: ItemDeltas, first: int) -> Iterator[_Run]:
        """Cut at each change of landmark: within a run the order of touches and pairs does not matter."""
        touches, pairs = deltas.touches, deltas.pairs
        weights = [self._decay.weight(at) for at in deltas.ats[first:]]
        start = first
        while start < len(deltas.ats):
            epoch, stop = weights[start - first][0], start
            factors: dict[int, int] = {}
            while stop < len(deltas.ats) and weights[stop - first][0] == epoch:
                factors[stop] = weights[stop - first][1]
                stop += 1
            touch_range = slice(*(bisect_left(touches, n, key=lambda x: x.event) for n in (start, stop)))
            quads = range(0, len(pairs), 4)
            low, high = (4 * bisect_left(quads, 4 * n, key=pairs.__getitem__) for n in (start, stop))
            counted = [touch for touch in touches[touch_range] if touch.added != _NOTHING]
            yield _Run(epoch, factors, counted, pairs[low:high])
            start = stop

    def _open(self, epoch: int, names: list[str], rows: list[RuleRow], items: Counter[int]) -> bool:
        """Read rows and bring them to the landmark; False when one is under a later landmark already."""
        newest = epoch
        for index in items:
            row = rows[index]
            if row is _NO_ROW:
                row = rows[index] = self._row(names[index], epoch)
            if row.epoch < epoch:
                move_landmark(row, epoch)
            elif row.epoch > newest:
                newest = row.epoch
        return newest == epoch

    def _add_pairs(self, run: _Run, deltas: ItemDeltas, rows: list[RuleRow]) -> None:
        """Add all pairs of a run to rows under its landmark: most of the time of the system is spent here."""
        names, ats, factors, bound = deltas.names, deltas.ats, run.factors, self._bound
        flat = iter(run.pairs)
        current, scope, at, factor = -1, 0, 0, 0
        for code, index, column, amount in zip(flat, flat, flat, flat, strict=True):
            if code != current:
                current, scope, at, factor = code, code & 3, ats[code >> 2], factors[code >> 2]
            row, partner = rows[index], names[column]
            if at > row.at:
                row.at = at
            pairs = row.pairs[scope]
            if partner in pairs:
                count = pairs[partner] + amount * factor
                if count > 0:
                    pairs[partner] = count
                else:
                    del pairs[partner]
            elif amount > 0:
                pairs[partner] = amount * factor
                if len(pairs) > bound:
                    keep_largest(pairs, kept_of(bound))

    def _learn_late(self, run: _Run, deltas: ItemDeltas, rows: list[RuleRow]) -> None:
        """Apply a run that is older than some rows one update at a time: each row decides its shift."""
        part = ItemDeltas(deltas.names, deltas.positions, deltas.ats, run.touches, run.pairs)
        indices = {name: index for index, name in enumerate(deltas.names)}
        for x in unpack(part):
            self._apply(rows[indices[x.item]], x)


def _add_touch(row: RuleRow, touch: ItemTouch, at: int, factor: int) -> None:
    for scope in range(len(SCOPES)):
        if touch.added[scope]:
            add_own(row, scope, touch.added[scope] * factor)
    row.at = max(row.at, at)
