"""How far two ways of putting the same customers into groups agree. Pure."""

from collections import Counter
from collections.abc import Hashable, Sequence
from math import comb


def adjusted_rand(one: Sequence[Hashable], other: Sequence[Hashable]) -> float:
    """Return the adjusted Rand index: 1 for the same groups under any names, about 0 for chance.

    Parameters
    ----------
    one, other : sequences of the same length
        The group of each customer.

    Raises
    ------
    ValueError
        The lengths differ.

    References
    ----------
    Hubert, Arabie: Comparing Partitions, Journal of Classification 2, 1985.

    Examples
    --------
    >>> adjusted_rand([0, 0, 1, 1], ["b", "b", "a", "a"]), round(adjusted_rand([0, 0, 1, 1], [0, 1, 0, 1]), 3)
    (1.0, -0.5)
    """
    pairs = Counter(zip(one, other, strict=True))
    together = sum(comb(n, 2) for n in pairs.values())
    rows = sum(comb(n, 2) for n in Counter(one).values())
    columns = sum(comb(n, 2) for n in Counter(other).values())
    every = comb(len(one), 2)
    expected = rows * columns / every if every else 0.0
    most = (rows + columns) / 2
    return 1.0 if most == expected else (together - expected) / (most - expected)
