"""Counts of items and of pairs, for similarity and for rules over orders and sessions, one event at a time.

Here is the learning alone: measures are in `rule_measures`, what leaves is in `publishing`.
"""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from online_models.amounts import UNBOUNDED, add_own, kept_of
from online_models.decay import Decay
from online_models.pair_columns import decode, groups_of
from online_models.pair_kernels import add_all
from online_models.pair_shape import grown, shrunk
from online_models.pair_table import Ints, address, name_id, name_key
from online_models.protocols import Store
from online_models.rule_rows import is_empty, move_landmark, new_row
from schemas.messages import BACKWARD, BEFORE_ALL, ItemDeltas, ItemTouch, Position
from schemas.settings import Settings
from schemas.state import RuleRow

KEPT_NAMES = 1_000_000
"""Item ids whose keys are kept."""

_NOTHING = (0, 0, 0)


class ItemUpdate(msgspec.Struct, frozen=True):
    """What one event changes in the row of one item.

    `added` are increments of its own counts (similarity, orders, sessions), `pairs` hold (scope, partner,
    amount); `ends` says that nothing of a customer is left in the row afterwards.
    """

    item: str
    at: int
    position: Position
    added: list[tuple[int, int, int]]
    pairs: list[tuple[int, str, int]]
    ends: bool = False


class RulesStep:
    """Learns the counts of items and pairs from the `item-deltas` log.

    Parameters
    ----------
    rows : Store of RuleRow
        One row per item; at most `rules.max_row` partners per scope.
    names : Store of str
        The id of each item that has a row, under `name_id` of it: rows name partners by number.
    settings : Settings
        Section `rules`: half-life and bound.

    Notes
    -----
    A count is the sum of amount * weight of the event's time (`online_models.decay`), an integer under the
    row's landmark. It is exact as long as decay is off and the bound was not reached; a full row keeps the
    4/5 with the largest counts, ties by key. `updates` counts the entries applied to a row. Int64 holds the
    similarity of 16 million customers who bought both items within one half-life. A customer's last word on
    an item, when all is taken back, drops a row that has nothing left.

    References
    ----------
    Huang, Cui, Zhang, Jiang, Xu: TencentRec: Real-time Stream Recommendation in Practice, SIGMOD 2015.
    Agrawal, Imielinski, Swami: Mining Association Rules between Sets of Items, SIGMOD 1993.

    Examples
    --------
    >>> from online_models.memory_store import MemoryStore
    >>> from online_models.pair_columns import columns_of
    >>> from online_models.pair_table import by_key, named
    >>> from schemas.messages import PairDeltas
    >>> from schemas.settings import RulesSettings
    >>> rows, names = MemoryStore(RuleRow), MemoryStore(str)
    >>> step = RulesStep(rows, names, Settings(rules=RulesSettings(half_life_s=0)))
    >>> touches = [ItemTouch(0, 0, (0, 1, 0), 0, []), ItemTouch(0, 1, (0, 1, 0), 0, [])]
    >>> pairs = columns_of([PairDeltas(2, 1, [0], [1]), PairDeltas(3, 1, [0], [1])])
    >>> order = ItemDeltas(["tea", "cup"], [(0, 0)], [1_000], touches, pairs)
    >>> sorted(step.learn_many(order, after=(-1, -1)))
    ['cup', 'tea']
    >>> rows.get("tea").counts, named(rows.get("tea").pairs, 1, by_key(["tea", "cup"]))
    ([0, 1, 0], {'cup': 1})
    >>> step.learn_many(order, after=(0, 0))  # has been applied
    {}
    """

    def __init__(self, rows: Store[RuleRow], names: Store[str], settings: Settings) -> None:
        self.rows, self.names = rows, names
        self.decay = Decay(settings.rules.half_life_s)
        self._bound = settings.rules.max_row or UNBOUNDED
        self._keys: dict[str, int] = {}

    def key(self, x: ItemUpdate) -> str:
        return x.item

    def learn_one(self, x: ItemUpdate) -> list[str]:
        epoch, factor = self.decay.weight(x.at)
        row = self._open(x.item, epoch)
        late = row.epoch - epoch
        for added in x.added:
            add_own(row.counts, added, factor, late)
        scopes = np.array([scope for scope, _, _ in x.pairs], np.int64)
        keys = self._keys_of([partner for _, partner, _ in x.pairs]) | scopes
        amounts = np.array([amount for _, _, amount in x.pairs], np.int64)
        additions = _Additions(np.zeros(len(keys), np.int32), keys, amounts * factor)
        self._add(additions, [row], np.array([late]))
        row.updates += len(x.added) + len(x.pairs)
        row.at = max(row.at, x.at)
        if x.ends and is_empty(row):
            self._drop(x.item)
        else:
            self.rows.put(x.item, row)
        return [x.item]

    def learn_many(self, deltas: ItemDeltas, after: Position) -> dict[str, RuleRow]:
        """Apply all events later than `after` and return the rows that changed, by item.

        Parameters
        ----------
        deltas : ItemDeltas
            Packed changes for items of this partition; `touches` and `pairs` ascend by event.
        after : Position
            Mark of the receiver: what it has applied already.

        Returns
        -------
        dict
            With the rows that were dropped, which have nothing left.
        """
        changed: dict[int, RuleRow] = {}
        dropped: dict[int, RuleRow] = {}
        names, first = deltas.names, bisect_right(deltas.positions, after)
        if first < len(deltas.positions):
            keys = self._keys_of(names)
            for run in _runs(deltas, first, self.decay):
                self._learn_run(run, keys, names, changed)
                for item in run.ending:
                    if item in changed and is_empty(changed[item]):
                        dropped[item] = changed.pop(item)
                        self._drop(names[item])
        for item, row in changed.items():
            self.rows.put(names[item], row)
        return {names[item]: row for item, row in (dropped | changed).items()}

    def _learn_run(self, run: "_Run", keys: Ints, names: list[str], changed: dict[int, RuleRow]) -> None:
        """Learn events under one landmark: within a run, touches and pairs may be added apart."""
        touched = [touch.item for touch in run.touches]
        mine, places = _distinct(run.rows, touched, len(names))
        items: list[int] = mine.tolist()
        rows = []
        for item in items:
            row = changed.get(item)
            if row is None:
                row = changed[item] = self._open(names[item], run.epoch)
            elif row.epoch < run.epoch:
                move_landmark(row, run.epoch)
            rows.append(row)
        late = np.array([row.epoch for row in rows], np.int64) - run.epoch
        of_pairs = places[run.rows]
        self._add(_Additions(of_pairs, keys[run.columns] | run.scopes, run.increments), rows, late)
        entries = np.bincount(of_pairs, minlength=len(rows))
        newest = np.full(len(rows), np.iinfo(np.int64).min)
        np.maximum.at(newest, of_pairs, run.ats)
        for touch, item in zip(run.touches, touched, strict=True):
            place = places[item]
            row = rows[place]
            add_own(row.counts, touch.added, run.factors[touch.event], row.epoch - run.epoch)
            row.updates += 1
            row.at = max(row.at, run.event_ats[touch.event])
        for row, count, at in zip(rows, entries.tolist(), newest.tolist(), strict=True):
            row.updates += count
            row.at = max(row.at, at)

    def _open(self, item: str, epoch: int) -> RuleRow:
        """Read a row and bring it to the landmark, unless the row's is later; a new item is noted."""
        row = self.rows.get(item)
        if row is None:
            self.names.put(name_id(name_key(item)), item)
            return new_row(epoch)
        if row.epoch < epoch:
            move_landmark(row, epoch)
        return row

    def _drop(self, item: str) -> None:
        self.rows.delete(item)
        self.names.delete(name_id(name_key(item)))

    def _add(self, additions: "_Additions", rows: list[RuleRow], late: Ints) -> None:
        """Add pairs, and give tables that are full or lost something the size that they need."""
        addresses = np.array([address(row.pairs) for row in rows], np.int64)
        # One row after the other, each in log order: what is near in memory is touched together.
        order = np.argsort(additions.rows, kind="stable")
        of_rows, keys = additions.rows[order], additions.keys[order]
        increments = additions.increments[order]
        done, bound, kept = 0, self._bound, kept_of(self._bound)
        while (done := add_all(addresses, of_rows, keys, increments, late, done, bound, kept)) != len(keys):
            place = int(of_rows[done if done >= 0 else -done - 1])
            row = rows[place]
            row.pairs = grown(row.pairs) if done >= 0 else shrunk(row.pairs)
            addresses[place] = address(row.pairs)
            done = abs(done)

    def _keys_of(self, names: list[str]) -> Ints:
        if len(self._keys) > KEPT_NAMES:
            self._keys = {}
        known = self._keys
        for name in names:
            if name not in known:
                known[name] = name_key(name)
        return np.fromiter(map(known.__getitem__, names), np.int64, len(names))


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
    for each in groups_of(deltas.pairs):
        event, scope = each.code >> 3, each.code >> 1 & 3
        if event < first:
            continue
        for partner, amount in zip(each.partners, each.amounts, strict=True):
            row, column = (partner, each.item) if each.code & BACKWARD else (each.item, partner)
            update(event, row).pairs.append((scope, names[column], amount))
    for touch in deltas.touches:
        if touch.weight < 0 and (touch.event, touch.item) in updates:
            key = touch.event, touch.item
            updates[key] = msgspec.structs.replace(updates[key], ends=True)
    return [updates[key] for key in sorted(updates, key=lambda key: key[0])]


class _Additions(NamedTuple):
    """What is added to pairs: to which of some rows, under which key with its scope, how much."""

    rows: NDArray[np.int32]
    keys: Ints
    increments: Ints


class _Run(NamedTuple):
    """Successive events under one landmark: their touches, and one entry of each array per pair.

    `rows` and `columns` are indices of names: whose row counts whom. `factors` and `event_ats` are those of
    all events of the packet. `ending` are items of which a customer took all back in the last event.
    """

    epoch: int
    factors: list[int]
    event_ats: list[int]
    touches: list[ItemTouch]
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    scopes: NDArray[np.int32]
    increments: Ints
    ats: Ints
    ending: list[int]


def _runs(deltas: ItemDeltas, first: int, decay: Decay) -> Iterator[_Run]:
    """Cut where the landmark changes, and behind a customer's last word on an item."""
    ats = np.array(deltas.ats, np.int64)
    epochs, factors = decay.weights(ats)
    factor_list: list[int] = factors.tolist()
    pairs = decode(deltas.pairs)
    events = pairs.codes >> 3
    ends = np.concatenate(([0], np.cumsum(pairs.lengths)))
    cuts = set((np.flatnonzero(np.diff(epochs[first:])) + first + 1).tolist())
    last_words = [touch for touch in deltas.touches if touch.weight < 0 and touch.event >= first]
    cuts.update(touch.event + 1 for touch in last_words)
    bounds = [first, *sorted(cuts - {len(ats)}), len(ats)]
    for start, stop in pairwise(bounds):
        low, high = np.searchsorted(events, [start, stop]).tolist()
        touches = [
            touch for touch in deltas.touches if start <= touch.event < stop and touch.added != _NOTHING
        ]
        inside = slice(ends[low], ends[high])
        lengths = pairs.lengths[low:high]
        event, code = np.repeat(events[low:high], lengths), np.repeat(pairs.codes[low:high], lengths)
        item, partner = np.repeat(pairs.items[low:high], lengths), pairs.partners[inside]
        backward = code & 1 == BACKWARD
        yield _Run(
            int(epochs[start]),
            factor_list,
            deltas.ats,
            touches,
            np.where(backward, partner, item),
            np.where(backward, item, partner),
            code >> 1 & 3,
            pairs.amounts[inside] * factors[event],
            ats[event],
            [touch.item for touch in last_words if start <= touch.event < stop],
        )


def _distinct(
    rows: NDArray[np.int32], touched: list[int], among: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return which of so many items change, and the place of each among them."""
    marked = np.zeros(among, np.bool_)
    marked[rows] = True
    marked[touched] = True
    mine = np.flatnonzero(marked)
    places = np.zeros(among, np.int32)
    places[mine] = np.arange(len(mine), dtype=np.int32)
    return mine, places
