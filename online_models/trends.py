"""What is rising: items and categories that more visits began with, and orders held, than before.

The window is cut into slices that slide with the time of events; the newer half is held against the older.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from schemas.profiles import Slice

SLICES: Final = 8
"""Slices of the window; the newest one is still being filled."""

KEPT: Final = 100
"""Names kept in a slice, and twice as many until the lightest go."""


class Trend(NamedTuple):
    """A name with its counts in the older and the newer half of the window, and the growth of its share."""

    name: str
    older: int
    newer: int
    growth: float


def note(slices: dict[int, Slice], number: int, items: Iterable[str], categories: Iterable[str]) -> None:
    """Count what a visit began with, or an order held, in slice `number`, in place.

    What is older than the window is passed over; slices that leave the window go.

    Examples
    --------
    >>> slices = {}
    >>> for number in range(20):
    ...     note(slices, number, ["tea"], ["drinks"])
    >>> list(slices) == list(range(12, 20)), slices[19].items
    (True, {'tea': 1})
    """
    newest = max(slices, default=number)
    if number <= newest - SLICES:
        return
    if number not in slices:
        slices[number] = Slice()
        for old in sorted(slices):
            if old <= max(number, newest) - SLICES:
                del slices[old]
    found = slices[number]
    _count(found.items, items)
    _count(found.categories, categories)


def _count(counts: dict[str, int], names: Iterable[str]) -> None:
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    if len(counts) > 2 * KEPT:
        kept = set(sorted(counts, key=lambda name: (-counts[name], name))[:KEPT])
        for name in [name for name in counts if name not in kept]:
            del counts[name]


def trends(slices: Mapping[int, Slice], what: str, *, least: int = 1) -> list[Trend]:
    """Return every name by the growth of its share from the older half to the newer one, highest first.

    Parameters
    ----------
    slices : mapping of int to Slice
        As `note` left them.
    what : {"items", "categories"}
        Of which.
    least : int
        Names that were counted fewer times are left out.

    Examples
    --------
    >>> slices = {}
    >>> for number, item in enumerate(["tea", "tea", "tea", "cup", "tea", "cup", "cup", "cup"]):
    ...     note(slices, number, [item], [])
    >>> trends(slices, "items")
    [Trend(name='cup', older=1, newer=3, growth=0.5), Trend(name='tea', older=3, newer=1, growth=-0.5)]
    """
    newest = max(slices, default=0)
    older = _sum(slices, what, range(newest - SLICES + 1, newest - SLICES // 2 + 1))
    newer = _sum(slices, what, range(newest - SLICES // 2 + 1, newest + 1))
    before, after = sum(older.values()), sum(newer.values())
    if not before or not after:
        # Without an older half nothing is known to have risen.
        return []
    found = [
        Trend(name, old, new, new / after - old / before)
        for name in older.keys() | newer.keys()
        if (old := older.get(name, 0)) + (new := newer.get(name, 0)) >= least
    ]
    return sorted(found, key=lambda each: (-each.growth, each.name))


def _sum(slices: Mapping[int, Slice], what: str, numbers: Sequence[int]) -> dict[str, int]:
    total: dict[str, int] = {}
    for number in numbers:
        if number in slices:
            for name, n in getattr(slices[number], what).items():
                total[name] = total.get(name, 0) + n
    return total
