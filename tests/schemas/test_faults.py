"""Every fault of a message is named, none of a good one, and what ingest would refuse is never passed."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.checks import Rejected
from schemas.codec import decode
from schemas.events import TOPIC_OF_TYPE
from schemas.faults import MOST_FAULTS, faults
from schemas.settings import IngestSettings

LIMITS, SENT_AT = IngestSettings(), 1_700_000_000_000
LINE = {"item_id": "i", "quantity": 1, "unit_price": 2.5}


def found(message: object) -> list[str]:
    return [each.field for each in faults(msgspec.json.encode(message), LIMITS, sent_at=SENT_AT)]


RATING: dict[str, Any] = {"type": "rating", "event_id": "e", "user_id": "u", "item_id": "i", "at": 1}
RATING |= {"value": 9, "scale_max": 5}
ORDER = {"type": "purchase", "order_id": "o", "at": 1}
CASES: list[tuple[object, list[str]]] = [
    ({"type": "browse", "event_id": "e", "item_id": "i", "user_id": "u", "at": 1}, []),
    ({"type": "browse", "event_id": "e", "item_id": "i", "at": 1}, [""]),
    ({"type": "browse", "user_id": 7, "dwell_s": -1}, ["event_id", "item_id", "at", "user_id", "dwell_s"]),
    (RATING, [""]),
    (RATING | {"value": 3}, []),
    ({"type": "item", "item_id": "i" * 300, "price": -1, "tags": 7, "at": 1}, ["item_id", "price", "tags"]),
    ({"type": "link", "user_id": "u", "target_id": "", "weight": -1, "at": 1}, ["target_id", "weight"]),
    (ORDER | {"lines": []}, ["lines"]),
    (ORDER | {"lines": [LINE, LINE | {"quantity": 0}, 3]}, ["lines[1].quantity", "lines[2]"]),
    ({"type": "purchase", "at": 1, "lines": [{}]}, [*(f"lines[0].{name}" for name in LINE), ""]),
    ({"type": "dance"}, [""]),
    ({}, [""]),
    ([], [""]),
    ("browse", [""]),
]


@pytest.mark.parametrize(("message", "fields"), CASES)
def test_every_fault_is_named_by_its_field(message: object, fields: list[str]) -> None:
    assert found(message) == fields


def test_of_very_many_the_first_are_named() -> None:
    assert len(found({"type": "purchase", "order_id": "o", "at": 1, "lines": [{}] * 900})) == MOST_FAULTS


_values = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "x", "view", "2026-01-05"])
_lines = st.lists(st.dictionaries(st.sampled_from(list(LINE)), _values) | _values, max_size=3)
_fields = ("event_id", "user_id", "session_id", "order_id", "item_id", "value", "scale_max", "action", "at")
_messages = st.fixed_dictionaries(
    {"type": st.sampled_from([*TOPIC_OF_TYPE, "dance"])},
    optional={**dict.fromkeys(_fields, _values), "lines": _lines, "items": _values | st.lists(_values)},
)


@given(_messages)
def test_there_are_faults_exactly_where_ingest_would_refuse(message: dict[str, Any]) -> None:
    raw = msgspec.json.encode(message)
    topic = TOPIC_OF_TYPE.get(message["type"], "browses")
    refused = isinstance(decode(topic, raw, LIMITS, sent_at=SENT_AT), Rejected)
    named = faults(raw, LIMITS, sent_at=SENT_AT)
    assert bool(named) == refused
    assert all(each.reason and each.detail for each in named)
