"""`retailrocket`: browses as they come, one purchase per transactionid."""

from pathlib import Path

from streams.formats import UnreadableLine
from tests.streams.formats.reading import message, read

HEADER = "timestamp,visitorid,event,itemid,transactionid\n"


def test_views_and_carts_are_browses(tmp_path: Path) -> None:
    records, unreadable = read(tmp_path, "retailrocket", HEADER + "7,u1,view,i1,\n8,u1,addtocart,i2,\n")
    assert [(record.topic, record.key, record.at, record.line) for record in records] == [
        ("browses", "u1", 7, 2),
        ("browses", "u1", 8, 3),
    ]
    assert [message(record) for record in records] == [
        {"type": "browse", "event_id": "rr-2", "user_id": "u1", "item_id": "i1", "action": "view", "at": 7},
        {"type": "browse", "event_id": "rr-3", "user_id": "u1", "item_id": "i2", "action": "cart", "at": 8},
    ]
    assert unreadable == []


def test_the_rows_of_a_transaction_are_one_purchase_of_distinct_items_at_the_last_time(
    tmp_path: Path,
) -> None:
    rows = "7,u1,transaction,i1,t1\n8,u2,view,i1,\n9,u1,transaction,i2,t1\n8,u1,transaction,i1,t1\n"
    (_, purchase), unreadable = read(tmp_path, "retailrocket", HEADER + rows)
    assert (purchase.topic, purchase.key, purchase.at, purchase.line) == ("purchases", "u1", 9, 2)
    assert message(purchase) == {
        "type": "purchase",
        "event_id": "rr-2",
        "user_id": "u1",
        "order_id": "t1",
        "at": 9,
        "lines": [
            {"item_id": "i1", "quantity": 1, "unit_price": 0.0},
            {"item_id": "i2", "quantity": 1, "unit_price": 0.0},
        ],
    }
    assert unreadable == []


def test_bad_rows_say_what_is_wrong(tmp_path: Path) -> None:
    rows = "x,u1,view,i1,\n7,u1,like,i1,\n7,u1,transaction,i1,\n7,,view,i1,\n"
    records, unreadable = read(tmp_path, "retailrocket", HEADER + rows)
    assert records == []
    assert unreadable == [
        UnreadableLine(2, "bad_value", "timestamp is 'x', expected epoch milliseconds"),
        UnreadableLine(3, "bad_value", "event is 'like', expected view, addtocart or transaction"),
        UnreadableLine(4, "bad_value", "transactionid is empty in a transaction"),
        UnreadableLine(5, "missing_field", "visitorid is empty"),
    ]
