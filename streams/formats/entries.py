"""What a reader hands on: a record for a public topic, or a line that could not be read.

Here are the shapes alone, and what turns a message into its record. Nothing is read or written.
"""

from typing import Final

import msgspec

from schemas.events import Browse, Item, Purchase, Rating

_encode: Final = msgspec.json.Encoder().encode


class FileRecord(msgspec.Struct, frozen=True, array_like=True):
    """One public message that a file holds.

    Parameters
    ----------
    topic
        Public topic without prefix: browses, purchases, ratings, items, ...
    key
        Record key as the topic wants it; empty where the message does not name one.
    value
        The JSON message, UTF-8.
    at
        Epoch milliseconds to sort by; where a message has no usable time, that of the record before it.
    line
        1-based number of the first line that the message came from. An item that an order introduces bears
        the order's line, so that it sorts before the order.
    """

    topic: str
    key: str
    value: bytes
    at: int
    line: int


class UnreadableLine(msgspec.Struct, frozen=True):
    """A line from which no message could be made: its 1-based number and why."""

    line: int
    reason: str
    detail: str


Entry = FileRecord | UnreadableLine


def browse_record(browse: Browse, at: int, line: int) -> FileRecord:
    """Return the record of a browse, keyed by its customer or else by its session."""
    return FileRecord("browses", browse.user_id or browse.session_id or "", _encode(browse), at, line)


def purchase_record(purchase: Purchase, at: int, line: int) -> FileRecord:
    """Return the record of a purchase, keyed by its customer or else by its order."""
    return FileRecord("purchases", purchase.user_id or purchase.order_id or "", _encode(purchase), at, line)


def rating_record(rating: Rating, at: int, line: int) -> FileRecord:
    """Return the record of a rating, keyed by its customer."""
    return FileRecord("ratings", rating.user_id, _encode(rating), at, line)


def item_record(item: Item, at: int, line: int) -> FileRecord:
    """Return the record of an item message, keyed by the item."""
    return FileRecord("items", item.item_id, _encode(item), at, line)
