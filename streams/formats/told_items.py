"""What a reader has already told of items, so that an item message goes out only when it says something new.

Bounded: the item that was not looked at for longest is forgotten, and told again if it comes back.
"""

from collections import OrderedDict
from typing import Final, Generic, TypeVar

MAX_TOLD_ITEMS: Final = 200_000

Attributes = TypeVar("Attributes")
Position = tuple[int, int]
"""Where a record sorts: its time and its line."""


class ToldItems(Generic[Attributes]):
    """The last attributes that were told of each item, and the earliest position they were told for.

    Parameters
    ----------
    max_items
        Items remembered at a time.
    """

    def __init__(self, max_items: int = MAX_TOLD_ITEMS) -> None:
        self._max_items = max_items
        self._told: OrderedDict[str, tuple[Attributes, Position]] = OrderedDict()

    def last(self, item_id: str) -> Attributes | None:
        """Return what was told last, None for an item that is not remembered."""
        told = self._told.get(item_id)
        return told[0] if told else None

    def is_news(self, item_id: str, attributes: Attributes, position: Position) -> bool:
        """Remember attributes; tell whether they differ, or are needed at an earlier position than so far.

        In a file out of time order, the first row of an item is not its first event: an earlier one needs
        a message of its own to stand before it once the file is sorted.
        """
        told = self._told.get(item_id)
        is_news = told is None or told[0] != attributes or position < told[1]
        if is_news:
            self._told[item_id] = (attributes, position if told is None else min(position, told[1]))
        self._told.move_to_end(item_id)
        if len(self._told) > self._max_items:
            self._told.popitem(last=False)
        return is_news
