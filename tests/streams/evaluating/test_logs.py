"""A file as a log: in the order of time, checked and enriched as ingest does it."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.messages import Event, ItemFacts
from schemas.settings import Settings
from streams.errors import FormatError
from streams.evaluating.logs import BATCH_RECORDS, LogReader

AT = 1_700_000_000_000


def written(path: Path, *messages: dict[str, Any] | str) -> Path:
    texts = [each if isinstance(each, str) else json.dumps(each) for each in messages]
    path.write_text("\n".join(texts) + "\n")
    return path


def view(n: int, item: str, user: str = "anna") -> dict[str, Any]:
    return {"type": "browse", "event_id": f"b-{n}", "user_id": user, "item_id": item, "at": AT + n}


def test_events_and_items_come_in_the_order_of_time_and_events_know_their_categories(tmp_path: Path) -> None:
    item = {"type": "item", "item_id": "tea", "categories": ["drinks"], "at": AT + 1}
    rating = {"type": "rating", "event_id": "r", "user_id": "anna", "item_id": "tea", "at": AT + 4}
    rating |= {"value": 4.0, "scale_max": 5.0}
    file = written(tmp_path / "f.jsonl", view(3, "tea"), item, rating, view(0, "tea"), view(2, "cup"))
    log = LogReader(Settings()).read(file, "jsonl")
    assert [each.at - AT for each in log] == [0, 1, 2, 3, 4]
    assert isinstance(log[1], ItemFacts)
    events = [each for each in log if isinstance(each, Event)]
    assert [each.lines[0].categories for each in events] == [[], [], ["drinks"], ["drinks"]]
    assert [each.kind for each in events] == ["view", "view", "view", "rating"]
    assert events[3].value == 4.0


def test_nothing_is_lost_however_many_there_are(tmp_path: Path) -> None:
    count = 3 * BATCH_RECORDS + 1
    file = written(tmp_path / "f.jsonl", *(view(n, f"i{n}", f"u{n % 7}") for n in range(count)))
    log = LogReader(Settings()).read(file, "jsonl")
    assert [each.lines[0].item for each in log if isinstance(each, Event)] == [f"i{n}" for n in range(count)]


def test_what_cannot_be_used_is_counted_by_reason(tmp_path: Path) -> None:
    reader = LogReader(Settings())
    log = reader.read(written(tmp_path / "f.jsonl", view(0, "tea"), view(1, ""), "{"), "jsonl")
    assert len(log) == 1
    assert reader.unusable.total() == 2


def test_consent_that_was_not_given_is_known_to_later_events(tmp_path: Path) -> None:
    no = {"type": "customer", "user_id": "anna", "consent": {"profiling": False}, "at": AT}
    log = LogReader(Settings()).read(written(tmp_path / "f.jsonl", no, view(1, "tea")), "jsonl")
    assert [each.profiling for each in log if isinstance(each, Event)] == [False, False]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="check the path"):
        LogReader(Settings()).read(tmp_path / "gone", "jsonl")
