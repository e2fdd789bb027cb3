"""Counts that other rows published, brought under one row's decay landmark, and kept plausible.

n of partners and N travel by other ways than a row's own counts and may be older than they are.
"""

from collections.abc import Callable, Iterable
from math import ldexp

from schemas.messages import ItemCounts, Totals

CountsOf = Callable[[str], ItemCounts | None]
"""n of an item as its partition published it, None while it is not known."""

FARTHEST = 200
"""Half-lives that separate counts at most: already at 64, one of them is worth nothing."""


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


class PartnerCounts:
    """n of an item's partners under the item's landmark; each is looked up once.

    Parameters
    ----------
    counts_of : callable
        Where to look.
    epoch : int
        The landmark.

    Examples
    --------
    >>> partners = PartnerCounts({"cup": ItemCounts("cup", 1, (0, 4, 0))}.get, epoch=0)
    >>> partners.known({"cup": 2, "pot": 1}, scope=1)
    [('cup', 2, 8.0)]
    """

    def __init__(self, counts_of: CountsOf, epoch: int) -> None:
        self._counts_of, self._epoch = counts_of, epoch
        self._found: dict[str, ItemCounts | None] = {}

    def known(self, pairs: dict[str, int], scope: int) -> list[tuple[str, int, float]]:
        """Return (partner, pair count, n of the partner) for every partner whose n is known."""
        found, epoch = self._found, self._epoch
        missing = [partner for partner in pairs if partner not in found]
        found.update(zip(missing, map(self._counts_of, missing), strict=True))
        return [
            (partner, pair, n.counts[scope] if n.epoch == epoch else _under(n, scope, epoch))
            for partner, pair in pairs.items()
            if (n := found[partner])
        ]


def _under(found: ItemCounts, scope: int, epoch: int) -> float:
    return moved(found.counts[scope], from_epoch=found.epoch, to_epoch=epoch)
