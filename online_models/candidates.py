"""Candidates of an answer: which sources are asked for a customer, and how much each of them weighs.

Filters, score and order are elsewhere: every item that any source names is a candidate here.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from online_models.evidence import Block, Evidence
from online_models.protocols import Views
from online_models.published import PublishedBlocks
from online_models.sources import PopularBlock, RecentBlock
from online_models.traces import Trace
from schemas.settings import RecommendSettings

ALL_SCOPE: Final = "all"
CATEGORIES: Final = 3
"""The customer's newest categories whose popular items are candidates."""


class Candidates:
    """The blocks that speak for a customer, each with its factor.

    Parameters
    ----------
    views : Views
        What the other stages published.
    published : PublishedBlocks
        Blocks of these views.
    settings : RecommendSettings
        Weight of each source.
    traces : sequence of Trace
        The customer's newest items, newest first.
    now : int
        The moment of the question (epoch ms).
    segment : (str, sequence of (str, float)) or None
        The customer's segment and its popular items, best first.
    more : sequence of (float, Block)
        Further blocks with their weights.
    category : str
        The category that is asked for, whose popular items are candidates too; "" for none.

    Notes
    -----
    An item's evidence is the sum of weight * x over everything that speaks for it, x in [0, 1]: strength of
    the trace * similarity (or a rule's confidence) * significance of its count; strength of the trace, for an
    item looked at and not bought; value / largest value of the scope, for popular items, and in a category
    times the strength of the newest trace in it; what further blocks say, as they document it.

    Examples
    --------
    >>> from online_models.memory_views import MemoryViews
    >>> views, settings = MemoryViews(popular={"all": [("tea", 8.0), ("cup", 2.0)]}), RecommendSettings()
    >>> published = PublishedBlocks(views, settings)
    >>> candidates = Candidates(views, published, settings, [], now=0, segment=None)
    >>> best = candidates.evidence().best_first()
    >>> list(best) == [("tea", settings.popularity_weight), ("cup", settings.popularity_weight / 4)]
    True
    """

    def __init__(
        self,
        views: Views,
        published: PublishedBlocks,
        settings: RecommendSettings,
        traces: Sequence[Trace],
        *,
        now: int,
        segment: tuple[str, Sequence[tuple[str, float]]] | None,
        more: Sequence[tuple[float, Block]] = (),
        category: str = "",
    ) -> None:
        self._views, self._published, self._settings = views, published, settings
        self._traces, self._asked = traces, {ALL_SCOPE}
        self._blocks: list[tuple[float, Block]] = list(more)
        for trace in traces:
            partners = published.partners(trace.item)
            if partners is not None:
                self._blocks.append((trace.strength, partners))
        if settings.recent_weight:
            self._blocks.append((settings.recent_weight, RecentBlock(published.numbers, traces, now=now)))
        self._add_popular(segment)
        if category:
            self._add_wanted(f"category:{category}")

    def evidence(self) -> Evidence:
        """Add up all blocks."""
        return Evidence(self._published.numbers, self._blocks)

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
        candidates = self.evidence().items()
        known = set(candidates)
        waiting = list(dict.fromkeys([*(trace.item for trace in self._traces), *candidates]))
        for item in waiting:
            for scope, found in self._unasked(item):
                new = [(name, value) for name, value in found if name not in known]
                # Scopes are published one by one: an older leader of all may have less than one of these.
                largest = max((leaders or found)[0][1], found[0][1]) if found else 0.0
                block = PopularBlock(self._published.numbers, scope, new, largest=largest)
                self._blocks.append((self._settings.popularity_weight, block))
                names = [name for name, _ in new]
                known.update(names)
                # The categories of what was found now are asked too, in their turn.
                waiting += names
                missing -= sum(map(counts, names))
                if missing <= 0:
                    return

    def _add_popular(self, segment: tuple[str, Sequence[tuple[str, float]]] | None) -> None:
        settings, popular = self._settings, self._published.popular
        # The leaders are candidates at a weight of 0 too: they fill a list that would be too short.
        self._blocks.append((settings.popularity_weight, popular(ALL_SCOPE, self._views.popular(ALL_SCOPE))))
        if segment is not None and settings.segment_weight:
            name, leaders = segment
            self._blocks.append((settings.segment_weight, popular(f"segment:{name}", leaders)))
        if not settings.category_weight:
            return
        for trace in self._traces:
            for scope, found in self._unasked(trace.item):
                self._blocks.append((settings.category_weight * trace.strength, popular(scope, found)))
                if len(self._asked) > CATEGORIES:
                    return

    def _add_wanted(self, scope: str) -> None:
        if scope not in self._asked:
            self._asked.add(scope)
            block = self._published.popular(scope, self._views.popular(scope))
            self._blocks.append((self._settings.popularity_weight, block))

    def _unasked(self, item: str) -> Iterator[tuple[str, Sequence[tuple[str, float]]]]:
        facts = self._views.item(item)
        for category in facts.categories if facts is not None else ():
            scope = f"category:{category}"
            if scope not in self._asked:
                self._asked.add(scope)
                yield scope, self._views.popular(scope)
