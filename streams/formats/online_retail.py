"""`online-retail`: the lines of invoices; one invoice is one purchase at the time of its first line.

Cancelled invoices, and lines without a positive quantity or with a negative price, are skipped and counted.
"""

from collections.abc import Iterator

from schemas.events import Item, OrderLine
from streams.formats.entries import Entry, FileRecord, item_record
from streams.formats.orders import OpenOrders, Order
from streams.formats.source import Source
from streams.formats.table import Values, converted_rows
from streams.formats.told_items import ToldItems
from streams.formats.values import date_and_time, number, whole_number


def read_online_retail(source: Source) -> Iterator[Entry]:
    """Yield an item message before the first purchase of each item, and the purchases."""
    orders = OpenOrders("or")
    told: ToldItems[str] = ToldItems()

    def convert(line: int, values: Values) -> list[FileRecord]:
        invoice, item, quantity_text, date, price_text, customer, description = values
        if invoice.startswith("C"):
            source.skipped["cancelled"] += 1
            return []
        at = date_and_time(date, "InvoiceDate")
        quantity = whole_number(quantity_text, "Quantity")
        price = number(price_text, "UnitPrice")
        if quantity <= 0 or price < 0:
            source.skipped["quantity_not_positive" if quantity <= 0 else "negative_price"] += 1
            return []
        order = orders.opened(Order(invoice, line, at, customer.removesuffix(".0") or None))
        records = orders.add(order, OrderLine(item, quantity, price))
        title = told.last(item) or description.strip()
        if told.is_news(item, title, (order.at, order.line)):
            message = Item(item_id=item, title=title or None, at=order.at)
            records.insert(0, item_record(message, order.at, order.line))
        return records

    yield from converted_rows(source, "online-retail", convert)
    yield from orders.rest()
