"""`retailrocket`: views, carts and transactions of visitors, one row per item.

The rows of one transactionid become one purchase at the time of the last; prices are not in the file.
"""

from collections.abc import Iterator
from typing import Final

from schemas.events import Browse, OrderLine
from streams.formats.entries import Entry, FileRecord, browse_record
from streams.formats.orders import OpenOrders, Order
from streams.formats.source import Source
from streams.formats.table import Values, converted_rows
from streams.formats.values import milliseconds

_ACTIONS: Final = {"view": "view", "addtocart": "cart"}


def read_retailrocket(source: Source) -> Iterator[Entry]:
    """Yield browses as they come and each purchase once no more rows of it are expected."""
    orders = OpenOrders("rr", distinct_items=True)

    def convert(line: int, values: Values) -> list[FileRecord]:
        timestamp, visitor, event, item, transaction = values
        at = milliseconds(timestamp, "timestamp")
        if event == "transaction":
            return _bought(orders, Order(transaction, line, at, visitor), item)
        action = _ACTIONS.get(event)
        if action is None:
            raise ValueError(f"event is {event[:80]!r}, expected view, addtocart or transaction")
        browse = Browse(event_id=f"rr-{line}", user_id=visitor, item_id=item, action=action, at=at)
        return [browse_record(browse, at, line)]

    yield from converted_rows(source, "retailrocket", convert)
    yield from orders.rest()


def _bought(orders: OpenOrders, row: Order, item: str) -> list[FileRecord]:
    if not row.order_id:
        raise ValueError("transactionid is empty in a transaction")
    order = orders.opened(row)
    order.at = max(order.at, row.at)
    return orders.add(order, OrderLine(item, 1, 0.0))
