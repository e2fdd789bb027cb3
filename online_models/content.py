"""Content as a source of lists: items like those of a customer, whether or not anybody acted on them yet."""

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np

from online_models.content_index import Content, ContentIndex, Vectors, stacked
from online_models.evidence import Amounts, ItemNumbers, Numbers, best_first
from online_models.protocols import Views
from online_models.sources import CONTENT
from online_models.traces import Trace, newest_traces
from schemas.messages import ItemFacts
from schemas.recommendations import Reason
from schemas.settings import Settings
from schemas.state import HistoryRow

KEPT_CONTENTS: Final = 20_000
"""Contents of items of customers that are kept prepared, about 1 kB each."""

_TOLD: Final = 3
_DECIMALS: Final = 6


def content_index(settings: Settings) -> ContentIndex | None:
    """Return an index with the bounds of the settings; None where content says nothing.

    Examples
    --------
    >>> from schemas.settings import RecommendSettings
    >>> content_index(Settings(recommend=RecommendSettings(content_weight=0.0))) is None
    True
    """
    using, lists = settings.content, settings.recommend
    if not (using.held and lists.enabled and lists.content_weight):
        return None
    return ContentIndex(items=using.held, euclidean=using.similarity == "euclidean")


class ContentSource:
    """Finds items like those of a customer's history.

    The profile is the mean of the newest items' vectors, each weighted by the strength of its trace, in which
    newer and weightier actions count more.

    Parameters
    ----------
    views : Views
        The catalogue, and the index of its newest items.
    settings : Settings
        `content`, and how fast an item's strength halves; `recommend.content_weight` 0 asks nothing.

    Examples
    --------
    >>> from online_models.memory_views import MemoryViews
    >>> from schemas.messages import WEIGHT_ONE
    >>> from schemas.state import ItemMark
    >>> index, rows = ContentIndex(items=9), []
    >>> for item, category in (("tea", "drinks"), ("cup", "dishes"), ("mate", "drinks")):
    ...     rows.append(ItemFacts(item, None, [category], None, None, [], True, 0))
    ...     index.learn_one(rows[-1])
    >>> source = ContentSource(MemoryViews(items=rows, content=index), Settings())
    >>> numbers = ItemNumbers()
    >>> block = source.block(HistoryRow({"tea": ItemMark(WEIGHT_ONE, 0)}), 0, numbers)
    >>> [numbers.names[number] for number in block.numbers], block.reason(0)["attributes"]
    (['mate'], ['category:drinks'])
    """

    def __init__(self, views: Views, settings: Settings) -> None:
        self._views, self._settings = views, settings.content
        self._half_life_s = settings.recommend.recency_half_life_s
        self._weight = settings.recommend.content_weight
        self._young: dict[str, tuple[ItemFacts, Content]] = {}
        self._old: dict[str, tuple[ItemFacts, Content]] = {}

    def block(self, history: HistoryRow | None, now: int, numbers: ItemNumbers) -> "ContentBlock | None":
        """Return the items most like those of a history, without these; None if there are none."""
        profile = self.profile(history, now)
        if profile is None or history is None:
            return None
        best = profile.like(without=history.items.keys(), most=self._settings.candidates)
        return ContentBlock(numbers, profile, best) if best else None

    def profile(self, history: HistoryRow | None, now: int) -> "Profile | None":
        """Return what the newest items of a history are like; None where nobody asks or nothing is known."""
        index = self._views.content() if self._weight and history is not None else None
        if index is None or not len(index):
            return None
        traces = newest_traces(
            history,
            now=now,
            history_items=self._settings.profile_items,
            half_life_s=self._half_life_s,
        )
        return Profile(self, index, traces)

    def content(self, item: str) -> Content | None:
        """Return what an item is like; None for one that the catalogue doesn't have."""
        facts = self._views.item(item)
        if facts is None:
            return None
        known = self._young.get(item) or self._old.get(item)
        if known is None or known[0] is not facts:
            known = facts, Content.of(facts)
        if len(self._young) >= KEPT_CONTENTS // 2:
            self._old, self._young = self._young, {}
        self._young[item] = known
        return known[1]


class Profile:
    """What the items of a customer are like.

    Parameters
    ----------
    source : ContentSource
        Tells what items are like.
    index : ContentIndex
        Compares.
    traces : sequence of Trace
        The items; those of which nothing is known are left out.
    """

    def __init__(self, source: ContentSource, index: ContentIndex, traces: Sequence[Trace]) -> None:
        self._source, self._index = source, index
        known = [(trace, content) for trace in traces if (content := source.content(trace.item)) is not None]
        self._items = [trace.item for trace, _ in known]
        self._contents = [content for _, content in known]
        self._strengths = [trace.strength for trace, _ in known]
        self._vectors: Vectors | None = None

    def like(self, *, without: Collection[str], most: int) -> list[tuple[str, float]]:
        """Return the items most like the profile and how similar they are, best first, ties by id.

        `without` some of them, and at most so many.
        """
        index = self._index
        found = index.like(self._contents, self._strengths, without=index.rows(without))
        kept = found.similarities > 0
        rows, similarities = found.rows[kept], found.similarities[kept]
        if len(rows) > most:
            least = np.partition(similarities, len(rows) - most)[len(rows) - most]
            rows, similarities = rows[similarities >= least], similarities[similarities >= least]
        return best_first([index.names[row] for row in rows.tolist()], similarities.astype(np.float64))[:most]

    def reason(self, item: str) -> Reason:
        """Return which of the items one is like most, and what they have in common, the rarest first."""
        content = self._source.content(item)
        if content is None:
            # It was withdrawn from the catalogue a moment ago.
            return {"source": "content", "item_id": self._items[0], "similarity": 0.0, "attributes": []}
        if self._vectors is None:
            self._vectors = stacked(self._contents)
        alike = self._index.similarities(content, self._vectors)
        place = int(np.argmax(alike))
        mine = frozenset(self._contents[place].attributes)
        shared = [name for name in content.attributes if name in mine]
        told = self._index.rarest(shared)[:_TOLD]
        similarity = round(float(alike[place]), _DECIMALS)
        return {
            "source": "content",
            "item_id": self._items[place],
            "similarity": similarity,
            "attributes": told,
        }


class ContentBlock:
    """Items like a profile: the similarity, at most 1.

    Parameters
    ----------
    numbers : ItemNumbers
        Numbers the items.
    profile : Profile
        Gives the reasons.
    found : sequence of (str, float)
        Items and how similar they are.
    """

    __slots__ = ("_found", "_profile", "amounts", "numbers", "sources")

    def __init__(self, numbers: ItemNumbers, profile: Profile, found: Sequence[tuple[str, float]]) -> None:
        self._profile, self._found = profile, found
        self.numbers = numbers.of([item for item, _ in found])
        self.amounts: Amounts = np.array([similarity for _, similarity in found])
        self.sources: Numbers = np.full(len(found), CONTENT, dtype=np.intp)

    def reason(self, n: int) -> Reason:
        return self._profile.reason(self._found[n][0])
