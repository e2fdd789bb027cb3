"""Messages pass as they stand; only what belongs to no topic is unreadable."""

from pathlib import Path

import pytest

from streams.formats import FileRecord, UnreadableLine
from tests.streams.formats.reading import read


@pytest.mark.parametrize(
    ("line", "topic", "key"),
    [
        ('{"type":"browse","user_id":"u1","session_id":"s1","at":5}', "browses", "u1"),
        ('{"type":"browse","user_id":null,"session_id":"s1","at":5}', "browses", "s1"),
        ('{"type":"purchase","user_id":"","order_id":"o1","session_id":"s1","at":5}', "purchases", "o1"),
        ('{"type":"rating","user_id":"u1","item_id":"i1","at":5}', "ratings", "u1"),
        ('{"type":"item","item_id":"i1","at":5}', "items", "i1"),
        ('{"type":"customer","user_id":"u1","at":5}', "customers", "u1"),
        ('{"type":"link","user_id":"u1","target_id":"u2","at":5}', "links", "u1"),
        ('{"type":"impression","session_id":"s1","at":"1970-01-01T00:00:00.005Z"}', "impressions", "s1"),
        ('{"type":"erasure","user_id":"u1","at":5,"unknown":[{"user_id":3}]}', "erasures", "u1"),
    ],
)
def test_a_message_goes_to_the_topic_and_key_of_its_type(
    tmp_path: Path, line: str, topic: str, key: str
) -> None:
    assert read(tmp_path, "jsonl", f"\n  {line} \n") == ([FileRecord(topic, key, line.encode(), 5, 2)], [])


@pytest.mark.parametrize(
    "line",
    [
        '{"type":"browse"}',
        '{"type":"browse","user_id":7,"session_id":["s"],"at":5}',
        '{"type":"browse","at":5.5}',
        '{"type":"browse","at":true}',
        '{"type":"browse","at":"yesterday"}',
        '{"type":"browse","at":1000000000000000000000000000000}',
    ],
)
def test_a_message_that_ingest_will_refuse_still_reaches_its_topic(tmp_path: Path, line: str) -> None:
    before = '{"type":"erasure","user_id":"u1","at":77}'
    (_, record), unreadable = read(tmp_path, "jsonl", f"{before}\n{line}\n")
    assert (record.topic, record.key, record.value) == ("browses", "", line.encode())
    assert record.at == (5 if '"at":5}' in line else 77)
    assert unreadable == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"hello", "invalid_json"),
        (b'{"type":"browse"', "invalid_json"),
        (b'{"type":"browse","user_id":7,', "invalid_json"),
        (b'{"type":"browse","value":NaN}', "invalid_json"),
        (b'{"type":"bro\xff"}', "invalid_json"),
        (b'{"type":"browse","at":[' + b"[" * 100_000, "invalid_json"),
        (b'{"type":7,"x":' + b"[" * 100_000, "invalid_json"),
        (b'[{"type":"browse"}]', "invalid_json"),
        (b'"browse"', "invalid_json"),
        (b'{"type":"brows"}', "unknown_type"),
        (b'{"at":5}', "missing_field"),
        (b'{"type":7}', "missing_field"),
    ],
)
def test_a_line_of_no_topic_is_unreadable_and_the_run_goes_on(
    tmp_path: Path, line: bytes, reason: str
) -> None:
    good = b'{"type":"erasure","user_id":"u1","at":5}'
    records, unreadable = read(tmp_path, "jsonl", line + b"\n" + good)
    assert [record.line for record in records] == [2]
    assert [(entry.line, entry.reason) for entry in unreadable] == [(1, reason)]


def test_an_unknown_type_is_shown_with_the_known_ones(tmp_path: Path) -> None:
    _, unreadable = read(tmp_path, "jsonl", '{"type":"brows"}')
    assert unreadable == [
        UnreadableLine(
            1,
            "unknown_type",
            "'brows', expected browse, purchase, rating, item, customer, link, impression, erasure",
        )
    ]


def test_a_cloud_event_goes_where_its_message_belongs(tmp_path: Path) -> None:
    line = (
        '{"specversion":"1.0","id":"7","source":"/web","type":"com.shop.browse","time":"1970-01-01T00:00:00.005Z",'
        '"data":{"user_id":"u1","item_id":"tea"}}'
    )
    assert read(tmp_path, "jsonl", f"{line}\n") == ([FileRecord("browses", "u1", line.encode(), 5, 1)], [])


def test_a_cloud_event_that_cannot_be_opened_is_unreadable(tmp_path: Path) -> None:
    lines = ['{"specversion":"0.3","id":"7","source":"/web","type":"browse","data":{}}']
    lines.append('{"specversion":"1.0","id":"7","source":"/web","type":"browse","data":"text"}')
    lines.append('{"specversion":"1.0","type":"browse","user_id":"u1","at":5}')
    records, unreadable = read(tmp_path, "jsonl", "\n".join(lines))
    assert [(each.line, each.reason) for each in unreadable] == [(1, "bad_value"), (2, "invalid_json")]
    assert [(each.topic, each.key) for each in records] == [("browses", "u1")]
