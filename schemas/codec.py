"""Bytes <-> public messages: a record becomes a checked message, or a `Rejected` that says why.

Nothing raises for bad input, and a refused record costs no more than an accepted one.
"""

import msgspec

from schemas.checks import Rejected, check
from schemas.cloud_events import SPECVERSION, Headers, is_envelope, open_record, open_structured
from schemas.events import (
    TOPIC_OF_TYPE,
    Browse,
    Customer,
    Erasure,
    Impression,
    Item,
    Link,
    PublicMessage,
    Purchase,
    Rating,
)
from schemas.settings import IngestSettings
from schemas.times import parse_at


class Decoded(msgspec.Struct, frozen=True):
    """A checked message, its time (epoch ms) and how many fields nobody knows it had."""

    message: PublicMessage
    at: int
    unknown_fields: int


_TYPES: dict[str, type[PublicMessage]] = {
    "browse": Browse,
    "purchase": Purchase,
    "rating": Rating,
    "item": Item,
    "customer": Customer,
    "link": Link,
    "impression": Impression,
    "erasure": Erasure,
}
_DECODERS = {name: msgspec.json.Decoder(type_) for name, type_ in _TYPES.items()}
_KNOWN = {name: frozenset(type_.__struct_encode_fields__) | {"type"} for name, type_ in _TYPES.items()}
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
YEAR_2100_MS = 4_102_444_800_000


def decode_record(
    topic: str, raw: bytes | None, limits: IngestSettings, *, sent_at: int | None, headers: Headers
) -> Decoded | Rejected:
    """Decode and check a record that has headers, which may make an event in binary mode of it."""
    if raw and len(raw) <= limits.max_value_bytes:
        return _decode_opened(topic, open_record(raw, headers), limits, sent_at)
    return decode(topic, raw, limits, sent_at=sent_at)


def decode(
    topic: str, raw: bytes | None, limits: IngestSettings, *, sent_at: int | None = None
) -> Decoded | Rejected:
    """Decode and check the value of one record of a public topic: a message, or a CloudEvent that bears one.

    Parameters
    ----------
    topic : str
        Public topic without prefix; a message of another topic's type is refused.
    raw : bytes or None
        The record's value.
    limits : IngestSettings
        Sizes and how far in the future `at` may lie.
    sent_at : int, optional
        The record's Kafka timestamp, epoch ms; without one (files) `at` may lie before the year 2100.

    Examples
    --------
    >>> decode("ratings", b'{"type":"rating"}', IngestSettings())
    Rejected(reason='missing_field', detail='Object missing required field `at`')
    >>> decode("ratings", b"{", IngestSettings()).reason
    'invalid_json'
    """
    if not raw:
        return Rejected("empty_value", "the record has no value; expected a JSON object")
    if len(raw) > limits.max_value_bytes:
        return Rejected("too_large", f"{len(raw)} bytes; at most {limits.max_value_bytes} are accepted")
    try:
        fields = _FIELDS.decode(raw)
        # The first half alone is asked of an ordinary message.
        if SPECVERSION in fields and is_envelope(fields):
            return _decode_opened(topic, open_structured(fields), limits, sent_at)
        name = _type_name(fields)
        if isinstance(name, Rejected):
            return name
        if TOPIC_OF_TYPE[name] != topic:
            return Rejected(
                "wrong_topic", f"type {name!r} belongs in topic {TOPIC_OF_TYPE[name]!r}, not {topic!r}"
            )
        message = _DECODERS[name].decode(raw)
    except msgspec.ValidationError as error:
        return _invalid(str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Rejected("invalid_json", f"not a JSON object in UTF-8: {error}")
    at = parse_at(message.at)
    if at is None:
        return Rejected(
            "bad_value", f"at is {message.at!r}; expected RFC 3339 with a zone or epoch milliseconds"
        )
    latest = YEAR_2100_MS if sent_at is None else sent_at + limits.max_future_s * 1000
    if at > latest:
        return Rejected("in_future", f"at is {at}; the latest time that is accepted here is {latest}")
    refused = check(name, message, limits)
    if refused is not None:
        return refused
    known = _KNOWN[name]
    return Decoded(message, at, sum(field not in known for field in fields))


def _decode_opened(
    topic: str, opened: bytes | Rejected, limits: IngestSettings, sent_at: int | None
) -> Decoded | Rejected:
    return opened if isinstance(opened, Rejected) else decode(topic, opened, limits, sent_at=sent_at)


def _type_name(fields: dict[str, msgspec.Raw]) -> str | Rejected:
    raw = fields.get("type")
    if raw is None:
        return Rejected("missing_field", "Object missing required field `type`")
    name = msgspec.json.decode(raw)
    if not isinstance(name, str) or name not in _TYPES:
        return Rejected("unknown_type", f"type is {str(name)[:80]!r}; expected one of {', '.join(_TYPES)}")
    return name


def _invalid(error: str) -> Rejected:
    if error.startswith("Object missing required field"):
        return Rejected("missing_field", error)
    if "got `null`" in error and "at `$." in error and not error.endswith("]`"):
        return Rejected("missing_field", error)
    if error.startswith("Expected `object`") and "at `$" not in error:
        return Rejected("invalid_json", f"not a JSON object: {error}")
    return Rejected("bad_value", error)
