"""From ranked candidates to a list: diversity, caps on categories and on popularity, and exploring.

A slate is filled place by place. Of the candidates that are left, those fit that break no cap; the best of
them takes the place, or, now and then, one that is drawn. With all of it off a slate is the candidates in
their order. Nothing here has a clock, and what is drawn depends on a seed alone.
"""

import math
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_models.protocols import Views
from schemas.settings import RecommendSettings

CANDIDATES: Final = 50
"""A list is made of so many candidates, the best that the filters admit; of k where that is more."""

_DIGITS: Final = 6
_SLACK: Final = 1e-9
"""Of a mean, relative: what rounding may add to popularities that are all the same."""


class Candidate(NamedTuple):
    """An item that may be in the list.

    `score` is at least 0, in any unit; `popularity` a decayed count (see `Views.popular`), 0 for an item that
    is not among the published ones.
    """

    item: str
    score: float
    categories: frozenset[str] = frozenset()
    brand: str | None = None
    popularity: float = 0.0


class Place(NamedTuple):
    """A candidate in its place; `propensity`, in (0, 1], is None where nothing is explored."""

    candidate: Candidate
    propensity: float | None


class Slates:
    """Makes lists of ranked items, as the settings say.

    Parameters
    ----------
    views : Views
        Tell categories, brands and popularity.
    settings : RecommendSettings
        See `slate`.

    Examples
    --------
    >>> from online_models.memory_views import MemoryViews
    >>> plain = Slates(MemoryViews(), RecommendSettings())
    >>> plain.wanted(10), plain.make([("tea", 0.9), ("cup", 0.5)], 1, "browses:0:7")
    (10, [('tea', 0.9, None)])
    >>> exploring = Slates(MemoryViews(), RecommendSettings(explore=0.2))
    >>> exploring.wanted(10), exploring.make([("tea", 0.9), ("cup", 0.5)], 1, "browses:0:7")
    (50, [('tea', 0.9, 0.9)])
    """

    def __init__(self, views: Views, settings: RecommendSettings) -> None:
        self._views, self._settings = views, settings
        self._off = keeps_order(settings)

    def wanted(self, k: int) -> int:
        """Return how many candidates a list of k places is made of, where there are so many."""
        return k if self._off else max(k, CANDIDATES)

    def make(
        self, best_first: Sequence[tuple[str, float]], k: int, seed: str
    ) -> list[tuple[str, float, float | None]]:
        """Return the items of at most k places with their scores and propensities."""
        if self._off:
            return [(item, score, None) for item, score in best_first[:k]]
        places = slate(self._known(best_first), k, self._settings, seed)
        return [(each.item, each.score, propensity) for each, propensity in places]

    def _known(self, best_first: Sequence[tuple[str, float]]) -> list[Candidate]:
        popular = dict(self._views.popular("all"))
        found = []
        for item, score in best_first:
            facts = self._views.item(item)
            categories = frozenset[str]() if facts is None else frozenset(facts.categories)
            brand = None if facts is None else facts.brand
            found.append(Candidate(item, score, categories, brand, popular.get(item, 0.0)))
        return found


def keeps_order(settings: RecommendSettings) -> bool:
    """Whether lists are the best candidates in their order, without propensities: all of it is off.

    Examples
    --------
    >>> keeps_order(RecommendSettings()), keeps_order(RecommendSettings(diversity=0.2))
    (True, False)
    """
    caps = settings.max_per_category or settings.max_popularity_lift
    return not (settings.diversity or caps or settings.explore)


def slate(best_first: Sequence[Candidate], k: int, settings: RecommendSettings, seed: str) -> list[Place]:
    """Fill the places of a list, one after the other.

    Parameters
    ----------
    best_first : sequence of Candidate
        Different items, the largest score first; each of them may be in the list.
    k : int
        Places wanted; fewer are filled only when there are fewer candidates.
    settings : RecommendSettings
        `diversity`, `max_per_category`, `max_popularity_lift` and `explore`; with all of them 0 the list
        is the first k candidates.
    seed : str
        What is drawn depends on it and on the place. The same seed gives the same list.

    Returns
    -------
    list of Place
        Their scores are those of the candidates; they fall only as far as the order is kept.

    Notes
    -----
    Relevance is the score divided by the largest one, 0 if that is 0. The similarity of two items is the
    Jaccard index of their categories, with the brand as one category more: 1 for the same ones, 0 for none in
    common or none known. The best candidate for a place has the largest
    (1 - diversity) * relevance - diversity * (largest similarity to an item in the list), ties by their
    order [1]_.

    A candidate fits if none of its categories has `max_per_category` places yet and if, with it, the mean
    popularity of the list is at most `max_popularity_lift` times the mean over all candidates; so the caps
    hold for each beginning of the list. Who is passed over for one place may fit again later. Once nobody
    fits, the caps are given up, and the list is filled with those who are left, in their order.

    Exploring is epsilon-greedy: with probability e = `explore` one of the n candidates that fit (of those
    that are left, once nobody does) takes the place, each equally likely, the best one too. So the best one
    has the propensity 1 - e + e / n, each other one e / n, with six significant digits: the probability of
    what was observed, by which a log can be weighed [2]_.

    References
    ----------
    .. [1] Carbonell, Goldstein: The Use of MMR, Diversity-Based Reranking for Reordering Documents and
       Producing Summaries, SIGIR 1998.
    .. [2] Strehl, Langford, Li, Kakade: Learning from Logged Implicit Exploration Data, NIPS 2010.

    Examples
    --------
    >>> teas, pots = frozenset({"teas"}), frozenset({"pots"})
    >>> ranked = [Candidate("mint", 0.8, teas), Candidate("sage", 0.6, teas), Candidate("pot", 0.4, pots)]
    >>> def items(**changes: float) -> list[str]:
    ...     using = RecommendSettings(**changes)
    ...     return [place.candidate.item for place in slate(ranked, 3, using, "browses:0:7")]
    >>> items(), items(diversity=0.3), items(max_per_category=1)
    (['mint', 'sage', 'pot'], ['mint', 'pot', 'sage'], ['mint', 'pot', 'sage'])
    >>> [place.propensity for place in slate(ranked, 3, RecommendSettings(explore=0.3), "browses:0:7")]
    [0.8, 0.85, 1.0]
    """
    worth, caps = _Worth(best_first, settings.diversity), _Caps(best_first, settings)
    left = list(range(len(best_first)))
    places: list[Place] = []
    filling = False
    while left and len(places) < k:
        fit = [] if filling else [n for n in left if caps.admit(best_first[n])]
        filling = not fit
        choice = fit or left
        best = chosen = left[0] if filling else worth.best(fit)
        propensity = None
        if settings.explore:
            chosen = _drawn(choice, best, settings.explore, f"{len(places)}|{seed}")
            propensity = _propensity(len(choice), settings.explore, best=chosen == best)
        places.append(Place(best_first[chosen], propensity))
        left.remove(chosen)
        worth.take(chosen)
        caps.take(best_first[chosen])
    return places


class _Worth:
    """How much each candidate is worth in the next place: marginal relevance."""

    def __init__(self, best_first: Sequence[Candidate], diversity: float) -> None:
        scores = np.array([each.score for each in best_first], np.float64)
        most = scores.max(initial=0.0)
        self._diversity = diversity
        self._relevance = scores / most if most > 0 else scores
        self._traits = _traits(best_first) if diversity else np.zeros((len(best_first), 0))
        self._sizes = self._traits.sum(axis=1)
        self._nearest = np.zeros(len(best_first))

    def best(self, among: Sequence[int]) -> int:
        """Return the best of some candidates, the first of equals."""
        worth = (1 - self._diversity) * self._relevance[among] - self._diversity * self._nearest[among]
        return among[int(worth.argmax())]

    def take(self, n: int) -> None:
        if self._diversity:
            shared = self._traits @ self._traits[n]
            together = self._sizes + self._sizes[n] - shared
            self._nearest = np.maximum(self._nearest, shared / np.maximum(together, 1.0))


def _traits(best_first: Sequence[Candidate]) -> NDArray[np.float64]:
    """Return 1 where a candidate, by row, has a category or brand, by column."""
    has = [
        {("category", name) for name in each.categories} | ({("brand", each.brand)} if each.brand else set())
        for each in best_first
    ]
    columns = {trait: n for n, trait in enumerate(sorted(set[tuple[str, str]]().union(*has)))}
    found = np.zeros((len(best_first), len(columns)))
    for row, traits in enumerate(has):
        found[row, [columns[trait] for trait in traits]] = 1.0
    return found


class _Caps:
    """Who fits into the list as it is, by category and popularity."""

    def __init__(self, best_first: Sequence[Candidate], settings: RecommendSettings) -> None:
        self._per_category, self._limit = settings.max_per_category, math.inf
        if settings.max_popularity_lift and best_first:
            mean = math.fsum(each.popularity for each in best_first) / len(best_first)
            self._limit = settings.max_popularity_lift * mean * (1 + _SLACK)
        self._of_category: Counter[str] = Counter()
        self._popularity, self._places = 0.0, 0

    def admit(self, candidate: Candidate) -> bool:
        if self._popularity + candidate.popularity > self._limit * (self._places + 1):
            return False
        most = self._per_category
        return not most or all(self._of_category[name] < most for name in candidate.categories)

    def take(self, candidate: Candidate) -> None:
        self._of_category.update(candidate.categories)
        self._popularity += candidate.popularity
        self._places += 1


def _drawn(choice: Sequence[int], best: int, explore: float, seed: str) -> int:
    """Return the best one or, with probability `explore`, any one, each equally likely.

    The hash of a seed and a place is a generator that needs no state and is the same in every version.
    """
    digest = blake2b(seed.encode(), digest_size=16).digest()
    if int.from_bytes(digest[:8], "little") >= explore * 2.0**64:
        return best
    return choice[int.from_bytes(digest[8:], "little") % len(choice)]


def _propensity(n: int, explore: float, *, best: bool) -> float:
    chance = explore / n
    if best:
        chance += 1 - explore
    return float(f"{chance:.{_DIGITS}g}")
