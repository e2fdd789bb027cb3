"""`baskets`: purchases of guests, a line each."""

from pathlib import Path

import pytest

from streams.formats import UnreadableLine
from tests.streams.formats.reading import message, read


@pytest.mark.parametrize(
    ("line", "items"),
    [
        ("whole milk, rolls,,whole milk ,", ["whole milk", "rolls", "whole milk"]),
        ("1 22  3", ["1", "22", "3"]),
        ("butter", ["butter"]),
    ],
)
def test_a_line_is_a_purchase_split_at_commas_or_else_at_spaces(
    tmp_path: Path, line: str, items: list[str]
) -> None:
    (record,), unreadable = read(tmp_path, "baskets", f"\n{line}\n")
    assert (record.topic, record.key, record.at, record.line) == ("purchases", "basket-2", 2_000, 2)
    assert message(record) == {
        "type": "purchase",
        "event_id": "basket-2",
        "order_id": "basket-2",
        "at": 2_000,
        "lines": [{"item_id": item, "quantity": 1, "unit_price": 0.0} for item in items],
    }
    assert unreadable == []


def test_a_line_without_an_item_is_unreadable(tmp_path: Path) -> None:
    records, unreadable = read(tmp_path, "baskets", b", ,\n\xff\na\n")
    assert [record.line for record in records] == [3]
    assert unreadable == [
        UnreadableLine(1, "missing_field", "no items: ', ,'"),
        UnreadableLine(2, "invalid_utf8", "byte 0xff at 0"),
    ]
