"""Content as a source of lists: items like those of a customer, whether or not anybody acted on them yet."""

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from online_models.content_index import Content, ContentIndex, Like, stacked
from online_models.evidence import Amounts, ItemNumbers, Numbers, Renumbered, best_first
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
    >>> numbers, row = ItemNumbers(), HistoryRow({"tea": ItemMark(WEIGHT_ONE, 0)})
    >>> block = source.block(row, newest_traces(row, now=0, history_items=5, half_life_s=60), numbers)
    >>> [numbers.names[number] for number in block.numbers], block.reason(0)["attributes"]
    (['mate'], ['category:drinks'])
    """

    def __init__(self, views: Views, settings: Settings) -> None:
        self._views, self._settings = views, settings.content
        self._half_life_s = settings.recommend.recency_half_life_s
        self._weight = settings.recommend.content_weight
        self._young: dict[str, tuple[ItemFacts, Content]] = {}
        self._old: dict[str, tuple[ItemFacts, Content]] = {}
        self._renumbered: Renumbered | None = None

    def block(
        self, history: HistoryRow | None, traces: Sequence[Trace], numbers: ItemNumbers
    ) -> "ContentBlock | None":
        """Return the items most like those of a history, without these; None if there are none.

        Parameters
        ----------
        history : HistoryRow or None
            Whose items they are.
        traces : sequence of Trace
            Its newest items, newest first; `asked` of them are looked at.
        numbers : ItemNumbers
            Numbers the items.
        """
        index = self._index() if history is not None else None
        if index is None or history is None:
            return None
        profile = Profile(self, index, traces[: self.asked])
        best = profile.best(without=history.items.keys(), most=self._settings.candidates)
        if not len(best.rows):
            return None
        known = self._renumbered
        if known is None or known.index is not profile.index or known.numbers is not numbers:
            known = self._renumbered = Renumbered(profile.index, numbers)
        return ContentBlock(numbers, known.of(best.rows), profile, best.similarities)

    def profile(self, history: HistoryRow | None, now: int) -> "Profile | None":
        """Return what the newest items of a history are like; None where nobody asks or nothing is known."""
        index = self._index() if history is not None else None
        if index is None:
            return None
        traces = newest_traces(history, now=now, history_items=self.asked, half_life_s=self._half_life_s)
        return Profile(self, index, traces)

    @property
    def asked(self) -> int:
        """How many of the newest items of a history are looked at."""
        return self._settings.profile_items

    def _index(self) -> ContentIndex | None:
        """Return what tells which items are alike; None where nobody asks or nothing is known."""
        index = self._views.content() if self._weight else None
        return index if index is not None and len(index) else None

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
        self._source, self.index = source, index
        known = [(trace, content) for trace in traces if (content := source.content(trace.item)) is not None]
        self._items = [trace.item for trace, _ in known]
        self._contents = [content for _, content in known]
        self._strengths = [trace.strength for trace, _ in known]
        self._vectors = stacked(self._contents)

    def like(self, *, without: Collection[str], most: int) -> list[tuple[str, float]]:
        """Return the items most like the profile and how similar they are, best first, ties by id.

        `without` some of them, and at most so many.
        """
        found = self.best(without=without, most=most)
        names = [self.index.names[row] for row in found.rows.tolist()]
        return best_first(names, found.similarities.astype(np.float64))

    def best(self, *, without: Collection[str], most: int) -> Like:
        """Return the items that `like` does, in no order, by their rows of the index."""
        index = self.index
        found = index.like(self._vectors, self._strengths, without=index.rows(without))
        kept = np.flatnonzero(found.similarities > 0)
        if len(kept) > most:
            similarities = found.similarities[kept]
            least = np.partition(similarities, len(kept) - most)[len(kept) - most]
            above, equal = kept[similarities > least], kept[similarities == least]
            if len(above) + len(equal) > most:
                rows = found.rows[equal].tolist()
                order = sorted(range(len(rows)), key=lambda n: index.names[rows[n]])
                equal = equal[order[: most - len(above)]]
            kept = np.concatenate([above, equal])
        return Like(found.rows[kept], found.similarities[kept])

    def reason(self, item: str) -> Reason:
        """Return which of the items one is like most, and what they have in common, the rarest first."""
        content = self._source.content(item)
        if content is None:
            # It was withdrawn from the catalogue a moment ago.
            return {"source": "content", "item_id": self._items[0], "similarity": 0.0, "attributes": []}
        alike = self.index.similarities(content, self._vectors)
        place = int(alike.argmax())
        mine = self._contents[place].attributes
        shared = {name: about for name, about in content.attributes.items() if name in mine}
        told = self.index.rarest(shared)[:_TOLD]
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
    names : ItemNumbers
        Has numbered the items.
    numbers : array of int
        The items.
    profile : Profile
        Gives the reasons.
    similarities : array
        How similar they are.
    """

    __slots__ = ("_names", "_profile", "amounts", "numbers", "sources")

    def __init__(
        self, names: ItemNumbers, numbers: Numbers, profile: Profile, similarities: NDArray[np.float32]
    ) -> None:
        self._names, self._profile, self.numbers = names, profile, numbers
        self.amounts: Amounts = similarities.astype(np.float64)
        self.sources: Numbers = np.full(len(numbers), CONTENT, dtype=np.intp)

    def reason(self, n: int) -> Reason:
        return self._profile.reason(self._names.names[self.numbers[n]])
