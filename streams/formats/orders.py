"""Rows gathered into orders, for formats that spread one order over several rows.

Memory is bounded by the orders and the lines that are open at a time. An order that was already handed
out and goes on afterwards becomes a second purchase with the same order_id, which counts as a duplicate.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

import msgspec

from schemas.events import OrderLine, Purchase
from streams.formats.entries import FileRecord, purchase_record

MAX_OPEN_ORDERS: Final = 10_000
"""Above it, the order that waited longest for a further row is taken for complete."""

MAX_OPEN_LINES: Final = 1_000_000
"""Above it as well, so that one endless order can't fill the memory."""

MAX_LINES_OF_PURCHASE: Final = 1_000
"""Ingest refuses more; lines of the same item are merged only then."""


class Order(msgspec.Struct):
    """An order that may get further rows; `line` is where its first one stood."""

    order_id: str
    line: int
    at: int
    user_id: str | None = None
    session_id: str | None = None
    lines: list[OrderLine] = []


class OpenOrders:
    """The orders that may get further rows.

    Parameters
    ----------
    event_prefix
        What the event id of a purchase starts with; its line number follows.
    distinct_items
        Whether further lines of an item that an order has already are left out.
    max_orders
        Orders open at a time.
    max_lines
        Lines of all open orders together.
    """

    def __init__(
        self,
        event_prefix: str,
        *,
        distinct_items: bool = False,
        max_orders: int = MAX_OPEN_ORDERS,
        max_lines: int = MAX_OPEN_LINES,
    ) -> None:
        self._event_prefix = event_prefix
        self._distinct_items = distinct_items
        self._max_orders = max_orders
        self._max_lines = max_lines
        self._orders: OrderedDict[str, Order] = OrderedDict()
        self._line_count = 0

    def opened(self, first: Order) -> Order:
        """Return the open order with the id of `first`, which becomes it if there is none."""
        order = self._orders.setdefault(first.order_id, first)
        self._orders.move_to_end(order.order_id)
        return order

    def add(self, order: Order, order_line: OrderLine) -> list[FileRecord]:
        """Add a line to an open order and return the purchases that had to be closed for it."""
        order.lines.append(order_line)
        self._line_count += 1
        closed: list[FileRecord] = []
        while len(self._orders) > self._max_orders or self._line_count > self._max_lines:
            _, oldest = self._orders.popitem(last=False)
            self._line_count -= len(oldest.lines)
            closed.append(self._purchase(oldest))
        return closed

    def rest(self) -> Iterator[FileRecord]:
        """Close every open order, the one that waited longest first."""
        while self._orders:
            yield self._purchase(self._orders.popitem(last=False)[1])
        self._line_count = 0

    def _purchase(self, order: Order) -> FileRecord:
        lines = order.lines
        if self._distinct_items:
            lines = list({line.item_id: line for line in lines}.values())
        elif len(lines) > MAX_LINES_OF_PURCHASE:
            lines = merged(lines)
        purchase = Purchase(
            event_id=f"{self._event_prefix}-{order.line}",
            user_id=order.user_id,
            session_id=order.session_id,
            order_id=order.order_id,
            at=order.at,
            lines=lines,
        )
        return purchase_record(purchase, order.at, order.line)


def merged(lines: list[OrderLine]) -> list[OrderLine]:
    """Return one line per item: quantities summed, the unit price their weighted mean.

    Examples
    --------
    >>> merged([OrderLine("a", 1, 4.0), OrderLine("b", 1, 9.0), OrderLine("a", 3, 2.0)])
    [OrderLine(item_id='a', quantity=4, unit_price=2.5), OrderLine(item_id='b', quantity=1, unit_price=9.0)]
    """
    quantities: dict[str, float] = {}
    amounts: dict[str, float] = {}
    for line in lines:
        quantities[line.item_id] = quantities.get(line.item_id, 0) + line.quantity
        amounts[line.item_id] = amounts.get(line.item_id, 0.0) + line.quantity * line.unit_price
    return [OrderLine(item, quantity, amounts[item] / quantity) for item, quantity in quantities.items()]
