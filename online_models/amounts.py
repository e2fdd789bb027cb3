"""Arithmetic on counts: increments rounded toward zero, and what stays when there are too many.

Integers only, so that a row replays bit for bit. Nothing is read or written here.
"""

import numpy as np

UNBOUNDED = 1 << 62
"""More partners than any row can have."""


def scaled(amount: int, factor: int, shift: int) -> int:
    """Return `amount * factor / 2 ** shift`, rounded toward zero, so that an amount and its negative cancel.

    Examples
    --------
    >>> scaled(5, 3, 1), scaled(-5, 3, 1)
    (7, -7)
    """
    return amount * factor >> shift if amount >= 0 else -(-amount * factor >> shift)


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
