"""How good one ranked list is against the items that turned out to be relevant, and a running hit rate.

What many lists do to a catalogue together is in `online_models.exposure`.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from math import log2
from typing import NamedTuple

Ranked = Sequence[str]
"""Item ids, best first, none of them twice."""

Relevant = AbstractSet[str]
"""Item ids that turned out to be relevant; at least one."""


def hit_rate(ranked: Ranked, relevant: Relevant, k: int) -> float:
    """Return 1 if a relevant item is among the first k, otherwise 0.

    Examples
    --------
    >>> hit_rate(["a", "b", "c"], {"c"}, k=2), hit_rate(["a", "b", "c"], {"c"}, k=3)
    (0.0, 1.0)
    """
    return float(any(_hits(ranked, relevant, k)))


def recall(ranked: Ranked, relevant: Relevant, k: int) -> float:
    """Return the share of the relevant items that are among the first k.

    Examples
    --------
    >>> recall(["a", "b", "c"], {"a", "x"}, k=3)
    0.5
    """
    return sum(_hits(ranked, relevant, k)) / len(relevant)


def precision(ranked: Ranked, relevant: Relevant, k: int) -> float:
    """Return the share of k places that hold a relevant item; a shorter list has empty places.

    Examples
    --------
    >>> precision(["a", "b"], {"a", "x"}, k=4)
    0.25
    """
    return sum(_hits(ranked, relevant, k)) / k


def f1(ranked: Ranked, relevant: Relevant, k: int) -> float:
    """Return the harmonic mean of precision and recall at k; 0 without a hit.

    References
    ----------
    van Rijsbergen: Information Retrieval, 2nd edition, 1979, chapter 7.

    Examples
    --------
    >>> f1(["a", "b"], {"a"}, k=2) == 2 * 0.5 * 1.0 / (0.5 + 1.0)
    True
    """
    return 2 * sum(_hits(ranked, relevant, k)) / (k + len(relevant))


def reciprocal_rank(ranked: Ranked, relevant: Relevant, k: int) -> float:
    """Return 1 / rank of the first relevant item among the first k, otherwise 0; its mean is the MRR.

    References
    ----------
    Voorhees: The TREC-8 Question Answering Track Report, 1999.

    Examples
    --------
    >>> reciprocal_rank(["a", "b", "c"], {"b", "c"}, k=10)
    0.5
    """
    found = (1 / rank for rank, hit in enumerate(_hits(ranked, relevant, k), start=1) if hit)
    return next(found, 0.0)


def average_precision(ranked: Ranked, relevant: Relevant, k: int) -> float:
    """Return the mean of the precision at each hit's rank; its mean over lists is the MAP.

    It is 1 when every place that could hold a relevant item does: divided by min(k, relevant items).

    References
    ----------
    Manning, Raghavan, Schütze: Introduction to Information Retrieval, 2008, section 8.4.

    Examples
    --------
    >>> average_precision(["a", "x", "b"], {"a", "b"}, k=3) == (1 / 1 + 2 / 3) / 2
    True
    """
    hits, total = 0, 0.0
    for rank, hit in enumerate(_hits(ranked, relevant, k), start=1):
        hits += hit
        total += hit * hits / rank
    return total / min(k, len(relevant))


def ndcg(ranked: Ranked, relevant: Relevant, k: int) -> float:
    """Return the discounted cumulative gain at k, relative to the best possible; every gain is 1.

    References
    ----------
    Järvelin, Kekäläinen: Cumulated Gain-Based Evaluation of IR Techniques, ACM TOIS 20(4), 2002.

    Examples
    --------
    >>> ndcg(["a", "b"], {"a"}, k=2), round(ndcg(["b", "a"], {"a"}, k=2), 6)
    (1.0, 0.63093)
    """
    gain = sum(hit / log2(rank + 1) for rank, hit in enumerate(_hits(ranked, relevant, k), start=1))
    return gain / sum(1 / log2(rank + 1) for rank in range(1, min(k, len(relevant)) + 1))


def _hits(ranked: Ranked, relevant: Relevant, k: int) -> list[bool]:
    if k < 1 or not relevant:
        raise ValueError(f"k is {k} and {len(relevant)} items are relevant; expected at least 1 of each")
    return [item in relevant for item in ranked[:k]]


class Given(NamedTuple):
    """The items of a customer's list, and those of the popularity list at that time."""

    items: frozenset[str]
    popular: frozenset[str]


class PrequentialHits:
    """Running hit rate of the lists that customers have, against a popularity list on the same queries.

    Test, then learn: what a customer does next is compared with the last list given before it. A query is
    one act of a customer who has a list; it is a hit when the list holds any of the act's items.

    Parameters
    ----------
    k : int
        Places of a list that count.
    max_customers : int
        Lists kept at most; the one that was given longest ago is dropped first.

    References
    ----------
    Gama, Sebastião, Rodrigues: On Evaluating Stream Learning Algorithms, Machine Learning 90, 2013.

    Examples
    --------
    >>> hits = PrequentialHits(k=10)
    >>> hits.give("anna", ["tea", "cup"], popular=["jam"])
    >>> for items in (["cup"], ["jam", "pot"], ["pot"], ["tea"]):
    ...     hits.learn("anna", items)
    >>> hits.learn("bert", ["tea"])  # has no list yet: not a query
    >>> hits.queries, hits.hit_rate, hits.popular_hit_rate
    (4, 0.5, 0.25)
    """

    def __init__(self, k: int, *, max_customers: int = 1_000_000) -> None:
        if k < 1 or max_customers < 1:
            raise ValueError(f"k is {k} and max_customers {max_customers}; expected at least 1 of each")
        self.k, self._max_customers = k, max_customers
        self.queries = self.hits = self.popular_hits = 0
        self._given: dict[str, Given] = {}

    def give(self, customer: str, ranked: Ranked, *, popular: Ranked) -> None:
        """Note the list that a customer has from now on, and the popularity list to compare it with."""
        self._given.pop(customer, None)
        if len(self._given) >= self._max_customers:
            del self._given[next(iter(self._given))]
        self._given[customer] = Given(frozenset(ranked[: self.k]), frozenset(popular[: self.k]))

    def learn(self, customer: str, items: Iterable[str]) -> None:
        """Compare the items of one act with the customer's list; without a list it doesn't count."""
        self.compare(self.given(customer), items)

    def given(self, customer: str) -> Given | None:
        """Return what a customer has now, for an act that is judged once the list may have changed."""
        return self._given.get(customer)

    def compare(self, given: Given | None, items: Iterable[str]) -> None:
        """Compare the items of one act with a list that was given before it."""
        acted = frozenset(items)
        if given is None or not acted:
            return
        self.queries += 1
        self.hits += not acted.isdisjoint(given.items)
        self.popular_hits += not acted.isdisjoint(given.popular)

    @property
    def hit_rate(self) -> float:
        """Share of the queries in which the customer's list had a hit; 0 before the first query."""
        return self.hits / self.queries if self.queries else 0.0

    @property
    def popular_hit_rate(self) -> float:
        """Share of the queries in which the popularity list had a hit."""
        return self.popular_hits / self.queries if self.queries else 0.0
