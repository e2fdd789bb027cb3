"""CloudEvents: both modes of the Kafka binding, what an envelope adds, what is refused, and any bytes."""

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.checks import Rejected
from schemas.codec import Decoded, decode, decode_record
from schemas.events import TOPIC_OF_TYPE, Browse
from schemas.settings import IngestSettings
from tests.schemas.test_codec import AT, EXAMPLES

LIMITS = IngestSettings()
ATTRIBUTES = {"specversion": "1.0", "id": "7", "source": "/shop/web", "type": "com.shop.browse"}
BARE = {"user_id": "anna", "item_id": "tea"}
"""A browse without type, id and time."""

Headers = list[tuple[str, bytes | None]]


def structured(data: object = None, **attributes: object) -> bytes:
    more = {} if data is None else {"data": data}
    return msgspec.json.encode(ATTRIBUTES | attributes | more)


def headers(**attributes: str) -> Headers:
    return [(f"ce_{name}", value.encode()) for name, value in (ATTRIBUTES | attributes).items()]


def read(raw: bytes, given_headers: Headers | None = None, topic: str = "browses") -> Decoded | Rejected:
    if given_headers:
        return decode_record(topic, raw, LIMITS, sent_at=AT, headers=given_headers)
    return decode(topic, raw, LIMITS, sent_at=AT)


def refused(raw: bytes, given_headers: Headers | None = None) -> tuple[str, str]:
    found = read(raw, given_headers)
    assert isinstance(found, Rejected), found
    return found.reason, found.detail


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_message_is_the_same_in_every_envelope(kind: str) -> None:
    message = {"type": kind} | EXAMPLES[kind]
    raw, topic = msgspec.json.encode(message), TOPIC_OF_TYPE[kind]
    alone = decode(topic, raw, LIMITS, sent_at=AT)
    assert isinstance(alone, Decoded)
    encoded = base64.b64encode(raw).decode()
    other = {"type": "com.shop.something.else", "time": "2001-01-01T00:00:00Z"}
    for envelope in (structured(message, **other), structured(data_base64=encoded, **other)):
        assert read(envelope, topic=topic) == alone
        assert (
            read(envelope, [("content-type", b"application/cloudevents+json; charset=utf-8")], topic) == alone
        )
    assert read(raw, [*headers(**other), ("content-type", b"application/json")], topic) == alone


def test_an_envelope_adds_type_id_and_time_where_the_message_lacks_them() -> None:
    time = "2023-11-14T22:13:20Z"
    for found in (
        read(structured(BARE, time=time)),
        read(structured(BARE | {"type": None, "at": None, "event_id": None}, time=time)),
        read(msgspec.json.encode(BARE), headers(time=time)),
    ):
        assert isinstance(found, Decoded)
        assert found.at == AT
        assert found.message == Browse(at=time, event_id="/shop/web 7", user_id="anna", item_id="tea")


def test_ids_of_two_sources_are_two_events() -> None:
    ids = set()
    for source in ("/shop/web", "/shop/app"):
        found = read(structured(BARE | {"at": AT}, source=source))
        assert isinstance(found, Decoded)
        assert isinstance(found.message, Browse)
        ids.add(found.message.event_id)
    assert ids == {"/shop/web 7", "/shop/app 7"}


def test_what_has_no_event_id_gets_none() -> None:
    erasure = msgspec.json.encode({"user_id": "anna", "at": AT})
    found = read(erasure, headers(type="erasure"), "erasures")
    assert isinstance(found, Decoded)
    assert found.unknown_fields == 0


def test_unknown_fields_are_counted_in_the_message_alone() -> None:
    found = read(structured(BARE | {"at": AT, "colour": 1}, subject="anna", shopregion="eu"))
    assert isinstance(found, Decoded)
    assert found.unknown_fields == 1


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type"])
def test_a_missing_attribute_is_named(name: str) -> None:
    raw = msgspec.json.encode(BARE | {"at": AT})
    left = [each for each in headers() if each[0] != f"ce_{name}"]
    if name != "specversion":
        assert refused(raw, left) == ("missing_field", f"a CloudEvent needs the attribute `{name}`")
    assert refused(structured(BARE, **{name: ""}))[0] == "missing_field"
    assert refused(structured(BARE, **{name: 7})) == (
        "bad_value",
        f"`{name}` of the CloudEvent is 7; expected text",
    )


@pytest.mark.parametrize(
    ("raw", "given_headers", "reason", "detail"),
    [
        (structured(BARE, specversion="0.3"), [], "bad_value", "'0.3'; expected '1.0'"),
        (structured(BARE, datacontenttype="text/xml"), [], "wrong_content_type", "'text/xml'; expected"),
        (structured(BARE, data_base64="e30="), [], "bad_value", "this one has both"),
        (structured(data_base64="!"), [], "bad_value", "not Base64"),
        (structured(data_base64="AAAA"), [], "invalid_json", "not a JSON object"),
        (structured("text"), [], "invalid_json", "not a JSON object"),
        (structured(BARE | {"at": AT}, type="browsed"), [], "missing_field", "`type`"),
        (structured(BARE), [], "missing_field", "`at`"),
        (structured(BARE, time="yesterday"), [], "bad_value", "at is 'yesterday'"),
        (structured(BARE, id="x" * 257, time="2023-11-14T22:13:20Z"), [], "bad_value", "`event_id` has over"),
        (structured(msgspec.Raw(structured(BARE))), [], "bad_value", "is a CloudEvent itself"),
        (structured(BARE), headers(), "bad_value", "is a CloudEvent itself"),
        (b"{}", [("content-type", b"application/cloudevents+json")], "missing_field", "needs `data`"),
        (b"[]", [("content-type", b"application/cloudevents+json")], "invalid_json", "not a CloudEvent"),
        (b"[]", [("content-type", b"application/cloudevents-batch+json")], "wrong_content_type", "one event"),
        (b"x", [("content-type", b"application/cloudevents+avro")], "wrong_content_type", "+avro"),
        (
            b"{}",
            [*headers(), ("content-type", b"application/avro")],
            "wrong_content_type",
            "application/avro",
        ),
        (b"{}", [*headers(), ("ce_time", b"\xff")], "bad_value", "`ce_time` is not UTF-8"),
        (b"\xff", headers(), "invalid_json", "not a JSON object"),
    ],
)
def test_a_refusal_says_what_was_expected(
    raw: bytes, given_headers: Headers, reason: str, detail: str
) -> None:
    found = refused(raw, given_headers)
    assert found[0] == reason
    assert detail in found[1]


def test_headers_and_fields_that_make_no_event_change_nothing() -> None:
    message = {"type": "browse", "event_id": "b", "at": AT, "specversion": "1.0", **BARE}
    found = read(msgspec.json.encode(message), [("traceparent", b"00-4bf9"), ("content-type", None)])
    assert isinstance(found, Decoded)
    assert found.unknown_fields == 1


_names = st.sampled_from(
    ["specversion", "id", "source", "type", "time", "data", "data_base64", "datacontenttype", "subject"]
)
_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | _names, inner, max_size=4),
)
_envelopes = st.dictionaries(_names, _json | st.sampled_from(["1.0", "browse", "application/json", "e30="]))
_pairs = st.tuples(
    st.sampled_from([f"ce_{name}" for name in ATTRIBUTES] + ["content-type", "CE_Time", "ce_"]),
    st.none() | st.binary() | st.sampled_from([b"1.0", b"browse", b"application/cloudevents+json"]),
)


@given(
    st.binary() | _json.map(msgspec.json.encode) | _envelopes.map(lambda each: structured(**each)),
    st.lists(_pairs) | st.lists(_pairs).map(lambda more: [*headers(), *more]),
)
def test_whatever_comes_is_taken_or_refused(raw: bytes, given_headers: Headers) -> None:
    assert isinstance(read(raw, given_headers), Decoded | Rejected)


def test_depth_is_no_way_to_raise() -> None:
    deep = b"[" * 100_000
    for raw in (deep, b'{"specversion":' + deep, b'{"specversion":"1.0","data":' + deep):
        assert refused(raw)[0] == "invalid_json"
        assert refused(raw, headers())[0] == "invalid_json"
