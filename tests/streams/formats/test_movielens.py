"""`movielens`: ratings, with a header or without."""

from pathlib import Path

import pytest

from streams.formats import UnreadableLine
from tests.streams.formats.reading import message, read


@pytest.mark.parametrize(
    ("content", "line"), [("userId,movieId,rating,timestamp\n1,31,4.5,900\n", 2), ("1\t31\t4.5\t900\n", 1)]
)
def test_a_row_is_a_rating(tmp_path: Path, content: str, line: int) -> None:
    (record,), unreadable = read(tmp_path, "movielens", content)
    assert (record.topic, record.key, record.at, record.line) == ("ratings", "1", 900_000, line)
    assert message(record) == {
        "type": "rating",
        "event_id": f"ml-{line}",
        "user_id": "1",
        "item_id": "31",
        "value": 4.5,
        "scale_max": 5.0,
        "at": 900_000,
    }
    assert unreadable == []


def test_bad_rows_say_what_is_wrong(tmp_path: Path) -> None:
    content = "1\t31\t4\t900\n1\t31\tfive\t900\n1\t31\tnan\t900\n1\t31\t4\tnoon\n1\t31\t4\n"
    records, unreadable = read(tmp_path, "movielens", content)
    assert [record.line for record in records] == [1]
    assert unreadable == [
        UnreadableLine(2, "bad_value", "rating is 'five', expected a number"),
        UnreadableLine(3, "bad_value", "rating is 'nan', expected a number"),
        UnreadableLine(4, "bad_value", "timestamp is 'noon', expected epoch seconds"),
        UnreadableLine(5, "invalid_csv", "3 fields, the header has 4: '1\\t31\\t4'"),
    ]
