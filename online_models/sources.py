"""What each source says for items, as blocks of evidence with reasons: neighbours, customers, popularity, ...

A block holds what was published, before it is weighted for a customer.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from online_models.customer_neighbours import Alike
from online_models.evidence import Amounts, ItemNumbers, Numbers
from online_models.traces import Trace
from schemas.messages import NeighbourRule, Neighbours
from schemas.recommendations import Reason
from schemas.settings import RecommendSettings

PRIOR_COUNT: Final = 5.0
"""A measure that rests on this count weighs half of what it says."""

SIMILAR, RULES, SESSION_RULES, RECENT, POPULAR_ALL, POPULAR_THERE, POPULAR_SEGMENT = range(7)
CONTENT, SOCIAL, USERS = 7, 8, 9
"""Numbers of the sources; `POPULAR_THERE` is what is popular in a category."""

SOURCES: Final = 10

_DECIMALS: Final = 6


def significance(counts: Amounts) -> Amounts:
    """Return how far similarities or confidences can be trusted: count / (count + PRIOR_COUNT).

    References
    ----------
    Herlocker, Konstan, Borchers, Riedl: An Algorithmic Framework for Performing Collaborative Filtering,
    SIGIR 1999 (significance weighting).

    Examples
    --------
    >>> significance(np.array([0.0, 5.0, 45.0])).tolist()
    [0.0, 0.5, 0.9]
    """
    return counts / (counts + PRIOR_COUNT)


class PartnersBlock:
    """Neighbour items and rules of one item: weight * (similarity or confidence) * significance of the count.

    Parameters
    ----------
    numbers : ItemNumbers
        Numbers the partners.
    row : Neighbours
        The row as published.
    settings : RecommendSettings
        Weights of similarity and of the rules' scopes; a weight of 0 leaves its source out.

    Examples
    --------
    >>> from schemas.messages import Neighbour
    >>> row = Neighbours("tea", [Neighbour("cup", 0.8, 15.0)], {})
    >>> block = PartnersBlock(ItemNumbers(), row, RecommendSettings(similarity_weight=0.5))
    >>> block.amounts.round(9).tolist()
    [0.3]
    >>> block.reason(0)
    {'source': 'similarity', 'item_id': 'tea', 'similarity': 0.8}
    """

    __slots__ = ("_rules", "_similar", "amounts", "numbers", "row", "sources")

    def __init__(self, numbers: ItemNumbers, row: Neighbours, settings: RecommendSettings) -> None:
        self.row = row
        self._similar = row.similar if settings.similarity_weight else []
        self._rules: list[tuple[str, list[NeighbourRule]]] = []
        items = [similar.item_id for similar in self._similar]
        values = [settings.similarity_weight * similar.similarity for similar in self._similar]
        counts = [similar.count for similar in self._similar]
        sources = [SIMILAR] * len(items)
        scopes = (
            ("orders", settings.rules_weight, RULES),
            ("sessions", settings.session_rules_weight, SESSION_RULES),
        )
        for scope, weight, source in scopes:
            if not weight:
                continue
            # A rule of lift below 1 speaks against its item, however large the confidence.
            rules = [rule for rule in row.rules.get(scope, ()) if rule.lift >= 1]
            self._rules.append((scope, rules))
            items += [rule.item_id for rule in rules]
            values += [weight * rule.confidence for rule in rules]
            counts += [rule.count for rule in rules]
            sources += [source] * len(rules)
        self.numbers = numbers.of(items)
        self.sources: Numbers = np.array(sources, dtype=np.intp)
        self.amounts = np.array(values, dtype=np.float64) * significance(np.array(counts, dtype=np.float64))

    def reason(self, n: int) -> Reason:
        if n < len(self._similar):
            similarity = self._similar[n].similarity
            return {"source": "similarity", "item_id": self.row.item, "similarity": similarity}
        n -= len(self._similar)
        for scope, rules in self._rules:
            if n < len(rules):
                return _rule_reason(self.row.item, scope, rules[n])
            n -= len(rules)
        raise IndexError(f"no piece of evidence {n} after the last rule of {self.row.item!r}")


def _rule_reason(item: str, scope: str, rule: NeighbourRule) -> Reason:
    return {
        "source": "rules",
        "item_id": item,
        "scope": scope,
        "count": rule.count,
        "support": rule.support,
        "confidence": rule.confidence,
        "lift": rule.lift,
    }


class PopularBlock:
    """Popular items of one scope: value / largest value.

    Parameters
    ----------
    numbers : ItemNumbers
        Numbers the items.
    scope : str
        `all`, `category:x` or `segment:n`.
    found : sequence of (str, float)
        Items with their decayed counts, best first.
    largest : float or None
        What the values are divided by; the first value when None.

    Examples
    --------
    >>> block = PopularBlock(ItemNumbers(), "all", [("tea", 8.0), ("cup", 2.0)])
    >>> block.amounts.tolist(), block.reason(1)
    ([1.0, 0.25], {'source': 'popularity', 'scope': 'all', 'value': 2.0})
    """

    __slots__ = ("_scope", "amounts", "found", "numbers", "sources")

    def __init__(
        self,
        numbers: ItemNumbers,
        scope: str,
        found: Sequence[tuple[str, float]],
        *,
        largest: float | None = None,
    ) -> None:
        self._scope, self.found = scope, found
        values = np.array([value for _, value in found], dtype=np.float64)
        if largest is None:
            largest = found[0][1] if found else 0.0
        # Once decay has brought all of a scope to 0, its items can still fill a list.
        self.amounts = values / largest if largest > 0 else np.zeros(len(found))
        self.numbers = numbers.of([item for item, _ in found])
        source = {"all": POPULAR_ALL, "segment": POPULAR_SEGMENT}.get(scope.partition(":")[0], POPULAR_THERE)
        self.sources: Numbers = np.full(len(found), source, dtype=np.intp)

    def reason(self, n: int) -> Reason:
        return {"source": "popularity", "scope": self._scope, "value": self.found[n][1]}


class RecentBlock:
    """Items that the customer looked at and didn't buy or rate: the strength of each trace.

    Parameters
    ----------
    numbers : ItemNumbers
        Numbers the items.
    traces : sequence of Trace
        The customer's newest items.
    now : int
        The moment of the question (epoch ms).

    Examples
    --------
    >>> traces = [Trace("tea", 1_000, 0.5, had=False), Trace("cup", 0, 0.2, had=True)]
    >>> block = RecentBlock(ItemNumbers(), traces, now=4_500)
    >>> block.amounts.tolist(), block.reason(0)
    ([0.5], {'source': 'recent', 'item_id': 'tea', 'seconds_ago': 3})
    """

    __slots__ = ("_now", "_traces", "amounts", "numbers", "sources")

    def __init__(self, numbers: ItemNumbers, traces: Sequence[Trace], *, now: int) -> None:
        self._traces, self._now = [trace for trace in traces if not trace.had], now
        self.amounts = np.array([trace.strength for trace in self._traces], dtype=np.float64)
        self.numbers = numbers.of([trace.item for trace in self._traces])
        self.sources: Numbers = np.full(len(self._traces), RECENT, dtype=np.intp)

    def reason(self, n: int) -> Reason:
        trace = self._traces[n]
        seconds = max(0, self._now - trace.at) // 1000
        return {"source": "recent", "item_id": trace.item, "seconds_ago": seconds}


class UsersBlock:
    """Items that the nearest customers have: share of the neighbours * significance of how many they are.

    Parameters
    ----------
    numbers : array of int
        Numbers of the items.
    found : Alike
        The items, as customers have them.

    Examples
    --------
    >>> found = Alike(np.array([3]), np.array([0.5]), np.array([15]), np.array([0.25]))
    >>> block = UsersBlock(np.array([0]), found)
    >>> block.amounts.tolist(), block.reason(0)
    ([0.375], {'source': 'users', 'customers': 15, 'similarity': 0.25})
    """

    __slots__ = ("_found", "amounts", "numbers", "sources")

    def __init__(self, numbers: Numbers, found: Alike) -> None:
        self._found, self.numbers = found, numbers
        self.amounts = found.share * significance(found.customers.astype(np.float64))
        self.sources: Numbers = np.full(len(numbers), USERS, dtype=np.intp)

    def reason(self, n: int) -> Reason:
        return {
            "source": "users",
            "customers": int(self._found.customers[n]),
            "similarity": round(float(self._found.similarity[n]), _DECIMALS),
        }
