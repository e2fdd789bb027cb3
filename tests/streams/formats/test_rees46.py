"""`rees46`: items before the events that name them, orders by session and second."""

from pathlib import Path

from streams.formats import FileReader, FileRecord
from streams.sorting import sorted_by_time
from tests.streams.formats.reading import message, read, written

HEADER = "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session\n"
NOON = 1_577_880_000_000


def row(second: int, event: str, product: str, price: str = "2.50", session: str = "s1") -> str:
    return f"2020-01-01 12:00:{second:02} UTC,{event},{product},99,a.b.c,acme,{price},u1,{session}\n"


def test_an_item_message_precedes_the_first_event_of_a_product(tmp_path: Path) -> None:
    records, unreadable = read(tmp_path, "rees46", HEADER + row(0, "view", "i1") + row(1, "cart", "i1"))
    assert [message(record) for record in records] == [
        {
            "type": "item",
            "item_id": "i1",
            "categories": ["a.b.c", "a"],
            "brand": "acme",
            "price": 2.5,
            "at": NOON,
        },
        {
            "type": "browse",
            "event_id": "rees46-2",
            "user_id": "u1",
            "session_id": "s1",
            "item_id": "i1",
            "action": "view",
            "at": NOON,
        },
        {
            "type": "browse",
            "event_id": "rees46-3",
            "user_id": "u1",
            "session_id": "s1",
            "item_id": "i1",
            "action": "cart",
            "at": NOON + 1_000,
        },
    ]
    assert [(record.topic, record.key, record.line) for record in records] == [
        ("items", "i1", 2),
        ("browses", "u1", 2),
        ("browses", "u1", 3),
    ]
    assert unreadable == []


def test_a_changed_price_is_told_again(tmp_path: Path) -> None:
    rows = row(0, "view", "i1") + row(1, "view", "i1", "3") + row(2, "view", "i1", "3")
    records, _ = read(tmp_path, "rees46", HEADER + rows)
    assert [message(record)["price"] for record in records if record.topic == "items"] == [2.5, 3.0]


def test_attributes_that_are_empty_stay_absent(tmp_path: Path) -> None:
    content = HEADER + "2020-01-01 12:00:00 UTC,view,i1,99,,,,u1,\n"
    (item, browse), _ = read(tmp_path, "rees46", content)
    assert message(item) == {"type": "item", "item_id": "i1", "at": NOON}
    assert "session_id" not in message(browse)


def test_a_category_without_parts_is_named_once(tmp_path: Path) -> None:
    content = HEADER + "2020-01-01 12:00:00 UTC,view,i1,99,toys,,,u1,\n"
    (item, _), _ = read(tmp_path, "rees46", content)
    assert message(item)["categories"] == ["toys"]


def test_purchases_of_a_session_in_one_second_are_one_order(tmp_path: Path) -> None:
    rows = [row(0, "purchase", "i1"), row(0, "purchase", "i2", session="s2"), row(0, "purchase", "i2", "4")]
    records, _ = read(tmp_path, "rees46", HEADER + "".join(rows) + row(1, "purchase", "i1"))
    orders = [message(record) for record in records if record.topic == "purchases"]
    assert [(order["order_id"], [line["item_id"] for line in order["lines"]]) for order in orders] == [
        ("s2@1577880000", ["i2"]),
        ("s1@1577880000", ["i1", "i2"]),
        ("s1@1577880001", ["i1"]),
    ]
    assert orders[1]["lines"][1] == {"item_id": "i2", "quantity": 1, "unit_price": 4.0}
    assert orders[1]["session_id"] == "s1"


def test_once_sorted_every_item_is_told_before_it_is_named_also_in_a_file_out_of_order(
    tmp_path: Path,
) -> None:
    rows = [
        row(5, "view", "i1"),
        row(3, "purchase", "i2", session="s2"),
        row(3, "view", "i1"),
        row(3, "purchase", "i1", session="s2"),
        row(1, "cart", "i2"),
    ]
    reader = FileReader(written(tmp_path, HEADER + "".join(rows)), "rees46")
    told: set[str] = set()
    for record in sorted_by_time(entry for entry in reader if isinstance(entry, FileRecord)):
        named = message(record)
        if record.topic == "items":
            told.add(named["item_id"])
        else:
            assert {line["item_id"] for line in named.get("lines", [named])} <= told
    assert told == {"i1", "i2"}


def test_a_removal_from_the_cart_is_skipped_and_counted(tmp_path: Path) -> None:
    reader = FileReader(written(tmp_path, HEADER + row(0, "remove_from_cart", "i1")), "rees46")
    assert list(reader) == []
    assert reader.skipped == {"remove_from_cart": 1}


def test_bad_rows_say_what_is_wrong(tmp_path: Path) -> None:
    bad_time = row(0, "view", "i1").replace("UTC", "CET")
    rows = [bad_time, row(0, "like", "i1"), row(0, "view", "i1", "free"), row(0, "view", "")]
    records, unreadable = read(tmp_path, "rees46", HEADER + "".join(rows))
    assert records == []
    assert [(entry.line, entry.reason, entry.detail) for entry in unreadable] == [
        (2, "bad_value", "event_time is '2020-01-01 12:00:00 CET', expected YYYY-MM-DD HH:MM:SS"),
        (3, "bad_value", "event_type is 'like', expected view, cart or purchase"),
        (4, "bad_value", "price is 'free', expected a number"),
        (5, "missing_field", "product_id is empty"),
    ]
