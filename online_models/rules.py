"""Counts of items and of pairs, learned from packed deltas: what similarity and rules are made of.

Here are integer counts alone, exact until a bound or decay says otherwise; measures and what is
published of them are `online_models.publishing`'s.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from sys import intern

import msgspec

from online_models.decay import Decay
from online_models.protocols import Store
from schemas.messages import SCOPES, ItemDeltas, ItemTouch, Position
from schemas.settings import Settings
from schemas.state import RuleRow


class ItemUpdate(msgspec.Struct, frozen=True):
    """What one event changes in the row of one item.

    `added` are increments of its own counts (similarity, orders, sessions), `pairs` are
    (scope, partner, amount); both in the order of the log.
    """

    item: str
    at: int
    position: Position
    added: list[tuple[int, int, int]]
    pairs: list[tuple[int, str, int]]


class RulesStep:
    """Learns the counts of the items of one partition.

    Parameters
    ----------
    rows : Store of RuleRow
        Rows by item.
    settings : Settings
        `rules.half_life_s` and `rules.max_row`, the bound of partners per item and scope.

    Notes
    -----
    A row of `max_row` partners that gets one more is cut to four fifths of the bound, the largest
    counts kept, ties by id; the newcomer takes part in the comparison. Moving a row to a later
    landmark drops what decayed to 0.

    References
    ----------
    Schelter, Celebi, Dunning: Efficient Incremental Cooccurrence Analysis for Item-Based Collaborative
    Filtering, SSDBM 2019.

    Examples
    --------
    >>> from online_models.memory_store import MemoryStore
    >>> from schemas.messages import BEFORE_ALL, ORDERS, ItemTouch
    >>> from schemas.settings import RulesSettings
    >>> step = RulesStep(MemoryStore(RuleRow), Settings(rules=RulesSettings(half_life_s=0)))
    >>> touches = [ItemTouch(0, 0, (0, 1, 0), 0, []), ItemTouch(0, 1, (0, 1, 0), 0, [])]
    >>> deltas = ItemDeltas(["tea", "cup"], [(7, 0)], [1_000], touches, [ORDERS, 0, 1, 1, ORDERS, 1, 0, 1])
    >>> sorted(step.learn_many(deltas, after=BEFORE_ALL))
    ['cup', 'tea']
    >>> step.rows.get("tea").counts, step.rows.get("tea").pairs[ORDERS]
    ([0, 1, 0], {'cup': 1})
    >>> step.learn_many(deltas, after=(7, 0))  # the same packet again
    set()
    """

    def __init__(self, rows: Store[RuleRow], settings: Settings) -> None:
        self.rows = rows
        self.decay = Decay(settings.rules.half_life_s)
        self._most = settings.rules.max_row

    def key(self, x: ItemUpdate) -> str:
        return x.item

    def learn_one(self, x: ItemUpdate) -> list[str]:
        epoch, factor = self.decay.weight(x.at)
        row = self.rows.get(x.item) or RuleRow(epoch=epoch)
        move_row(row, epoch)
        late = row.epoch - epoch
        for added in x.added:
            add_own(row, added, factor, late)
        for scope, partner, amount in x.pairs:
            partners = row.pairs[scope]
            count = partners.get(partner, 0) + shifted(amount * factor, late)
            if count <= 0:
                partners.pop(partner, None)
                continue
            partners[partner] = count
            if self._most and len(partners) > self._most:
                trim(partners, max(1, self._most * 4 // 5))
        row.updates += len(x.added) + len(x.pairs)
        row.at = max(row.at, x.at)
        self.rows.put(x.item, row)
        return [x.item]

    def learn_many(self, deltas: ItemDeltas, after: Position) -> set[str]:
        """Apply the events after a position and return the items whose rows changed.

        Parameters
        ----------
        deltas : ItemDeltas
            `positions` ascend, and `touches` and `pairs` go by event.
        after : (int, int)
            Events up to here were applied before and are skipped.
        """
        batch = _Batch(self.rows, self.decay, deltas, after)
        names, newest, updates = batch.names, batch.newest, batch.updates
        most, keep = self._most or 1 << 62, max(1, self._most * 4 // 5)
        flat = batch.pairs()
        last, at, factor = -1, 0, 1
        opened: list[dict[str, int] | None] = []
        # One turn per directed pair, the hottest loop of all: no call on its usual way.
        for code, row, column, amount in zip(flat, flat, flat, flat, strict=True):
            if code != last:
                at, factor = batch.enter(code >> 2)
                opened = batch.opened[code & 3]
                last = code
            partners = opened[row]
            increment = amount * factor
            if partners is None:
                partners, late = batch.open(row, code & 3)
                increment = shifted(increment, late)
            updates[row] += 1
            newest[row] = at if at > newest[row] else newest[row]
            name = names[column]
            old = partners.get(name)
            if old is None:
                if increment > 0:
                    partners[name] = increment
                    if len(partners) > most:
                        trim(partners, keep)
            elif (count := old + increment) > 0:
                partners[name] = count
            else:
                del partners[name]
        return batch.close()


class _Batch:
    """The rows that one batch changes, each fetched once and put back once.

    `opened[scope][row]` holds the partners of a row that stands under the current event's landmark,
    else None; `newest` and `updates` collect what is noted in the rows at the end.
    """

    def __init__(self, rows: Store[RuleRow], decay: Decay, deltas: ItemDeltas, after: Position) -> None:
        self._store, self._decay, self._deltas = rows, decay, deltas
        self._first = bisect_right(deltas.positions, after)
        self._touches = deltas.touches
        self._next_touch = bisect_left(deltas.touches, self._first, key=lambda touch: touch.event)
        self._event, self._at, self._epoch, self._factor = -1, 0, 0, 1
        # One object per id whatever the batch: rows share it, and a dict finds it without comparing text.
        self.names = [intern(name) for name in deltas.names]
        self._rows: dict[int, RuleRow] = {}
        self.newest = [-1] * len(self.names)
        self.updates = [0] * len(self.names)
        self.opened: list[list[dict[str, int] | None]] = []
        self._shut()

    def pairs(self) -> Iterator[int]:
        """Iterate over the flat pairs from the first event that is new."""
        pairs = self._deltas.pairs
        start = bisect_left(range(0, len(pairs), 4), self._first * 4, key=pairs.__getitem__) * 4
        return iter(pairs[start:] if start else pairs)

    def enter(self, event: int) -> tuple[int, int]:
        """Apply the touches up to and with an event's and return the event's time and weight."""
        touches = self._touches
        while self._next_touch < len(touches) and touches[self._next_touch].event <= event:
            self._apply(touches[self._next_touch])
            self._next_touch += 1
        self._turn(event)
        return self._at, self._factor

    def open(self, index: int, scope: int) -> tuple[dict[str, int], int]:
        """Return a row's partners, and how many half-lives the current event is late for it."""
        row = self._rows.get(index) or self._fetch(index)
        late = row.epoch - self._epoch
        if late < 0:
            move_row(row, self._epoch)
            late = 0
        partners = row.pairs[scope]
        if not late:
            self.opened[scope][index] = partners
        return partners, late

    def close(self) -> set[str]:
        """Apply the touches that are left, put all changed rows and return their items."""
        self.enter(len(self._deltas.ats) - 1)
        names, newest, updates, put = self.names, self.newest, self.updates, self._store.put
        for index, row in self._rows.items():
            row.updates += updates[index]
            row.at = newest[index] if newest[index] > row.at else row.at
            put(names[index], row)
        return {names[index] for index in self._rows}

    def _apply(self, touch: ItemTouch) -> None:
        if not any(touch.added):
            return
        self._turn(touch.event)
        row = self._rows.get(touch.item) or self._fetch(touch.item)
        move_row(row, self._epoch)
        add_own(row, touch.added, self._factor, row.epoch - self._epoch)
        self.updates[touch.item] += 1
        self.newest[touch.item] = max(self.newest[touch.item], self._at)

    def _turn(self, event: int) -> None:
        if event == self._event or event < 0:
            return
        self._event, self._at = event, self._deltas.ats[event]
        epoch, self._factor = self._decay.weight(self._at)
        if epoch != self._epoch:
            self._epoch = epoch
            self._shut()

    def _shut(self) -> None:
        self.opened = [[None] * len(self.names) for _ in SCOPES]

    def _fetch(self, index: int) -> RuleRow:
        row = self._store.get(self.names[index])
        if row is None:
            row = RuleRow(self._epoch, 0, [0, 0, 0], [{}, {}, {}], 0)
        self._rows[index] = row
        return row


def unpack(deltas: ItemDeltas) -> list[ItemUpdate]:
    """Take packed deltas apart: one update per event and item, in the order of the log."""
    updates: dict[tuple[int, int], ItemUpdate] = {}

    def update(event: int, item: int) -> ItemUpdate:
        fresh = ItemUpdate(deltas.names[item], deltas.ats[event], deltas.positions[event], [], [])
        return updates.setdefault((event, item), fresh)

    for touch in deltas.touches:
        if any(touch.added):
            update(touch.event, touch.item).added.append(touch.added)
    flat = iter(deltas.pairs)
    for code, row, column, amount in zip(flat, flat, flat, flat, strict=True):
        update(code >> 2, row).pairs.append((code & 3, deltas.names[column], amount))
    return [updates[place] for place in sorted(updates)]


def shifted(amount: int, late: int) -> int:
    """Express an increment against a landmark `late` half-lives later; negatives mirror positives.

    Examples
    --------
    >>> shifted(5, 1), shifted(-5, 1), shifted(5, 0)
    (2, -2, 5)
    """
    return amount >> late if amount >= 0 else -(-amount >> late)


def add_own(row: RuleRow, added: tuple[int, int, int], factor: int, late: int) -> None:
    """Add to an item's own counts what an event of weight `factor`, `late` half-lives back, adds."""
    for scope, amount in enumerate(added):
        if amount:
            row.counts[scope] = max(0, row.counts[scope] + shifted(amount * factor, late))


def move_row(row: RuleRow, epoch: int) -> None:
    """Express all counts of a row against a later landmark; pairs that decayed to 0 are dropped."""
    shift = epoch - row.epoch
    if shift <= 0:
        return
    row.epoch = epoch
    row.counts = [count >> shift for count in row.counts]
    row.pairs = [
        {partner: moved for partner, count in partners.items() if (moved := count >> shift)}
        for partners in row.pairs
    ]


def trim(partners: dict[str, int], keep: int) -> None:
    """Cut partners in place to the `keep` largest counts, ties by id.

    Examples
    --------
    >>> partners = {"c": 1, "a": 3, "b": 1}
    >>> trim(partners, 2)
    >>> partners
    {'a': 3, 'b': 1}
    """
    # Floats sort several times faster than large integers, and rounding keeps their order: only counts
    # that round to the same as the last one kept are compared exactly.
    rounded = [float(count) for count in partners.values()]
    least = sorted(rounded)[-keep]
    tied = sorted(
        (-partners[each], each) for each, size in zip(partners, rounded, strict=True) if size == least
    )
    below = [each for each, size in zip(partners, rounded, strict=True) if size < least]
    surplus = len(partners) - len(below) - keep
    for partner in below:
        del partners[partner]
    for _, partner in tied[len(tied) - surplus :]:
        del partners[partner]
