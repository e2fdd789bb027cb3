"""What the steps would have published by now, made when it is asked for and no more often than online."""

from collections.abc import Iterable, Sequence

import msgspec

from online_models import publishing
from online_models.business_rules import NO_RULES, BusinessRules
from online_models.clusters import ClustersStep
from online_models.content import content_index
from online_models.content_index import ContentIndex
from online_models.evaluation.plain_store import PlainStore
from online_models.history import TOTALS_KEY
from online_models.pair_table import name_id, name_key
from online_models.popularity import PopularityStep, merge
from online_models.publishing import ItemPublisher
from online_models.ranker_step import RankerStep
from online_models.session_index import SessionIndex
from schemas.messages import Centroids, ItemCounts, ItemFacts, Neighbours, RankerWeights, Totals
from schemas.settings import Settings
from schemas.state import RuleRow, TotalsRow


class _Published(msgspec.Struct):
    """A row of neighbours, and how often its counts had changed by then."""

    updates: int
    row: Neighbours


class _Leaders(msgspec.Struct):
    """The leaders of a scope, and when they were published (epoch ms)."""

    at: int
    items: Sequence[tuple[str, float]]


class FreshViews:
    """Views of steps in the same process.

    Parameters
    ----------
    rows : PlainStore of RuleRow
        Of the rules step.
    names : PlainStore of str
        Of the rules step: ids of items by key.
    totals : PlainStore of TotalsRow
        Of the history step.
    popularity : PopularityStep
        Leaders of scopes.
    clusters : ClustersStep
        The clustering.
    ranker : RankerStep
        The ranker of lists.
    sessions : SessionIndex or None
        The newest sessions.
    settings : Settings
        What is published, and when again: a row of neighbours once its counts grew by
        `rules.republish_growth`, leaders, centres and the ranker at most once per `publish_interval_ms`
        of event time.
    """

    def __init__(
        self,
        rows: PlainStore[RuleRow],
        names: PlainStore[str],
        totals: PlainStore[TotalsRow],
        popularity: PopularityStep,
        clusters: ClustersStep,
        ranker: RankerStep,
        sessions: SessionIndex | None,
        settings: Settings,
    ) -> None:
        self._rows, self._names, self._total_rows = rows, names, totals
        self._popularity, self._clusters, self._settings = popularity, clusters, settings
        self._published: dict[str, _Published] = {}
        self._counts: dict[int, ItemCounts] = {}
        self._leaders: dict[str, _Leaders] = {}
        self._changed_scopes: set[str] = set()
        self._items: dict[str, ItemFacts] = {}
        self._content = content_index(settings)
        self._centroids: Centroids | None = None
        self._centroids_at: int | None = None
        self._clusters_changed = False
        self._ranker, self._session_index = ranker, sessions
        self._weights: RankerWeights | None = None
        self._weights_at: int | None = None
        self._now = 0

    def advance(self, at: int) -> None:
        """Note that event time is `at` (epoch ms) by now."""
        self._now = max(self._now, at)

    def note_item(self, facts: ItemFacts) -> None:
        """Take a row of the catalogue."""
        self._items[facts.item] = facts
        if self._content is not None:
            self._content.learn_one(facts)

    def note_counts(self, items: Iterable[str]) -> None:
        """Note that the counts of these items changed."""
        for item in items:
            self._counts.pop(name_key(item), None)

    def note_scopes(self, scopes: Iterable[str]) -> None:
        """Note that the leaders of these scopes changed."""
        self._changed_scopes.update(scopes)

    def note_clusters(self) -> None:
        """Note that the clustering learned something."""
        self._clusters_changed = True

    def neighbours(self, item: str) -> Neighbours | None:
        row = self._rows.get(item)
        if row is None:
            return None
        known, rules = self._published.get(item), self._settings.rules
        if known is not None and row.updates - known.updates <= rules.republish_growth * known.updates:
            return known.row
        publisher = ItemPublisher(item, row, self._counts_of, self._totals(), self._settings)
        best = publisher.neighbours(similar=rules.neighbour_similar, rules=rules.neighbour_rules)
        self._published[item] = _Published(row.updates, best)
        return best

    def popular(self, scope: str) -> Sequence[tuple[str, float]]:
        known = self._leaders.get(scope)
        interval = self._settings.popularity.publish_interval_ms
        if known is not None and (scope not in self._changed_scopes or self._now < known.at + interval):
            return known.items
        found = self._popularity.popular(scope, 0)
        items = merge([found], 0, self._settings) if found is not None else ()
        self._changed_scopes.discard(scope)
        self._leaders[scope] = _Leaders(self._now, items)
        return items

    def centroids(self) -> Centroids | None:
        interval = self._settings.segments.publish_interval_ms
        due = self._centroids_at is None or self._now >= self._centroids_at + interval
        if self._clusters_changed and due:
            self._centroids, self._centroids_at = self._clusters.centroids(), self._now
            self._clusters_changed = False
        return self._centroids

    def item(self, item: str) -> ItemFacts | None:
        return self._items.get(item)

    def sessions(self) -> SessionIndex | None:
        return self._session_index

    def ranker(self) -> RankerWeights | None:
        interval = self._settings.ranker.publish_interval_ms
        if self._weights_at is None or self._now >= self._weights_at + interval:
            weights = self._ranker.weights()
            if weights is not None:
                self._weights, self._weights_at = weights, self._now
        return self._weights

    def content(self) -> ContentIndex | None:
        return self._content

    def business_rules(self) -> BusinessRules:
        return NO_RULES

    def _counts_of(self, keys: Sequence[int]) -> Sequence[ItemCounts | None]:
        known = self._counts
        return [known.get(key) or self._count(key) for key in keys]

    def _count(self, key: int) -> ItemCounts | None:
        item = self._names.get(name_id(key))
        row = self._rows.get(item) if item is not None else None
        if item is None or row is None:
            return None
        found = self._counts[key] = publishing.counts(item, row)
        return found

    def _totals(self) -> list[Totals]:
        row = self._total_rows.get(TOTALS_KEY)
        if row is None:
            return []
        return [Totals(0, row.epoch, (row.totals[0], row.totals[1], row.totals[2]), row.newest_at)]
