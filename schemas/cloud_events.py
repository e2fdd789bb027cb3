"""CloudEvents 1.0 <-> public messages: an envelope is opened, and what is in it is a message like any other.

Structured mode (an event as one JSON object) and binary mode (attributes in headers, data in the value), as
the JSON format and the Kafka protocol binding have them. Nothing raises for bad input.

References
----------
CloudEvents, Version 1.0.2; JSON Event Format for CloudEvents; Kafka Protocol Binding for CloudEvents.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from schemas.checks import Rejected
from schemas.events import TOPIC_OF_TYPE

Headers = Sequence[tuple[str, bytes | None]]
"""Headers of a Kafka record, in its order."""

CLOUD_EVENTS: Final = "application/cloudevents"
STRUCTURED: Final = f"{CLOUD_EVENTS}+json"
BATCHED: Final = f"{CLOUD_EVENTS}-batch+json"
"""Content types: the beginning of all, of one event as JSON, of an array of these."""

SPECVERSION: Final = "specversion"
PREFIX: Final = "ce_"
"""Of the headers that are attributes."""

REQUIRED: Final = (SPECVERSION, "id", "source", "type")
ADDED: Final = ("type", "at", "event_id")
"""Attributes that an envelope needs; fields that a message may lack in one, as the envelope stands in."""

_WITH_EVENT_ID: Final = frozenset({"browse", "purchase", "rating", "impression"})
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_BAD_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_JSON_TYPES: Final = frozenset({"application/json", "text/json"})
_encode: Final = msgspec.json.Encoder().encode


def is_envelope(fields: Mapping[str, object]) -> bool:
    """Whether an object is a structured event by its looks: no public message has these fields."""
    return SPECVERSION in fields and ("data" in fields or "data_base64" in fields)


def open_record(raw: bytes, headers: Headers) -> bytes | Rejected:
    """Return the message in a record that has headers; the value itself where these speak of no event.

    Parameters
    ----------
    raw : bytes
        The record's value.
    headers : sequence of (str, bytes)
        `content-type` decides: `application/cloudevents+json` is structured mode. Otherwise `ce_specversion`
        makes the record an event in binary mode. Other headers (of tracing, say) mean nothing.

    Examples
    --------
    >>> headers = [("ce_specversion", b"1.0"), ("ce_id", b"7"), ("ce_source", b"/web")]
    >>> headers.append(("ce_type", b"com.shop.browse"))
    >>> open_record(b'{"user_id":"anna","item_id":"tea","at":0}', headers)
    b'{"user_id":"anna","item_id":"tea","at":0,"type":"browse","event_id":"/web 7"}'
    >>> open_record(b'{"type":"erasure"}', [("traceparent", b"00-4bf9")])
    b'{"type":"erasure"}'
    """
    named = {name.lower(): value for name, value in headers}
    content_type = _media_type((named.get("content-type") or b"").decode("latin-1"))
    if content_type == STRUCTURED:
        try:
            return open_structured(_FIELDS.decode(raw))
        except _BAD_JSON as error:
            return Rejected("invalid_json", f"not a CloudEvent as a JSON object in UTF-8: {error}")
    if content_type.startswith(CLOUD_EVENTS):
        return Rejected(
            "wrong_content_type",
            f"content type is {content_type[:80]!r}; one record is one event: {STRUCTURED}",
        )
    if PREFIX + SPECVERSION not in named:
        return raw
    attributes: dict[str, str] = {}
    for name, value in named.items():
        if name.startswith(PREFIX) and value is not None:
            try:
                attributes[name.removeprefix(PREFIX)] = value.decode()
            except UnicodeDecodeError:
                return Rejected("bad_value", f"header `{name[:80]}` is not UTF-8")
    return _opened(attributes, content_type, raw)


def open_value(raw: bytes) -> bytes | Rejected:
    """Return the message in a structured event; the value itself if it does not look like one.

    Examples
    --------
    >>> open_value(b'{"specversion":"1.0","id":"7","source":"/web","type":"shop.erased","data":{"at":0}}')
    b'{"at":0}'
    >>> open_value(b'{"specversion":"0.3","id":"7","source":"/web","type":"browse","data":{}}').detail
    "`specversion` of the CloudEvent is '0.3'; expected '1.0'"
    """
    try:
        fields = _FIELDS.decode(raw)
    except _BAD_JSON:
        return raw
    return open_structured(fields) if is_envelope(fields) else raw


def open_structured(fields: Mapping[str, msgspec.Raw]) -> bytes | Rejected:
    """Return the message in a structured event, by its fields: its `data`, or what `data_base64` encodes."""
    try:
        return _structured(fields)
    except _BAD_JSON as error:
        return Rejected("invalid_json", f"attributes of the CloudEvent are not JSON in UTF-8: {error}")


def _structured(fields: Mapping[str, msgspec.Raw]) -> bytes | Rejected:
    attributes: dict[str, str] = {}
    for name in (*REQUIRED, "time", "datacontenttype", "data_base64"):
        raw = fields.get(name)
        value = None if raw is None else msgspec.json.decode(raw)
        if isinstance(value, str):
            attributes[name] = value
        elif value is not None:
            return Rejected("bad_value", f"`{name}` of the CloudEvent is {str(value)[:80]}; expected text")
    data, encoded = fields.get("data"), attributes.get("data_base64")
    content_type = _media_type(attributes.get("datacontenttype", ""))
    if data is not None and encoded is not None:
        return Rejected("bad_value", "a CloudEvent has `data` or `data_base64`; this one has both")
    if data is None and encoded is None:
        return Rejected("missing_field", "a CloudEvent needs `data`: the message")
    if encoded is None:
        return _opened(attributes, content_type, bytes(data or b""))
    try:
        return _opened(attributes, content_type, base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError) as error:
        return Rejected("bad_value", f"`data_base64` of the CloudEvent is not Base64: {error}")


def _opened(attributes: Mapping[str, str], content_type: str, data: bytes) -> bytes | Rejected:
    """Return a message with what the attributes add to it; its own fields win."""
    for name in REQUIRED:
        if not attributes.get(name):
            return Rejected("missing_field", f"a CloudEvent needs the attribute `{name}`")
    if attributes[SPECVERSION] != "1.0":
        seen = attributes[SPECVERSION][:80]
        return Rejected("bad_value", f"`specversion` of the CloudEvent is {seen!r}; expected '1.0'")
    if content_type and content_type not in _JSON_TYPES and not content_type.endswith("+json"):
        return Rejected(
            "wrong_content_type",
            f"data of the CloudEvent is {content_type[:80]!r}; expected application/json",
        )
    try:
        fields = _FIELDS.decode(data)
        if is_envelope(fields):
            return Rejected("bad_value", "data of the CloudEvent is a CloudEvent itself; expected a message")
        added = _added(fields, attributes)
    except _BAD_JSON as error:
        return Rejected("invalid_json", f"data of the CloudEvent is not a JSON object in UTF-8: {error}")
    return _encode({**fields, **added}) if added else data


def _added(fields: Mapping[str, msgspec.Raw], attributes: Mapping[str, str]) -> dict[str, str]:
    """What a message lacks and the attributes tell."""

    def lacks(name: str) -> bool:
        value = fields.get(name)
        return value is None or bytes(value) == b"null"

    found: dict[str, str] = {}
    kind = attributes["type"].rpartition(".")[2]
    if lacks("type"):
        if kind in TOPIC_OF_TYPE:
            found["type"] = kind
    else:
        kind = msgspec.json.decode(fields["type"])
    if lacks("at") and attributes.get("time"):
        found["at"] = attributes["time"]
    if isinstance(kind, str) and kind in _WITH_EVENT_ID and lacks("event_id"):
        # An id is unique for its source alone.
        found["event_id"] = f"{attributes['source']} {attributes['id']}"
    return found


def _media_type(content_type: str) -> str:
    """Return a content type without parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()
