"""Content alone, as it is evaluated: whoever asks gets the items most like those they acted on."""

from typing import Final

import msgspec

from online_models.content import ContentSource, content_index
from online_models.evaluation.contract import Query
from online_models.memory_views import MemoryViews
from schemas.messages import Event, ItemFacts
from schemas.settings import Settings

MAX_ITEMS: Final = 1_000_000


class ContentContender:
    """Ranks items by how like the profile of a history they are.

    What it knows of an item is its row of the catalogue alone; events teach it nothing, they only change
    histories.

    Parameters
    ----------
    settings : Settings
        Section `content`, and the half-life of an action.

    Examples
    --------
    >>> from schemas.messages import WEIGHT_ONE
    >>> from schemas.state import HistoryRow, ItemMark
    >>> model = ContentContender(Settings())
    >>> for item, category in (("tea", "drinks"), ("cup", "dishes"), ("mate", "drinks")):
    ...     model.learn_item(ItemFacts(item, None, [category], None, None, [], True, 0))
    >>> row = HistoryRow({"tea": ItemMark(WEIGHT_ONE, 0)})
    >>> query = Query(key="u:a", now=0, k=9, history=row, exclude=frozenset({"tea"}))
    >>> [item for item, _ in model.rank(query)]
    ['mate']
    """

    def __init__(self, settings: Settings) -> None:
        lists = msgspec.structs.replace(settings.recommend, enabled=True, content_weight=1.0)
        settings = msgspec.structs.replace(settings, recommend=lists)
        self._views = MemoryViews(content=content_index(settings))
        self._source = ContentSource(self._views, settings)

    def learn_one(self, x: Event) -> None:
        """Nothing is learned of events."""

    def learn_item(self, x: ItemFacts) -> None:
        """Learn a row of the catalogue."""
        known = self._views.item_rows
        if x.item in known or len(known) < MAX_ITEMS:
            known[x.item] = x
            if self._views.content_index is not None:
                self._views.content_index.learn_one(x)

    def rank(self, query: Query) -> list[tuple[str, float]]:
        profile = self._source.profile(query.history, query.now)
        return [] if profile is None else profile.like(without=query.exclude, most=query.k)
