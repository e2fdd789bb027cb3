"""Items by the words of their titles and the beginnings of their ids, for so many of the catalogue."""

from collections.abc import Iterator
from typing import Final

import msgspec

from schemas.messages import ItemFacts

MOST_FOUND: Final = 20
_decode = msgspec.msgpack.Decoder(ItemFacts).decode


class ItemWords:
    """A line of text for each item, newest last; the oldest goes when there are too many.

    A search reads them all: 50,000 take some milliseconds.

    Parameters
    ----------
    most : int
        How many items are held.

    Examples
    --------
    >>> words = ItemWords(100)
    >>> words.learn("t1", msgspec.msgpack.encode(ItemFacts("t1", "Green Tea", [], None, None, [], True, 0)))
    >>> words.find("te GREEN"), words.find("T1"), words.find("ea")
    (['t1'], ['t1'], [])
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lines: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def learn(self, item: str, value: bytes | None) -> None:
        """Take a row of the catalogue as it arrives; None withdraws it."""
        self._lines.pop(item, None)
        if value is None or not self._most:
            return
        if len(self._lines) >= self._most:
            del self._lines[next(iter(self._lines))]
        self._lines[item] = _line(item, _decode(value).title)

    def find(self, text: str) -> list[str]:
        """Return items of which each word of a text begins a word, or the id; the newest first."""
        wanted = [f" {word}" for word in text.casefold().split()]
        return list(self._found(wanted)) if wanted else []

    def _found(self, wanted: list[str]) -> Iterator[str]:
        first, *others = wanted
        found = 0
        for item, line in reversed(self._lines.items()):
            if first in line and all(word in line for word in others):
                yield item
                found += 1
                if found == MOST_FOUND:
                    return


def _line(item: str, title: str | None) -> str:
    return f" {' '.join(item.split())} {' '.join((title or '').split())}".casefold()
