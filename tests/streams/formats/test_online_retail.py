"""`online-retail`: one purchase per invoice, titles first, cancellations counted."""

from pathlib import Path

from streams.formats import FileReader, UnreadableLine
from tests.streams.formats.reading import message, read, written

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
NOON = 1_577_880_000_000


def row(
    invoice: str,
    item: str,
    quantity: str = "1",
    *,
    title: str = "A THING",
    price: str = "2.5",
    customer: str = "7.0",
) -> str:
    return f"{invoice},{item},{title},{quantity},2020-01-01 12:00:00,{price},{customer},Here\n"


def test_an_invoice_is_one_purchase_and_its_items_are_told_first(tmp_path: Path) -> None:
    rows = row("1", "i1", "6") + row("1", "i2", title=" B ") + row("2", "i1") + row("1", "i1", "2", price="2")
    records, unreadable = read(tmp_path, "online-retail", HEADER + rows)
    assert [(record.topic, record.key, record.at, record.line) for record in records] == [
        ("items", "i1", NOON, 2),
        ("items", "i2", NOON, 2),
        ("purchases", "7", NOON, 4),
        ("purchases", "7", NOON, 2),
    ]
    assert message(records[1]) == {"type": "item", "item_id": "i2", "title": "B", "at": NOON}
    assert message(records[3]) == {
        "type": "purchase",
        "event_id": "or-2",
        "user_id": "7",
        "order_id": "1",
        "at": NOON,
        "lines": [
            {"item_id": "i1", "quantity": 6, "unit_price": 2.5},
            {"item_id": "i2", "quantity": 1, "unit_price": 2.5},
            {"item_id": "i1", "quantity": 2, "unit_price": 2.0},
        ],
    }
    assert unreadable == []


def test_an_invoice_without_a_customer_is_a_guest_s(tmp_path: Path) -> None:
    (_, purchase), _ = read(tmp_path, "online-retail", HEADER + row("1", "i1", customer=""))
    assert purchase.key == "1"
    assert "user_id" not in message(purchase)


def test_a_title_that_comes_later_is_told_once_and_the_first_one_stays(tmp_path: Path) -> None:
    rows = (
        row("1", "i1", title="")
        + row("2", "i1", title="B")
        + row("3", "i1", title="C")
        + row("4", "i1", title="")
    )
    records, _ = read(tmp_path, "online-retail", HEADER + rows)
    assert [message(record).get("title") for record in records if record.topic == "items"] == [None, "B"]


def test_cancellations_and_corrections_are_skipped_and_counted(tmp_path: Path) -> None:
    rows = (
        row("C1", "i1", "-6")
        + row("C1", "i2", "x")
        + row("2", "i1", "-1")
        + row("A3", "B", price="-11062.06")
    )
    reader = FileReader(
        written(tmp_path, HEADER + rows + row("4", "i4", "0") + row("5", "i5")), "online-retail"
    )
    assert len(list(reader)) == 2
    assert reader.skipped == {"cancelled": 2, "quantity_not_positive": 2, "negative_price": 1}


def test_the_time_of_a_purchase_is_that_of_its_first_row(tmp_path: Path) -> None:
    rows = row("1", "i1") + row("1", "i2").replace("12:00", "12:01")
    records, _ = read(tmp_path, "online-retail", HEADER + rows)
    assert [record.at for record in records] == [NOON, NOON, NOON]


def test_bad_rows_say_what_is_wrong(tmp_path: Path) -> None:
    rows = row("1", "i1", "six") + row("1", "i1", price="") + row("1", "i1", price="nan") + row("", "i1")
    records, unreadable = read(
        tmp_path, "online-retail", HEADER + rows + row("1", "i1").replace("-01-", "-13-")
    )
    assert records == []
    assert unreadable == [
        UnreadableLine(2, "bad_value", "Quantity is 'six', expected a number"),
        UnreadableLine(3, "missing_field", "UnitPrice is empty"),
        UnreadableLine(4, "bad_value", "UnitPrice is 'nan', expected a number"),
        UnreadableLine(5, "missing_field", "InvoiceNo is empty"),
        UnreadableLine(6, "bad_value", "InvoiceDate is '2020-13-01 12:00:00', expected YYYY-MM-DD HH:MM:SS"),
    ]
