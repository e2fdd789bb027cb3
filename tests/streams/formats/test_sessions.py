"""`sessions` and `session-lists`: views of guests."""

from pathlib import Path

import pytest

from streams.formats import UnreadableLine
from tests.streams.formats.reading import message, read


@pytest.mark.parametrize(
    "content",
    [
        "SessionId\tItemId\tTime\ns1\ti 1\t900.5\n",
        "session_id\titem_id\ttimestamp\ns1\ti 1\t900.5\n",
        "session_id,item_id,timestamp\ns1,i 1,900.5\n",
        "Time,SessionId,ItemId\n900.5,s1,i 1\n",
    ],
)
def test_a_row_is_a_guest_s_view(tmp_path: Path, content: str) -> None:
    (record,), unreadable = read(tmp_path, "sessions", content)
    assert (record.topic, record.key, record.at, record.line) == ("browses", "s1", 900_500, 2)
    assert message(record) == {
        "type": "browse",
        "event_id": "ss-2",
        "session_id": "s1",
        "item_id": "i 1",
        "action": "view",
        "at": 900_500,
    }
    assert unreadable == []


def test_a_time_that_is_none_is_unreadable(tmp_path: Path) -> None:
    _, unreadable = read(tmp_path, "sessions", "SessionId\tItemId\tTime\ns1\ti1\tnoon\n")
    assert unreadable == [UnreadableLine(2, "bad_value", "Time is 'noon', expected epoch seconds")]


def test_the_items_of_a_list_are_views_a_second_apart(tmp_path: Path) -> None:
    records, unreadable = read(tmp_path, "session-lists", "7\ti1 i2  i1\n\n")
    assert [(record.key, record.at, record.line) for record in records] == [
        ("7", 700_000, 1),
        ("7", 701_000, 1),
        ("7", 702_000, 1),
    ]
    assert [(message(record)["event_id"], message(record)["item_id"]) for record in records] == [
        ("sl-1-0", "i1"),
        ("sl-1-1", "i2"),
        ("sl-1-2", "i1"),
    ]
    assert unreadable == []


def test_a_session_that_is_no_number_takes_its_time_from_its_line(tmp_path: Path) -> None:
    records, _ = read(tmp_path, "session-lists", "a\ti1\nb\ti1\n")
    assert [(record.key, record.at) for record in records] == [("a", 100_000), ("b", 200_000)]


def test_lines_that_are_no_session_say_why(tmp_path: Path) -> None:
    content = "7 i1 i2\n\ti1\n7\t\n" + "9" * 5_000 + "\ti1\n8\ti1\n"
    records, unreadable = read(tmp_path, "session-lists", content)
    assert [record.line for record in records] == [5]
    assert unreadable == [
        UnreadableLine(1, "missing_field", "no tab between session and items: '7 i1 i2'"),
        UnreadableLine(2, "missing_field", "no session"),
        UnreadableLine(3, "missing_field", "no items"),
        UnreadableLine(4, "bad_value", f"session {'9' * 80} is too large to make a time of it"),
    ]
