"""How often the lists hold what customers do next, against plain popularity with the same items left out."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from online_models.metrics import PrequentialHits


class HitRates:
    """Running hit rates of lists and of the most popular items so far.

    Parameters
    ----------
    k : int
        Places of a list that count.

    Examples
    --------
    >>> rates = HitRates(k=1)
    >>> rates.acted("u:ben", ["tea"], bought=False)
    >>> rates.given("u:anna", ["cup"])
    >>> rates.acted("u:anna", ["cup"], bought=True)
    >>> rates.acted("u:anna", ["tea"], bought=False)
    >>> rates.hits.queries, rates.hits.hit_rate, rates.hits.popular_hit_rate
    (2, 0.5, 0.5)
    """

    def __init__(self, k: int) -> None:
        self.hits = PrequentialHits(k)
        self._counts: Counter[str] = Counter()
        self._bought: defaultdict[str, set[str]] = defaultdict(set)

    def acted(self, customer: str, items: Sequence[str], *, bought: bool) -> None:
        """Compare an act with what the customer was given before it, then count its items."""
        self.hits.learn(customer, items)
        self._counts.update(items)
        if bought:
            self._bought[customer].update(items)

    def given(self, customer: str, ranked: Sequence[str]) -> None:
        """Note a customer's list; what was bought is left out of the popularity list, as it is of lists."""
        bought = self._bought.get(customer, set())
        leaders = self._counts.most_common(self.hits.k + len(bought))
        popular = [item for item, _ in leaders if item not in bought]
        self.hits.give(customer, ranked, popular=popular)
