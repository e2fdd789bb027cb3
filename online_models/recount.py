"""Exact counts of a whole log at once: what learning event by event has to agree with.

Plain sums over the definitions, for checks; nothing here is bounded, decays, or is used while learning.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import combinations

import msgspec


class PairCounts(msgspec.Struct, frozen=True):
    """N, n by item, and pair counts in both directions; with weights, N is the number of customers."""

    total: int
    items: Counter[str]
    pairs: Counter[tuple[str, str]]


def recount_similarity(ratings: Iterable[tuple[str, str, int]]) -> PairCounts:
    """Count items and pairs by implicit ratings.

    Parameters
    ----------
    ratings : iterable of (user, item, weight)
        Every action; r[u, i] is the largest weight of a user for an item, and a pair adds the smaller of
        a user's two.

    References
    ----------
    Huang, Cui, Zhang, Jiang, Xu: TencentRec: Real-time Stream Recommendation in Practice, SIGMOD 2015.

    Examples
    --------
    >>> counts = recount_similarity([("anna", "tea", 1), ("anna", "tea", 4), ("anna", "cup", 2)])
    >>> counts.items["tea"], counts.pairs["tea", "cup"], counts.pairs["cup", "tea"]
    (4, 2, 2)
    """
    by_user: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for user, item, weight in ratings:
        by_user[user][item] = max(by_user[user][item], weight)
    counts = PairCounts(len(by_user), Counter(), Counter())
    for rated in by_user.values():
        counts.items.update(rated)
        for one, other in combinations(rated, 2):
            _add_pair(counts, one, other, min(rated[one], rated[other]))
    return counts


def recount_baskets(baskets: Iterable[Iterable[str]]) -> PairCounts:
    """Count items and pairs by the sets they occur in together.

    Parameters
    ----------
    baskets : iterable of iterables of str
        Orders or sessions; an item counts once in each.

    Examples
    --------
    >>> counts = recount_baskets([["tea", "cup", "tea"], ["tea"]])
    >>> counts.total, counts.items["tea"], counts.pairs["tea", "cup"]
    (2, 2, 1)
    """
    sets = [set(basket) for basket in baskets]
    counts = PairCounts(len(sets), Counter(), Counter())
    for basket in sets:
        counts.items.update(basket)
        for one, other in combinations(basket, 2):
            _add_pair(counts, one, other, 1)
    return counts


def _add_pair(counts: PairCounts, one: str, other: str, amount: int) -> None:
    if amount:
        counts.pairs[one, other] += amount
        counts.pairs[other, one] += amount
