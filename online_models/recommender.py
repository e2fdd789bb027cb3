"""The first recommender: blends similarity, rules, recent items and popularity into one list with reasons.

It reads views and a history and never writes; it has no clock and no chance in it.
"""

from collections.abc import Sequence

import numpy as np

from online_models import features, kmeans
from online_models.candidates import Candidates
from online_models.evidence import Amounts, Evidence
from online_models.filters import Filters
from online_models.protocols import Answer, Request, Views
from online_models.published import PublishedBlocks
from online_models.traces import newest_traces
from schemas.recommendations import RecommendedItem
from schemas.settings import Settings
from schemas.state import HistoryRow

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
        Section `recommend`: weights, size of a list, filters.

    Notes
    -----
    Sorted by score, ties by item id. Items that the customer looked at before take at most
    `recommend.max_recent` places. A list is shorter than asked for only when fewer items can be reached:
    partners of the newest items, what is popular overall, in the customer's segment, and in the
    categories of any of these.

    Examples
    --------
    >>> from online_models.memory_views import MemoryViews
    >>> from schemas.messages import WEIGHT_ONE, Neighbours, Neighbour
    >>> from schemas.state import ItemMark
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
        self._published = PublishedBlocks(views, settings.recommend)

    def recommend(self, request: Request) -> Answer:
        views, settings = self._views, self._settings
        self._published.bound()
        traces = newest_traces(
            request.history,
            now=request.now,
            history_items=settings.history_items,
            half_life_s=settings.recency_half_life_s,
        )
        segment = self._segment(request.history)
        candidates = Candidates(views, self._published, settings, traces, now=request.now, segment=segment)
        filters = Filters(views, request, settings)
        evidence = candidates.evidence()
        chosen = self._choose(evidence, filters, request.k)
        if len(chosen) < request.k:
            candidates.widen(filters.is_new, missing=request.k - len(chosen))
            evidence = candidates.evidence()
            chosen = self._choose(evidence, filters, request.k)
        reasons = evidence.reasons([item for item, _ in chosen], max_reasons=settings.max_reasons)
        items = [
            RecommendedItem(item, rank, score, None, why)
            for rank, ((item, score), why) in enumerate(zip(chosen, reasons, strict=True), start=1)
        ]
        return Answer(items, None if segment is None else segment[0])

    def _segment(self, history: HistoryRow | None) -> tuple[str, Sequence[tuple[str, float]]] | None:
        """Return the customer's segment and what is popular there."""
        if history is None or not history.behaviour.events:
            return None
        centroids = self._views.centroids()
        if centroids is None:
            return None
        assigned = kmeans.assign(centroids, features.vector(history.behaviour))
        if assigned is None:
            return None
        place = int(assigned[0])
        # A clustering can be published before anything is known of its segments.
        known = place < len(centroids.segments)
        return assigned[0], centroids.segments[place].top_items if known else ()

    def _choose(self, evidence: Evidence, filters: Filters, k: int) -> list[tuple[str, float]]:
        """Take the best k that the filters admit, and no more looked-at items than there are places."""
        chosen: list[tuple[str, float]] = []
        places = self._settings.max_recent
        for item, score in evidence.best_first(blend_scores):
            if len(chosen) == k:
                break
            if not filters.admit(item):
                continue
            if filters.looked_at(item):
                if not places:
                    continue
                places -= 1
            chosen.append((item, score))
        return chosen
