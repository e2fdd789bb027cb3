"""`rees46`: views, carts and purchases with category, brand and price, one row per product.

An item message precedes the first event of a product, and again when category, brand or price changed.
Purchases of one session in the same second are one order.
"""

from collections.abc import Iterator
from typing import Final

from schemas.events import Browse, Item, OrderLine
from streams.formats.entries import Entry, FileRecord, browse_record, item_record
from streams.formats.orders import OpenOrders, Order
from streams.formats.source import Source
from streams.formats.table import Values, converted_rows
from streams.formats.told_items import ToldItems
from streams.formats.values import date_and_time, number

_ACTIONS: Final = frozenset({"view", "cart"})


def read_rees46(source: Source) -> Iterator[Entry]:
    """Yield item messages and browses as they come, each purchase once it is complete."""
    orders = OpenOrders("rees46")
    told: ToldItems[tuple[str, str, str]] = ToldItems()

    def convert(line: int, values: Values) -> list[FileRecord]:
        time, event, product, user, session, category, brand, price_text = values
        if event == "remove_from_cart":
            source.skipped["remove_from_cart"] += 1
            return []
        at = date_and_time(time, "event_time")
        price = number(price_text, "price") if price_text else None
        records: list[FileRecord]
        if event == "purchase":
            order = orders.opened(Order(f"{session or user}@{at // 1_000}", line, at, user, session or None))
            records = orders.add(order, OrderLine(product, 1, price or 0.0))
            line = order.line
        elif event in _ACTIONS:
            browse = Browse(
                event_id=f"rees46-{line}",
                user_id=user,
                session_id=session or None,
                item_id=product,
                action=event,
                at=at,
            )
            records = [browse_record(browse, at, line)]
        else:
            raise ValueError(f"event_type is {event[:80]!r}, expected view, cart or purchase")
        if told.is_news(product, (category, brand, price_text), (at, line)):
            records.insert(0, item_record(_item(product, category, brand, price, at), at, line))
        return records

    yield from converted_rows(source, "rees46", convert)
    yield from orders.rest()


def _item(product: str, code: str, brand: str, price: float | None, at: int) -> Item:
    """Return the item message; its categories are the full code and the top of it."""
    categories = list(dict.fromkeys((code, code.partition(".")[0]))) if code else None
    return Item(item_id=product, categories=categories, brand=brand or None, price=price, at=at)
