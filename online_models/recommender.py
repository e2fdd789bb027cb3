"""The default recommender: blends sessions, similarity, rules, recent items and popularity into one list.

Until the ranker has learned enough, the order is that of the evidence's noisy-or; from then on it is the
ranker's: the chance of each candidate to be acted on next. From that order, `online_models.slates` makes
the list. It reads views and a history and never writes; it has no clock, and what it draws depends on the
request's seed alone.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from online_models.evidence import Amounts, Evidence
from online_models.filters import Filters
from online_models.list_features import Described
from online_models.pinning import pinned_places, with_pinned
from online_models.protocols import Answer, Request, Views
from online_models.ranking import Found, LearnedOrder, ListCandidates
from online_models.session_reasons import session_reasons
from online_models.slates import Slates
from schemas.recommendations import Reason, RecommendedItem
from schemas.settings import Settings

_DECIMALS = 6


def blend_scores(evidence: Amounts) -> Amounts:
    """Return the scores of items: 1 - exp(-evidence), rounded to 6 decimals.

    A noisy-or: every piece of evidence e alone would win the customer with probability 1 - exp(-e), and
    the item is left aside only if none of them does, so the product of the misses is exp(-sum of e).

    Parameters
    ----------
    evidence : array of float
        Sums of weight * x over each item's reasons, at least 0 (see `online_models.candidates`).

    References
    ----------
    Pearl: Probabilistic Reasoning in Intelligent Systems, 1988, section 4.3.2 (noisy-or).

    Examples
    --------
    >>> blend_scores(np.array([0.0, 0.5, 100.0])).tolist()
    [0.0, 0.393469, 1.0]
    >>> one, two, both = blend_scores(np.array([0.2, 0.3, 0.5])).tolist()
    >>> round(1 - (1 - one) * (1 - two), 6) == both
    True
    """
    scores: Amounts = -np.expm1(-evidence)
    return scores.round(_DECIMALS)


class BlendRecommender:
    """Blends every source by a noisy-or and filters what may not be shown.

    Parameters
    ----------
    views : Views
        What the other stages published.
    settings : Settings
        Section `recommend`: weights, size of a list, filters, diversity, caps, exploring.

    Attributes
    ----------
    lists : ListCandidates
        What could be in a list.

    Notes
    -----
    Sorted by score, ties by item id, unless `diversity`, `max_per_category`, `max_popularity_lift` or
    `explore` is on: then the list is made of the first 50 items of that order (k, if more are wanted) as
    `online_models.slates.slate` says, their scores are still those of the order and need not fall, and
    with `explore` each item has its propensity. The filters hold either way: items that the customer looked
    at before take at most `recommend.max_recent` places. A list is shorter than asked for only when fewer
    items can be reached: partners of the newest items, what is popular overall, in the customer's segment,
    and in the categories of any of these.

    Examples
    --------
    >>> from online_models.memory_views import MemoryViews
    >>> from schemas.messages import WEIGHT_ONE, Neighbours, Neighbour
    >>> from schemas.state import HistoryRow, ItemMark
    >>> views = MemoryViews(
    ...     neighbours=[Neighbours("tea", [Neighbour("cup", 0.8, 15.0)], {})], popular={"all": [("jam", 2.0)]}
    ... )
    >>> history = HistoryRow({"tea": ItemMark(4 * WEIGHT_ONE, 0, had=True)})
    >>> for place in BlendRecommender(views, Settings()).recommend(Request(history=history, now=0)).items:
    ...     print(place.rank, place.item_id, place.reasons[0]["source"])
    1 cup similarity
    2 jam popularity
    """

    def __init__(self, views: Views, settings: Settings) -> None:
        self._views, self._settings = views, settings.recommend
        self.lists = ListCandidates(views, settings)
        self._order = LearnedOrder(views, settings.ranker)
        self._slates = Slates(views, settings.recommend)

    def recommend(self, request: Request) -> Answer:
        found = self.lists.find(request)
        filters = Filters(self._views, request, self._settings, segment=found.segment)
        most = self._slates.wanted(request.k)
        chosen, described = [], None
        if self._order.ready():
            described = self.lists.describe(found)
            ranked = self.lists.numbers.best_first(described.numbers, self._order.scores(described))
            chosen = self._choose(filters.reordered(ranked), filters, most)
        if len(chosen) < most:
            chosen = self._filled(chosen, found, filters, request.k, most=most)
        pinned = pinned_places(filters, chosen, request.k)
        if pinned:
            given = {place.item for place in pinned}
            chosen = [each for each in chosen if each[0] not in given]
        places = self._slates.make(chosen, request.k - len(pinned), request.seed)
        if pinned:
            places = with_pinned(places, pinned, explored=self._settings.explore > 0)
        reasons = self._reasons([item for item, *_ in places], found, described)
        if filters.rules.put_forward:
            names = {place.item: place.rule for place in pinned}
            reasons = self._with_rules(reasons, [item for item, *_ in places], filters, names)
        items = [
            RecommendedItem(item, rank, score, propensity, why)
            for rank, ((item, score, propensity), why) in enumerate(zip(places, reasons, strict=True), 1)
        ]
        return Answer(items, found.segment)

    def _filled(
        self, chosen: list[tuple[str, float]], found: Found, filters: Filters, k: int, *, most: int
    ) -> list[tuple[str, float]]:
        """Add what the evidence alone would choose, with scores below those that are there.

        The first k are the list as it would be if no more were wanted; only for them is the evidence widened.
        """
        wanted = self._unranked(found.evidence, chosen, filters, most)
        if len(wanted) < k:
            has = {item for item, _ in chosen}
            found.widen(lambda item: item not in has and filters.is_new(item), missing=k - len(wanted))
            wanted = self._unranked(found.evidence, chosen, filters, most)
        # What is certain by the evidence has the score of the last that was ranked: a tie, which goes by id.
        return sorted(wanted[:k], key=lambda each: (-each[1], each[0])) + wanted[k:]

    def _unranked(
        self, evidence: Evidence, chosen: list[tuple[str, float]], filters: Filters, k: int
    ) -> list[tuple[str, float]]:
        has = {item for item, _ in chosen}
        least = chosen[-1][1] if chosen else 1.0
        others = (
            (item, least * score) for item, score in evidence.best_first(blend_scores) if item not in has
        )
        looked_at = sum(map(filters.looked_at, has))
        ranked = filters.reordered(others)
        return chosen + self._choose(ranked, filters, k - len(chosen), looked_at=looked_at)

    def _reasons(self, items: list[str], found: Found, described: Described | None) -> list[list[Reason]]:
        most, index = self._settings.max_reasons, self._views.sessions()
        reasons = found.evidence.reasons(items, max_reasons=most)
        if index is None or described is None or not described.by_sessions:
            return reasons
        numbers = self.lists.numbers
        proposed = numbers.places_if(numbers.of(items), described.numbers[: described.by_sessions]) >= 0
        told = session_reasons(
            index, [item for item, by in zip(items, proposed.tolist(), strict=True) if by], found
        )
        return [
            ([told[item], *why][:most] if item in told else why)
            for item, why in zip(items, reasons, strict=True)
        ]

    def _with_rules(
        self, reasons: list[list[Reason]], items: list[str], filters: Filters, pinned: Mapping[str, str]
    ) -> list[list[Reason]]:
        """Add the rule that put an item forward, behind its own reasons, which it replaces at the end."""
        most = self._settings.max_reasons
        told: list[list[Reason]] = []
        for item, why in zip(items, reasons, strict=True):
            name = pinned.get(item) or filters.rules.lifting(item, self._views.item(item))
            own = why if name is None else why[: max(1, most - 1)]
            told.append(own if name is None else [*own, {"source": "business", "rule": name}][:most])
        return told

    def _choose(
        self, best_first: Iterable[tuple[str, float]], filters: Filters, k: int, *, looked_at: int = 0
    ) -> list[tuple[str, float]]:
        """Take the best k that the filters admit, and no more looked-at items than there are places."""
        chosen: list[tuple[str, float]] = []
        places = self._settings.max_recent - looked_at
        for item, score in best_first:
            if len(chosen) == k:
                break
            if not filters.admit(item):
                continue
            if filters.looked_at(item):
                if places <= 0:
                    continue
                places -= 1
            chosen.append((item, score))
        return chosen
