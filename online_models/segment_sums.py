"""Arithmetic on the sums of segments: customers join, leave and move together, likes fade.

All in place on `SegmentSums`; which segment a customer is in is decided by the caller.
"""

from collections.abc import Iterable, Mapping, Sequence

from online_models.decay import Decay
from online_models.features import Measures
from online_models.lloyd import Floats
from schemas.clusters import SegmentSums

Likes = Iterable[tuple[str, int]]
"""Names and integer weights."""


def join(sums: SegmentSums, measures: Measures, last_s: float) -> None:
    """Count a customer in."""
    sums.size += 1
    sums.orders += measures.orders
    sums.spent += measures.spent
    sums.last_s += last_s


def leave(sums: SegmentSums, measures: Measures, last_s: float | None) -> None:
    """Count a customer out; without the time of their sample they take the mean of the segment along."""
    if last_s is None:
        last_s = sums.last_s / sums.size
    sums.size -= 1
    if not sums.size:
        # No rounding errors of those who left stay behind.
        sums.orders = sums.spent = sums.last_s = 0.0
        return
    sums.orders = max(sums.orders - measures.orders, 0.0)
    sums.spent = max(sums.spent - measures.spent, 0.0)
    sums.last_s -= last_s


def like(weights: dict[str, int], added: Likes, *, keep: int) -> None:
    """Add weights; at twice `keep` names only the `keep` heaviest stay.

    Examples
    --------
    >>> weights = {"a": 5, "b": 1}
    >>> like(weights, [("a", 1), ("c", 2)], keep=1)
    >>> weights
    {'a': 6}
    """
    for name, weight in added:
        weights[name] = weights.get(name, 0) + weight
    if len(weights) > 2 * keep:
        _shrink(weights, keep)


def heaviest(weights: Mapping[str, int], count: int) -> list[tuple[str, int]]:
    """Return the heaviest names, best first, ties by name."""
    return sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:count]


def move_epoch(segments: Sequence[SegmentSums], *, from_epoch: int, to_epoch: int) -> None:
    """Express all weights against a later landmark; what became 0 goes."""
    for sums in segments:
        sums.items = _moved(sums.items, from_epoch, to_epoch)
        sums.categories = _moved(sums.categories, from_epoch, to_epoch)


def redistribute(segments: Sequence[SegmentSums], shares: Floats, *, keep: int) -> list[SegmentSums]:
    """Hand the customers of old segments over to new ones; their number stays.

    Parameters
    ----------
    segments : sequence of SegmentSums
        The old ones.
    shares : array of shape (old, new)
        Share of each old segment that each new one takes over; rows sum to 1.
    keep : int
        As for `like`.

    Examples
    --------
    >>> import numpy as np
    >>> old = [SegmentSums(size=10, spent=100.0), SegmentSums(size=1, spent=7.0)]
    >>> [(new.size, new.spent) for new in redistribute(old, np.array([[0.25, 0.75], [0.0, 1.0]]), keep=9)]
    [(3, 30.0), (8, 77.0)]
    """
    fresh = [SegmentSums() for _ in range(shares.shape[1])]
    for sums, row in zip(segments, shares.tolist(), strict=True):
        for new, size in zip(fresh, apportion(sums.size, row), strict=True):
            if not size:
                continue
            part = size / sums.size
            new.size += size
            new.orders += sums.orders * part
            new.spent += sums.spent * part
            new.last_s += sums.last_s * part
        for new, share in zip(fresh, row, strict=True):
            if share:
                like(new.items, ((name, int(n * share)) for name, n in sums.items.items()), keep=keep)
                like(
                    new.categories, ((name, int(n * share)) for name, n in sums.categories.items()), keep=keep
                )
    return fresh


def apportion(size: int, shares: Sequence[float]) -> list[int]:
    """Divide a whole number by largest remainders, ties to the first.

    Examples
    --------
    >>> apportion(10, [0.25, 0.75, 0.0])
    [3, 7, 0]
    """
    exact = [size * share for share in shares]
    whole = [int(number) for number in exact]
    missing = size - sum(whole)
    order = sorted(range(len(shares)), key=lambda place: (whole[place] - exact[place], place))
    for place in order[:missing]:
        whole[place] += 1
    return whole


def _moved(weights: Mapping[str, int], from_epoch: int, to_epoch: int) -> dict[str, int]:
    moved = {
        name: Decay.move(weight, from_epoch=from_epoch, to_epoch=to_epoch) for name, weight in weights.items()
    }
    return {name: weight for name, weight in moved.items() if weight}


def _shrink(weights: dict[str, int], keep: int) -> None:
    kept = {name for name, _ in heaviest(weights, keep)}
    for name in [name for name in weights if name not in kept]:
        del weights[name]
