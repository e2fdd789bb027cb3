"""`baskets`: one basket a line, purchases of guests in the order of the lines.

There are no times in the file: line 1 is one second after the epoch, line 2 two.
"""

from collections.abc import Iterator

from schemas.events import OrderLine, Purchase
from streams.formats.entries import Entry, UnreadableLine, purchase_record
from streams.formats.source import Source


def read_baskets(source: Source) -> Iterator[Entry]:
    """Yield a purchase for each line: split at commas if it has one, else at spaces."""
    for entry in source.text_lines():
        if isinstance(entry, UnreadableLine):
            yield entry
            continue
        line, text = entry
        parts = text.split(",") if "," in text else text.split()
        items = [item for part in parts if (item := part.strip())]
        if items:
            order_id = f"basket-{line}"
            at = 1_000 * line
            lines = [OrderLine(item, 1, 0.0) for item in items]
            purchase = Purchase(event_id=order_id, order_id=order_id, at=at, lines=lines)
            yield purchase_record(purchase, at, line)
        elif parts:
            yield UnreadableLine(line, "missing_field", f"no items: {text[:200]!r}")
