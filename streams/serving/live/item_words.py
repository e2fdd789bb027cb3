"""Items by the words of their titles and the beginnings of their ids, for so many of the catalogue."""

import asyncio
from itertools import islice
from typing import Final

import msgspec

from schemas.messages import ItemFacts

MOST_FOUND: Final = 20
AT_ONCE: Final = 2_000
"""Lines that are read before others have their turn: half a millisecond."""

_decode = msgspec.msgpack.Decoder(ItemFacts).decode


class ItemWords:
    """A line of text for each item, newest last; the oldest goes when there are too many.

    A search reads them all.

    Parameters
    ----------
    most : int
        How many items are held.

    Examples
    --------
    >>> words = ItemWords(100)
    >>> words.learn("t1", msgspec.msgpack.encode(ItemFacts("t1", "Green Tea", [], None, None, [], True, 0)))
    >>> [asyncio.run(words.find(text)) for text in ("te GREEN", "T1", "ea")]
    [['t1'], ['t1'], []]
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lines: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def learn(self, item: str, value: bytes | None) -> None:
        """Take a row of the catalogue as it arrives; None, or what is no row, withdraws it."""
        self._lines.pop(item, None)
        if value is None or not self._most:
            return
        try:
            title = _decode(value).title
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return
        if len(self._lines) >= self._most:
            del self._lines[next(iter(self._lines))]
        self._lines[item] = _line(item, title)

    async def find(self, text: str) -> list[str]:
        """Return items of which each word of a text begins a word, or the id; the newest first.

        Others have their turn in between.
        """
        wanted = [f" {word}" for word in text.casefold().split()]
        if not wanted:
            return []
        first, *others = wanted
        found: list[str] = []
        lines = reversed(list(self._lines.items()))
        while (part := list(islice(lines, AT_ONCE))) and len(found) < MOST_FOUND:
            begun = [each for each in part if first in each[1]]
            found += [item for item, line in begun if all(word in line for word in others)]
            await asyncio.sleep(0)
        return found[:MOST_FOUND]


def _line(item: str, title: str | None) -> str:
    return f" {' '.join(item.split())} {' '.join((title or '').split())}".casefold()
