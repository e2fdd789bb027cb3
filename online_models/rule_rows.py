"""Arithmetic on the counts of one item: landmarks, increments, and the bound on partners.

Integers only, so that a row replays bit for bit. Nothing is read or written here.
"""

import numpy as np

from schemas.state import RuleRow
from schemas.times import MIN_EPOCH_MS

UNBOUNDED = 1 << 62
"""More partners than any row can have."""


def new_row(epoch: int) -> RuleRow:
    """Return an item's row before its first event, which has the landmark `epoch`."""
    return RuleRow(epoch, 0, [0, 0, 0], [{}, {}, {}], MIN_EPOCH_MS)


def scaled(amount: int, factor: int, shift: int) -> int:
    """Return `amount * factor / 2 ** shift`, rounded toward zero, so that an amount and its negative cancel.

    Examples
    --------
    >>> scaled(5, 3, 1), scaled(-5, 3, 1)
    (7, -7)
    """
    return amount * factor >> shift if amount >= 0 else -(-amount * factor >> shift)


def move_landmark(row: RuleRow, epoch: int) -> None:
    """Bring a row to a later landmark: what decays to 0 is dropped.

    Examples
    --------
    >>> row = RuleRow(epoch=3, counts=[8, 2, 0], pairs=[{"tea": 4, "cup": 1}, {}, {}])
    >>> move_landmark(row, 5)
    >>> row.epoch, row.counts, row.pairs[0]
    (5, [2, 0, 0], {'tea': 1})
    """
    shift = epoch - row.epoch
    row.epoch = epoch
    row.counts = [count >> shift for count in row.counts]
    row.pairs = [
        {partner: left for partner, count in pairs.items() if (left := count >> shift)} for pairs in row.pairs
    ]


def add_own(counts: list[int], added: tuple[int, int, int], factor: int, shift: int) -> None:
    """Add to an item's own counts; what rounding took away cannot make one negative.

    Parameters
    ----------
    counts : list
        Counts per scope (similarity, orders, sessions), changed here.
    added : tuple
        Amount per scope; may be negative.
    factor, shift : int
        Weight of the event's time, and how many half-lives its landmark is before that of the counts.
    """
    for scope, amount in enumerate(added):
        if amount:
            counts[scope] = max(0, counts[scope] + scaled(amount, factor, shift))


def add_pair(pairs: dict[str, int], partner: str, increment: int, bound: int) -> None:
    """Add to the count of one pair; a count that reaches 0 is dropped, a full row makes room.

    Parameters
    ----------
    pairs : dict
        Counts by partner, changed here.
    partner : str
        Whose count it is.
    increment : int
        Under the row's landmark; may be negative.
    bound : int
        Partners that may be held.
    """
    count = pairs.get(partner, 0) + increment
    if count <= 0:
        pairs.pop(partner, None)
        return
    pairs[partner] = count
    if len(pairs) > bound:
        keep_largest(pairs, kept_of(bound))


def kept_of(bound: int) -> int:
    """How many partners stay when a row is full: a fifth of the room is freed at once, so it costs little."""
    return max(1, bound * 4 // 5)


def keep_largest(counts: dict[str, int], kept: int) -> None:
    """Drop all but the `kept` largest counts; among equal ones the smaller ids stay.

    Examples
    --------
    >>> counts = {"d": 1, "b": 2, "a": 2, "c": 9}
    >>> keep_largest(counts, 2)
    >>> counts
    {'a': 2, 'c': 9}
    """
    if len(counts) <= kept:
        return
    values = np.fromiter(counts.values(), np.int64, len(counts))
    least = int(np.partition(values, -kept)[-kept])
    for key in [key for key, count in counts.items() if count < least]:
        del counts[key]
    surplus = len(counts) - kept
    if surplus:
        for key in sorted(key for key, count in counts.items() if count == least)[-surplus:]:
            del counts[key]
