"""Counts that other rows published, brought under one row's decay landmark, and kept plausible.

n of partners and N travel by other ways than a row's own counts and may be older than they are.
"""

from collections.abc import Callable, Iterable, Sequence
from math import ldexp
from typing import NamedTuple

from online_models.pair_table import Entries, name_key
from schemas.messages import ItemCounts, Totals

CountsOf = Callable[[Sequence[int]], Sequence[ItemCounts | None]]
"""n of each of some items, named by key, as their partitions published it; None where it is not known."""

FARTHEST = 200
"""Half-lives that separate counts at most: already at 64, one of them is worth nothing."""


def counts_by_key(counts: Iterable[ItemCounts]) -> CountsOf:
    """Answer from counts that are at hand."""
    known = {name_key(each.item): each for each in counts}
    return lambda keys: list(map(known.get, keys))


def moved(count: float, *, from_epoch: int, to_epoch: int) -> float:
    """Express a count against another landmark, by an exact power of two.

    Examples
    --------
    >>> moved(3, from_epoch=5, to_epoch=4), moved(3, from_epoch=4, to_epoch=5)
    (6.0, 1.5)
    """
    if from_epoch == to_epoch:
        return count
    return ldexp(count, max(-FARTHEST, min(FARTHEST, from_epoch - to_epoch)))


def total_of(totals: Iterable[Totals], scope: int, epoch: int) -> float:
    """N of a scope over all partitions, under the landmark `epoch`."""
    return sum(moved(each.totals[scope], from_epoch=each.epoch, to_epoch=epoch) for each in totals)


def plausible(pair: float, n_i: float, n_j: float, total: float) -> tuple[float, float, float, float]:
    """Raise n and N to what the parts of them that are known make at least.

    Examples
    --------
    >>> plausible(3, 4, 2, 0)
    (3, 4, 3, 4)
    """
    n_i = n_i if n_i > pair else pair
    n_j = n_j if n_j > pair else pair
    union = n_i + n_j - pair
    return pair, n_i, n_j, (total if total > union else union)


class Known(NamedTuple):
    """Partners whose n is known, in the row's order, with the pair's count and the partner's n."""

    partners: list[str]
    pairs: list[int]
    ns: list[float]


class PartnerCounts:
    """n of an item's partners under the item's landmark; each is looked up once.

    Parameters
    ----------
    counts_of : callable
        Where to look; many at once, since a row has hundreds of partners.
    epoch : int
        The landmark.

    Examples
    --------
    >>> import numpy as np
    >>> partners = PartnerCounts(counts_by_key([ItemCounts("cup", 1, (0, 4, 0))]), epoch=0)
    >>> partners.known(Entries(np.array([name_key("cup"), name_key("pot")]), np.array([2, 1])), scope=1)
    Known(partners=['cup'], pairs=[2], ns=[8.0])
    """

    def __init__(self, counts_of: CountsOf, epoch: int) -> None:
        self._counts_of, self._epoch = counts_of, epoch
        self._found: dict[int, ItemCounts | None] = {}

    def known(self, pairs: Entries, scope: int) -> Known:
        """Return every partner whose n is known, with the counts."""
        found, epoch = self._found, self._epoch
        keys: list[int] = pairs.keys.tolist()
        amounts: list[int] = pairs.counts.tolist()
        missing = [key for key in keys if key not in found]
        if missing:
            found.update(zip(missing, self._counts_of(missing), strict=True))
        rows = list(map(found.__getitem__, keys))
        if None in rows:
            amounts = [amount for amount, row in zip(amounts, rows, strict=True) if row is not None]
        known = [row for row in rows if row is not None]
        ns = [row.counts[scope] if row.epoch == epoch else _under(row, scope, epoch) for row in known]
        return Known([row.item for row in known], amounts, ns)


def _under(found: ItemCounts, scope: int, epoch: int) -> float:
    return moved(found.counts[scope], from_epoch=found.epoch, to_epoch=epoch)
