"""Measures of pairs and rules, from counts: cosine similarity, support to conviction, log-likelihood ratio.

Pure functions of numbers; exact integers and decayed floats alike. They take counts as they are:
whoever mixes counts of different ages sees to it that no part is larger than its whole.
"""

from math import log, sqrt
from typing import NamedTuple

import msgspec


class Table(NamedTuple):
    """The counts of a rule i -> j: with both, with the antecedent, with the consequent, and of all."""

    pair: float
    n_i: float
    n_j: float
    total: float


class Measures(msgspec.Struct, frozen=True):
    """Measures of a rule i -> j; `conviction` is None where it is infinite, at confidence 1."""

    support: float
    confidence: float
    lift: float
    leverage: float
    conviction: float | None
    llr: float
    jaccard: float


def measures(pair: float, n_i: float, n_j: float, total: float) -> Measures:
    """Compute all measures of the rule i -> j.

    Parameters
    ----------
    pair : float
        Transactions with both items, at most `n_i` and `n_j`.
    n_i, n_j : float
        Transactions with the antecedent and with the consequent, above 0.
    total : float
        All transactions, at least `n_i + n_j - pair`.

    References
    ----------
    Agrawal, Imielinski, Swami: Mining Association Rules between Sets of Items in Large Databases,
    SIGMOD 1993. Brin, Motwani, Ullman, Tsur: Dynamic Itemset Counting and Implication Rules for Market
    Basket Data, SIGMOD 1997. Piatetsky-Shapiro: Discovery, Analysis, and Presentation of Strong Rules, 1991.

    Examples
    --------
    >>> rule = measures(pair=2, n_i=4, n_j=2, total=8)
    >>> rule.support, rule.confidence, rule.lift, rule.leverage, rule.conviction
    (0.25, 0.5, 2.0, 0.125, 1.5)
    >>> rule.jaccard, round(rule.llr, 4)
    (0.5, 3.4522)
    >>> measures(pair=2, n_i=2, n_j=4, total=8).conviction is None
    True
    """
    return Measures(
        support=pair / total,
        confidence=pair / n_i,
        lift=lift(pair, n_i, n_j, total),
        leverage=pair / total - n_i * n_j / (total * total),
        conviction=conviction(pair, n_i, n_j, total),
        llr=log_likelihood_ratio(pair, n_i, n_j, total),
        jaccard=pair / (n_i + n_j - pair),
    )


def measures_beside(pair: float, support: float, confidence: float, lift: float) -> Measures:
    """Compute all measures of a rule from the count of its pair and the three measures that go with it.

    Parameters
    ----------
    pair : float
        Transactions with both items, above 0.
    support, confidence, lift : float
        Of the same rule, above 0 and not rounded.

    Examples
    --------
    >>> measures_beside(2, support=0.25, confidence=0.5, lift=2.0) == measures(pair=2, n_i=4, n_j=2, total=8)
    True
    """
    n_i, total = pair / confidence, pair / support
    # Rounding must leave no part larger than its whole.
    n_j = max(pair, pair * total / (n_i * lift))
    return measures(pair, n_i, n_j, max(total, n_i + n_j - pair))


def lift(pair: float, n_i: float, n_j: float, total: float) -> float:
    """Tell how many times more often both items occur together than if they were independent."""
    return pair * total / (n_i * n_j)


def conviction(pair: float, n_i: float, n_j: float, total: float) -> float | None:
    """Tell how many times more often the rule would be wrong by chance; None when it never is."""
    if pair >= n_i:
        return None
    return (total - n_j) * n_i / (total * (n_i - pair))


def log_likelihood_ratio(pair: float, n_i: float, n_j: float, total: float) -> float:
    """Compute how surprising it is to see the two items together so often or so rarely; never negative.

    References
    ----------
    Dunning: Accurate Methods for the Statistics of Surprise and Coincidence, Computational Linguistics 1993.

    Examples
    --------
    >>> log_likelihood_ratio(pair=2, n_i=4, n_j=4, total=8)  # exactly what chance would do
    0.0
    """
    rest_i, rest_j = total - n_i, total - n_j
    ratio = (
        _surprise(pair, n_i * n_j, total)
        + _surprise(n_i - pair, n_i * rest_j, total)
        + _surprise(n_j - pair, rest_i * n_j, total)
        + _surprise(rest_i - n_j + pair, rest_i * rest_j, total)
    )
    return 2 * ratio if ratio > 0 else 0.0


def similarity(pair: float, n_i: float, n_j: float) -> float:
    """Compute the cosine of two items' implicit ratings, clipped to [0, 1].

    References
    ----------
    Huang, Cui, Zhang, Jiang, Xu: TencentRec: Real-time Stream Recommendation in Practice, SIGMOD 2015.

    Examples
    --------
    >>> similarity(pair=2, n_i=4, n_j=4), similarity(pair=5, n_i=4, n_j=4), similarity(pair=0, n_i=0, n_j=4)
    (0.5, 1.0, 0.0)
    """
    whole = n_i * n_j
    return min(1.0, max(0.0, pair / sqrt(whole))) if whole > 0 else 0.0


def _surprise(seen: float, margins: float, total: float) -> float:
    """One cell's part of the ratio: its count times the log of how much larger it is than by chance."""
    return seen * log(seen * total / margins) if seen > 0 and margins > 0 else 0.0
