"""Candidates of one answer: evidence from every source added up per item, and the reasons behind it.

Filters, score and order are elsewhere: every item that any source names is a candidate here.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from schemas.messages import SegmentTop
from schemas.recommendations import Reason
from schemas.settings import RecommendSettings

from online_models.partners import Partners, PreparedRow
from online_models.protocols import Views
from online_models.traces import Trace

ALL_SCOPE: Final = "all"
CATEGORIES: Final = 3
"""The customer's newest categories whose popular items are candidates."""


class _Popular(msgspec.Struct, frozen=True):
    """The popular items of one scope: evidence is `factor` times the value."""

    scope: str
    factor: float
    values: dict[str, float]


class Candidates:
    """Evidence for each item that a source names, in the order in which the sources are asked.

    Parameters
    ----------
    views : Views
        What the other stages published.
    partners : Partners
        Prepared neighbours of items.
    settings : RecommendSettings
        Weight of each source.
    traces : sequence of Trace
        The customer's newest items, newest first.
    now : int
        The moment of the question (epoch ms).
    segment : (str, SegmentTop) or None
        The customer's segment and its popular items.

    Notes
    -----
    An item's evidence is the sum of weight * x over everything that speaks for it, x in [0, 1]:
    strength of the trace * similarity (or a rule's confidence) * significance of its count; strength of the
    trace, for an item looked at and not bought; value / largest value of the scope, for popular items,
    in a category times the strength of the newest trace in it.

    Examples
    --------
    >>> from online_models.memory_views import MemoryViews
    >>> views, settings = MemoryViews(popular={"all": [("tea", 8.0), ("cup", 2.0)]}), RecommendSettings()
    >>> candidates = Candidates(views, Partners(views, settings), settings, [], now=0, segment=None)
    >>> candidates.evidence == {"tea": settings.popularity_weight, "cup": settings.popularity_weight / 4}
    True
    >>> candidates.reasons("cup")
    [{'source': 'popularity', 'scope': 'all', 'value': 2.0}]
    """

    def __init__(
        self,
        views: Views,
        partners: Partners,
        settings: RecommendSettings,
        traces: Sequence[Trace],
        *,
        now: int,
        segment: tuple[str, SegmentTop] | None,
    ) -> None:
        self._views, self._settings, self._now = views, settings, now
        self._traces = {trace.item: trace for trace in traces}
        self.evidence: dict[str, float] = {}
        self._rows: list[tuple[float, PreparedRow]] = []
        self._popular: list[_Popular] = []
        self._asked: set[str] = {ALL_SCOPE}
        self._add_partners(partners)
        self._add_recent()
        self._add_popular(segment)

    def reasons(self, item: str) -> list[Reason]:
        """Return the reasons for `item`, strongest first, at most `recommend.max_reasons`."""
        found = [
            reason
            for strength, row in self._rows
            if item in row.evidence
            for reason in row.reasons(item, strength)
        ]
        trace = self._traces.get(item)
        if trace is not None and not trace.had and self._settings.recent_weight:
            seconds = max(0, self._now - trace.at) // 1000
            reason: Reason = {"source": "recent", "item_id": item, "seconds_ago": seconds}
            found.append((self._settings.recent_weight * trace.strength, reason))
        for popular in self._popular:
            value = popular.values.get(item)
            if value is not None:
                reason = {"source": "popularity", "scope": popular.scope, "value": value}
                found.append((popular.factor * value, reason))
        found.sort(key=lambda pair: -pair[0])
        return [reason for _, reason in found[: self._settings.max_reasons]]

    def widen(self, counts: Callable[[str], bool], *, missing: int) -> None:
        """Add what is popular in the categories of any candidate, until enough new ones count.

        Such an item has the evidence that it would have as one of the popular items of the whole shop.

        Parameters
        ----------
        counts : callable
            Whether a new candidate can take a place.
        missing : int
            Places to be taken.
        """
        leaders = self._views.popular(ALL_SCOPE)
        waiting = [*self._traces, *self.evidence]
        for item in waiting:
            for scope, found in self._unasked(item):
                new = {name: value for name, value in found if name not in self.evidence}
                factor = _per_unit(self._settings.popularity_weight, leaders or found)
                self._popular.append(_Popular(scope, factor, new))
                for name, value in new.items():
                    self.evidence[name] = factor * value
                    missing -= counts(name)
                if missing <= 0:
                    return
                waiting += new

    def _add_partners(self, partners: Partners) -> None:
        evidence = self.evidence
        known = evidence.get
        for item, _, strength, _ in self._traces.values():
            row = partners.of(item)
            if row is not None:
                self._rows.append((strength, row))
                for name, amount in row.evidence.items():
                    evidence[name] = known(name, 0.0) + strength * amount

    def _add_recent(self) -> None:
        weight = self._settings.recent_weight
        for trace in self._traces.values():
            if weight and not trace.had:
                self.evidence[trace.item] = self.evidence.get(trace.item, 0.0) + weight * trace.strength

    def _add_popular(self, segment: tuple[str, SegmentTop] | None) -> None:
        settings = self._settings
        self._add_scope(ALL_SCOPE, self._views.popular(ALL_SCOPE), settings.popularity_weight)
        if segment is not None and settings.segment_weight:
            name, top = segment
            self._add_scope(f"segment:{name}", top.top_items, settings.segment_weight)
        if settings.category_weight:
            for trace in self._traces.values():
                for scope, found in self._unasked(trace.item):
                    self._add_scope(scope, found, settings.category_weight * trace.strength)
                    if len(self._asked) > CATEGORIES:
                        return

    def _unasked(self, item: str) -> Iterator[tuple[str, Sequence[tuple[str, float]]]]:
        facts = self._views.item(item)
        for category in facts.categories if facts is not None else ():
            scope = f"category:{category}"
            if scope not in self._asked:
                self._asked.add(scope)
                yield scope, self._views.popular(scope)

    def _add_scope(self, scope: str, found: Sequence[tuple[str, float]], weight: float) -> None:
        factor = _per_unit(weight, found)
        self._popular.append(_Popular(scope, factor, dict(found)))
        evidence = self.evidence
        known = evidence.get
        for item, value in found:
            evidence[item] = known(item, 0.0) + factor * value


def _per_unit(weight: float, found: Sequence[tuple[str, float]]) -> float:
    """Evidence per unit of popularity, so that the first of `found` has the whole weight."""
    return weight / found[0][1] if found and found[0][1] > 0 else 0.0
