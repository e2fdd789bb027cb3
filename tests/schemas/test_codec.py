"""Every message of the public topics, every refusal with its reason, and any bytes at all."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.checks import Rejected
from schemas.codec import YEAR_2100_MS, Decoded, decode
from schemas.events import TOPIC_OF_TYPE, Browse, Purchase
from schemas.settings import IngestSettings

LIMITS = IngestSettings()
AT = 1_700_000_000_000
EXAMPLES: dict[str, dict[str, Any]] = {
    "browse": {
        "event_id": "b-1",
        "user_id": "u1",
        "session_id": "s1",
        "item_id": "i9",
        "action": "view",
        "at": AT,
        "dwell_s": 12.5,
        "recommendation_id": None,
    },
    "purchase": {
        "event_id": "p-1",
        "user_id": "u1",
        "session_id": "s1",
        "order_id": "o1",
        "at": AT,
        "lines": [{"item_id": "i9", "quantity": 2, "unit_price": 9.9}],
        "recommendation_id": None,
    },
    "rating": {
        "event_id": "r-1",
        "user_id": "u1",
        "item_id": "i9",
        "value": 4.0,
        "scale_max": 5.0,
        "at": AT,
    },
    "item": {
        "item_id": "i9",
        "title": "...",
        "categories": ["a", "b"],
        "brand": "...",
        "price": 9.9,
        "tags": ["..."],
        "text": "...",
        "available": True,
        "at": AT,
    },
    "customer": {
        "user_id": "u1",
        "age_band": "25-34",
        "gender": "f",
        "location": "GB",
        "income_band": "mid",
        "consent": {"profiling": True},
        "at": AT,
    },
    "link": {"user_id": "u1", "target_id": "u2", "weight": 1.0, "at": AT},
    "impression": {
        "event_id": "v-1",
        "user_id": "u1",
        "session_id": None,
        "recommendation_id": "browses:0:7",
        "items": ["i9", "i4"],
        "at": AT,
    },
    "erasure": {"user_id": "u1", "at": AT},
}
REQUIRED = {
    "browse": ("event_id", "item_id", "at"),
    "purchase": ("lines", "at"),
    "rating": ("event_id", "user_id", "item_id", "value", "scale_max", "at"),
    "item": ("item_id", "at"),
    "customer": ("user_id", "at"),
    "link": ("user_id", "target_id", "weight", "at"),
    "impression": ("event_id", "recommendation_id", "items", "at"),
    "erasure": ("user_id", "at"),
}
OPTIONAL = {
    "browse": ("session_id", "action", "dwell_s", "recommendation_id"),
    "purchase": ("session_id", "recommendation_id"),
    "item": ("title", "categories", "brand", "price", "tags", "text", "available"),
    "customer": ("age_band", "gender", "location", "income_band", "consent"),
    "impression": ("session_id",),
}
IDS = {
    "browse": ("event_id", "user_id", "session_id", "item_id"),
    "purchase": ("event_id", "user_id", "session_id", "order_id"),
    "rating": ("event_id", "user_id", "item_id"),
    "item": ("item_id",),
    "customer": ("user_id",),
    "link": ("user_id", "target_id"),
    "impression": ("event_id", "user_id", "session_id", "recommendation_id"),
    "erasure": ("user_id",),
}


def fields_of(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(kind, name) for kind, names in table.items() for name in names]


def send(kind: str, *without: str, **changes: Any) -> Decoded | Rejected:
    """Decode the example of a type without some fields and with others changed."""
    whole = {"type": kind} | EXAMPLES[kind] | changes
    message = {name: value for name, value in whole.items() if name not in without}
    return decode(TOPIC_OF_TYPE[kind], json.dumps(message).encode(), LIMITS)


def accepted(result: Decoded | Rejected) -> Decoded:
    assert isinstance(result, Decoded), result
    return result


def reason(result: Decoded | Rejected) -> str:
    assert isinstance(result, Rejected), result
    assert result.detail
    return result.reason


def line(**changes: Any) -> list[dict[str, Any]]:
    return [EXAMPLES["purchase"]["lines"][0] | changes]


# -- accepted -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_example_of_each_topic_is_accepted_as_it_stands(kind: str) -> None:
    decoded = accepted(send(kind))
    assert decoded.at == AT
    assert decoded.unknown_fields == 0
    given_fields = msgspec.to_builtins(decoded.message)
    assert given_fields == {"type": kind} | EXAMPLES[kind]


@pytest.mark.parametrize(("kind", "name"), fields_of(OPTIONAL))
def test_an_optional_field_may_be_null_or_absent(kind: str, name: str) -> None:
    absent, null = accepted(send(kind, name)), accepted(send(kind, **{name: None}))
    assert absent.message == null.message
    assert getattr(absent.message, name) is None


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("browse", {"user_id": None}),
        ("browse", {"action": "cart"}),
        ("browse", {"dwell_s": 0}),
        ("purchase", {"user_id": None}),
        ("purchase", {"event_id": None}),
        ("purchase", {"order_id": None}),
        ("purchase", {"lines": line(quantity=0.5, unit_price=0)}),
        ("purchase", {"lines": line() * 1_000}),
        ("rating", {"value": 0}),
        ("rating", {"value": 5}),
        ("rating", {"scale_max": 1e308, "value": 1e308}),
        ("link", {"weight": 0}),
        ("impression", {"user_id": None, "session_id": "s1"}),
        ("impression", {"items": ["i9"] * 1_000}),
        ("customer", {"consent": {}}),
        ("customer", {"consent": {"profiling": None}}),
        ("item", {"price": 0}),
        ("erasure", {"user_id": "é" * 128}),
        ("erasure", {"user_id": "x" * 256}),
        ("erasure", {"user_id": "\x00 \u2028\U0001f375"}),
        ("erasure", {"at": "2023-11-14T22:13:20Z"}),
        ("erasure", {"at": -1}),
        ("erasure", {"at": YEAR_2100_MS}),
    ],
)
def test_what_is_at_the_edge_of_the_rules_is_accepted(kind: str, changes: dict[str, Any]) -> None:
    accepted(send(kind, **changes))


def test_both_ways_to_tell_the_time_mean_the_same() -> None:
    assert accepted(send("erasure", at="2023-11-14T23:13:20+01:00")).at == AT


def test_numbers_may_be_written_as_integers() -> None:
    message = accepted(send("purchase", lines=line(quantity=2, unit_price=10))).message
    assert isinstance(message, Purchase)
    assert message.lines[0].quantity == 2.0


def test_unknown_fields_are_ignored_and_counted() -> None:
    decoded = accepted(send("browse", colour="red", nested={"a": [1]}, none=None))
    assert decoded.unknown_fields == 3
    assert decoded.message == accepted(send("browse")).message


def test_a_value_of_the_largest_size_is_accepted_and_one_byte_more_is_not() -> None:
    raw = json.dumps({"type": "erasure", "padding": ""} | EXAMPLES["erasure"])
    fitting = raw.replace('"padding": ""', f'"padding": "{"x" * (LIMITS.max_value_bytes - len(raw))}"')
    accepted(decode("erasures", fitting.encode(), LIMITS))
    assert reason(decode("erasures", fitting.encode() + b" ", LIMITS)) == "too_large"


def test_a_day_ahead_of_the_send_time_is_accepted_and_more_is_not() -> None:
    raw = json.dumps({"type": "erasure"} | EXAMPLES["erasure"]).encode()
    accepted(decode("erasures", raw, LIMITS, sent_at=AT - 86_400_000))
    assert reason(decode("erasures", raw, LIMITS, sent_at=AT - 86_400_001)) == "in_future"


def test_late_events_are_accepted_however_late() -> None:
    raw = json.dumps({"type": "erasure", "user_id": "u1", "at": 0}).encode()
    accepted(decode("erasures", raw, LIMITS, sent_at=AT))


# -- refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b" ",
        b"nonsense",
        b"\xff\xfe",
        b'{"type":"browse"}}',
        b'{"type":"browse",}',
        b"{'type':1}",
        b'{"type":"browse","item_id":"\xff","event_id":"b","user_id":"u","at":1}',
        b'{"type":"browse","item_id":"\\ud800"}',
        b'{"at":NaN}',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    assert reason(decode("browses", raw, LIMITS)) == "invalid_json"


@pytest.mark.parametrize("raw", [b"[]", b"null", b"1", b'"browse"', b"true", b'[{"type":"browse"}]'])
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    assert reason(decode("browses", raw, LIMITS)) == "invalid_json"


@pytest.mark.parametrize("raw", [None, b""])
def test_a_record_without_a_value_is_refused(raw: bytes | None) -> None:
    assert reason(decode("browses", raw, LIMITS)) == "empty_value"


@pytest.mark.parametrize("name", ["view", "Browse", "", "browse ", 1, None, ["browse"], {"a": 1}, True])
def test_an_unknown_type_is_refused(name: object) -> None:
    raw = json.dumps({"type": name} | EXAMPLES["browse"]).encode()
    assert reason(decode("browses", raw, LIMITS)) == "unknown_type"


def test_a_message_without_type_is_refused() -> None:
    assert reason(decode("browses", json.dumps(EXAMPLES["browse"]).encode(), LIMITS)) == "missing_field"


@pytest.mark.parametrize("kind", EXAMPLES)
@pytest.mark.parametrize("topic", TOPIC_OF_TYPE.values())
def test_a_type_is_accepted_in_its_own_topic_alone(kind: str, topic: str) -> None:
    result = decode(topic, json.dumps({"type": kind} | EXAMPLES[kind]).encode(), LIMITS)
    assert isinstance(result, Decoded) if topic == TOPIC_OF_TYPE[kind] else reason(result) == "wrong_topic"


@pytest.mark.parametrize(("kind", "name"), fields_of(REQUIRED))
def test_a_required_field_may_be_neither_absent_nor_null(kind: str, name: str) -> None:
    assert reason(send(kind, name)) == "missing_field"
    assert reason(send(kind, **{name: None})) == "missing_field"


@pytest.mark.parametrize(("kind", "name"), [pair for pair in fields_of(REQUIRED) if pair in fields_of(IDS)])
def test_a_required_id_may_not_be_empty(kind: str, name: str) -> None:
    assert reason(send(kind, **{name: ""})) == "missing_field"


@pytest.mark.parametrize("name", ["item_id", "quantity", "unit_price"])
def test_every_field_of_a_line_is_required(name: str) -> None:
    lacking = {field: value for field, value in line()[0].items() if field != name}
    assert reason(send("purchase", lines=[lacking])) == "missing_field"
    assert reason(send("purchase", lines=line(**{name: None}))) == "missing_field"


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("browse", {"user_id": None, "session_id": None}),
        ("impression", {"user_id": None, "session_id": None}),
        ("impression", {"items": []}),
        ("impression", {"items": ["i9", ""]}),
        ("purchase", {"user_id": None, "order_id": None}),
        ("purchase", {"event_id": None, "order_id": None}),
        ("purchase", {"lines": []}),
        ("purchase", {"lines": line(item_id="")}),
    ],
)
def test_a_message_that_lacks_what_it_is_about_is_refused(kind: str, changes: dict[str, Any]) -> None:
    assert reason(send(kind, **changes)) == "missing_field"


@pytest.mark.parametrize(("kind", "name"), fields_of(IDS))
@pytest.mark.parametrize("value", ["x" * 257, "é" * 129, "\U0001f375" * 65])
def test_an_id_of_over_256_bytes_is_refused(kind: str, name: str, value: str) -> None:
    assert reason(send(kind, **{name: value})) == "bad_value"


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("browse", {"action": "purchase"}),
        ("browse", {"action": ""}),
        ("browse", {"dwell_s": -1}),
        ("browse", {"item_id": 9}),
        ("browse", {"user_id": {"id": "u1"}}),
        ("browse", {"recommendation_id": "x" * 257}),
        ("purchase", {"lines": line(quantity=0)}),
        ("purchase", {"lines": line(quantity=-1)}),
        ("purchase", {"lines": line(quantity="2")}),
        ("purchase", {"lines": line(quantity=10**400)}),
        ("purchase", {"lines": line(unit_price=-0.01)}),
        ("purchase", {"lines": line(item_id="x" * 257)}),
        ("purchase", {"lines": line() * 1_001}),
        ("purchase", {"lines": {}}),
        ("purchase", {"lines": ["i9"]}),
        ("rating", {"value": -0.1}),
        ("rating", {"value": 5.1}),
        ("rating", {"scale_max": 0, "value": 0}),
        ("rating", {"scale_max": -5, "value": -1}),
        ("rating", {"value": True}),
        ("item", {"price": -1}),
        ("item", {"available": "yes"}),
        ("item", {"categories": "a"}),
        ("item", {"categories": [None]}),
        ("customer", {"consent": True}),
        ("customer", {"consent": {"profiling": "yes"}}),
        ("customer", {"age_band": 25}),
        ("link", {"weight": -1}),
        ("impression", {"items": ["i9"] * 1_001}),
        ("impression", {"items": ["x" * 257]}),
        ("impression", {"items": [None]}),
        ("erasure", {"at": "yesterday"}),
        ("erasure", {"at": "2023-11-14T22:13:20"}),
        ("erasure", {"at": 1.5}),
        ("erasure", {"at": True}),
        ("erasure", {"at": 10**30}),
        ("erasure", {"at": -(10**15)}),
    ],
)
def test_a_value_out_of_its_range_is_refused(kind: str, changes: dict[str, Any]) -> None:
    assert reason(send(kind, **changes)) == "bad_value"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 400])
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("browse", "dwell_s"),
        ("rating", "value"),
        ("rating", "scale_max"),
        ("item", "price"),
        ("link", "weight"),
    ],
)
def test_a_number_that_is_not_finite_is_refused(kind: str, name: str, number: str) -> None:
    text = json.dumps({"type": kind} | EXAMPLES[kind] | {name: "HERE"}).replace('"HERE"', number)
    assert reason(decode(TOPIC_OF_TYPE[kind], text.encode(), LIMITS)) in {"bad_value", "invalid_json"}


def test_a_file_may_not_reach_beyond_the_year_2100() -> None:
    assert reason(send("erasure", at=YEAR_2100_MS + 1)) == "in_future"


def test_the_reason_names_what_was_seen() -> None:
    result = send("rating", value=9.0)
    assert result == Rejected("bad_value", "`value` is 9.0; expected a number from 0 to 5.0")


def test_the_last_of_a_repeated_field_counts_and_each_must_be_right() -> None:
    twice = b'{"type":"browse","event_id":"b","user_id":"u","item_id":"a","item_id":"z","at":1}'
    message = accepted(decode("browses", twice, LIMITS)).message
    assert isinstance(message, Browse)
    assert message.item_id == "z"
    assert reason(decode("browses", twice.replace(b'"a"', b"5"), LIMITS)) == "bad_value"


# -- any input ----------------------------------------------------------------------------------------

_json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("browse"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_topics = st.sampled_from(sorted(TOPIC_OF_TYPE.values()))
_sent_at = st.none() | st.integers(-(2**63), 2**63)


@given(_topics, st.binary(max_size=300), _sent_at)
def test_any_bytes_give_a_value(topic: str, raw: bytes, sent_at: int | None) -> None:
    assert isinstance(decode(topic, raw, LIMITS, sent_at=sent_at), Rejected)


@given(_topics, st.sampled_from(sorted(EXAMPLES)), st.data(), _sent_at)
def test_any_json_in_any_field_gives_a_value(
    topic: str, kind: str, data: st.DataObject, sent_at: int | None
) -> None:
    names = [*EXAMPLES[kind], "type", "other"]
    changes = data.draw(st.dictionaries(st.sampled_from(names), _json_values, max_size=4))
    raw = json.dumps({"type": kind} | EXAMPLES[kind] | changes).encode()
    result = decode(topic, raw, LIMITS, sent_at=sent_at)
    assert isinstance(result, Decoded | Rejected)
    if isinstance(result, Rejected):
        msgspec.json.encode(result)


@given(st.sampled_from(sorted(EXAMPLES)), st.data())
def test_an_example_with_damaged_bytes_gives_a_value(kind: str, data: st.DataObject) -> None:
    raw = bytearray(json.dumps({"type": kind} | EXAMPLES[kind]).encode())
    for place in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=4)):
        raw[place] = data.draw(st.integers(0, 255))
    assert isinstance(decode(TOPIC_OF_TYPE[kind], bytes(raw), LIMITS), Decoded | Rejected)


@given(st.sampled_from(sorted(EXAMPLES)), st.text(min_size=1, max_size=64))
def test_ids_of_any_unicode_come_through_unchanged(kind: str, value: str) -> None:
    name = IDS[kind][0]
    assert getattr(accepted(send(kind, **{name: value})).message, name) == value
