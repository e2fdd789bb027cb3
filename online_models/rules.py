"""Counts of items and of pairs, for similarity and for rules over orders and sessions, one event at a time.

Here is the learning alone: measures are in `rule_measures`, what leaves is in `publishing`.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator

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
from schemas.messages import BACKWARD, BEFORE_ALL, ItemDeltas, ItemTouch, PairDeltas, Position
from schemas.settings import Settings
from schemas.state import RuleRow

KEPT_NAMES = 1_000_000
"""Item ids that are kept as one object each."""

_NOTHING = (0, 0, 0)
_UNREAD = RuleRow()


class ItemUpdate(msgspec.Struct, frozen=True):
    """What one event changes in the row of one item.

    `added` are increments of its own counts (similarity, orders, sessions), `pairs` hold (scope, partner,
    amount).
    """

    item: str
    at: int
    position: Position
    added: list[tuple[int, int, int]]
    pairs: list[tuple[int, str, int]]


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
    4/5 with the largest counts, ties by id. `updates` counts the entries applied to a row. Int64 holds the
    similarity of 16 million customers who bought both items within one half-life.

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
    >>> pairs = [PairDeltas(2, 1, [0], [1]), PairDeltas(3, 1, [0], [1])]
    >>> order = ItemDeltas(["tea", "cup"], [(0, 0)], [1_000], touches, pairs)
    >>> sorted(step.learn_many(order, after=(-1, -1)))
    ['cup', 'tea']
    >>> rows.get("tea").counts, rows.get("tea").pairs[1]
    ([0, 1, 0], {'cup': 1})
    >>> step.learn_many(order, after=(0, 0))  # has been applied
    set()
    """

    def __init__(self, rows: Store[RuleRow], settings: Settings) -> None:
        self.rows = rows
        self.decay = Decay(settings.rules.half_life_s)
        self._bound = settings.rules.max_row or UNBOUNDED
        self._names: dict[str, str] = {}

    def key(self, x: ItemUpdate) -> str:
        return x.item

    def learn_one(self, x: ItemUpdate) -> list[str]:
        row = self.rows.get(x.item) or new_row(self.decay.weight(x.at)[0])
        self._apply(row, x)
        self.rows.put(x.item, row)
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
        # Rows hold each name thousands of times: as one object it is found by identity, and kept once.
        names = self._intern(deltas.names)
        rows, changed = [_UNREAD] * len(names), set[int]()
        for run in _runs(deltas, bisect_right(deltas.positions, after), self.decay.weight):
            entries = _entries(run)
            changed.update(entries)
            if self._open(entries, run.epoch, names, rows):
                _add_touches(run, rows)
                _add_pairs(run, names, rows, self._bound)
                for index, count in entries.items():
                    rows[index].updates += count
            else:
                by_name = {names[index]: rows[index] for index in entries}
                for x in unpack(run.deltas):
                    self._apply(by_name[x.item], x)
        for index in changed:
            self.rows.put(names[index], rows[index])
        return {names[index] for index in changed}

    def _intern(self, names: list[str]) -> list[str]:
        if len(self._names) > KEPT_NAMES:
            self._names = {}
        return list(map(self._names.setdefault, names, names))

    def _apply(self, row: RuleRow, x: ItemUpdate) -> None:
        epoch, factor = self.decay.weight(x.at)
        if epoch > row.epoch:
            move_landmark(row, epoch)
        late = row.epoch - epoch
        for added in x.added:
            add_own(row.counts, added, factor, late)
        for scope, partner, amount in x.pairs:
            add_pair(row.pairs[scope], partner, scaled(amount, factor, late), self._bound)
        row.updates += len(x.added) + len(x.pairs)
        row.at = max(row.at, x.at)

    def _open(self, entries: Counter[int], epoch: int, names: list[str], rows: list[RuleRow]) -> bool:
        """Read rows and bring them to the landmark; False if the events are late for one of them."""
        get, latest = self.rows.get, epoch
        for index in entries:
            row = rows[index]
            if row is _UNREAD:
                row = rows[index] = get(names[index]) or new_row(epoch)
            if row.epoch < epoch:
                move_landmark(row, epoch)
            elif row.epoch > latest:
                latest = row.epoch
        return latest == epoch


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
            at, position = deltas.ats[event], deltas.positions[event]
            updates[event, item] = ItemUpdate(names[item], at, position, [], [])
        return updates[event, item]

    for touch in deltas.touches:
        if touch.event >= first and touch.added != _NOTHING:
            update(touch.event, touch.item).added.append(touch.added)
    for each in deltas.pairs:
        event, scope = each.code >> 3, each.code >> 1 & 3
        if event < first:
            continue
        for partner, amount in zip(each.partners, each.amounts, strict=True):
            row, column = (partner, each.item) if each.code & BACKWARD else (each.item, partner)
            update(event, row).pairs.append((scope, names[column], amount))
    return [updates[key] for key in sorted(updates, key=lambda key: key[0])]


class _Run(msgspec.Struct):
    """Successive events under one landmark: the weights of all events, and the changes of these."""

    epoch: int
    factors: list[int]
    deltas: ItemDeltas


def _runs(deltas: ItemDeltas, first: int, weight: Callable[[int], tuple[int, int]]) -> Iterator[_Run]:
    """Cut where the landmark changes: within a run, touches and pairs may be added in any order."""
    touches, pairs = deltas.touches, deltas.pairs
    weights = [weight(at) for at in deltas.ats]
    factors = [factor for _, factor in weights]
    start = first
    while start < len(weights):
        epoch, stop = weights[start][0], start + 1
        while stop < len(weights) and weights[stop][0] == epoch:
            stop += 1
        low, high = (bisect_left(touches, event, key=_event_of) for event in (start, stop))
        here, there = (bisect_left(pairs, 8 * event, key=_code_of) for event in (start, stop))
        counted = [touch for touch in touches[low:high] if touch.added != _NOTHING]
        part = ItemDeltas(deltas.names, deltas.positions, deltas.ats, counted, pairs[here:there])
        yield _Run(epoch, factors, part)
        start = stop


def _event_of(touch: ItemTouch) -> int:
    return touch.event


def _code_of(pairs: PairDeltas) -> int:
    return pairs.code


def _entries(run: _Run) -> Counter[int]:
    """How many entries change the row of each item."""
    entries: Counter[int] = Counter()
    for each in run.deltas.pairs:
        if each.code & BACKWARD:
            entries.update(each.partners)
        else:
            entries[each.item] += len(each.partners)
    entries.update([touch.item for touch in run.deltas.touches])
    return entries


def _add_touches(run: _Run, rows: list[RuleRow]) -> None:
    ats, factors = run.deltas.ats, run.factors
    for touch in run.deltas.touches:
        row = rows[touch.item]
        row.at = max(row.at, ats[touch.event])
        add_own(row.counts, touch.added, factors[touch.event], 0)


def _add_pairs(run: _Run, names: list[str], rows: list[RuleRow], bound: int) -> None:
    """Add pairs to rows under the run's landmark: most of the time of the whole stage is spent here."""
    ats, factors = run.deltas.ats, run.factors
    for each in run.deltas.pairs:
        code = each.code
        scope, at, factor = code >> 1 & 3, ats[code >> 3], factors[code >> 3]
        changes = zip(each.partners, each.amounts, strict=True)
        # `add_pair`, but for the call: half of all pairs are new ones, so each case is common.
        if code & BACKWARD:
            item = names[each.item]
            for index, amount in changes:
                row = rows[index]
                if at > row.at:  # noqa: PLR1730 (a call of max() for each pair would take a tenth of the time)
                    row.at = at
                pairs = row.pairs[scope]
                if amount <= 0:
                    add_pair(pairs, item, amount * factor, bound)
                elif item in pairs:
                    pairs[item] += amount * factor
                else:
                    pairs[item] = amount * factor
                    if len(pairs) > bound:
                        keep_largest(pairs, kept_of(bound))
        else:
            row = rows[each.item]
            row.at, pairs = max(row.at, at), row.pairs[scope]
            for index, amount in changes:
                partner = names[index]
                if amount <= 0:
                    add_pair(pairs, partner, amount * factor, bound)
                elif partner in pairs:
                    pairs[partner] += amount * factor
                else:
                    pairs[partner] = amount * factor
                    if len(pairs) > bound:
                        keep_largest(pairs, kept_of(bound))
