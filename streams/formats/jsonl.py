"""`jsonl`: the public messages themselves, one a line, bare or as structured CloudEvents.

Only what is needed to route a line is looked at; ingest checks the message and refuses with its reasons.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from schemas.checks import Rejected
from schemas.cloud_events import open_value
from schemas.events import TOPIC_OF_TYPE
from schemas.times import parse_at
from streams.formats.entries import Entry, FileRecord, UnreadableLine
from streams.formats.source import Source

KEY_FIELDS: Final = {
    "browses": ("user_id", "session_id"),
    "purchases": ("user_id", "order_id"),
    "ratings": ("user_id",),
    "items": ("item_id",),
    "customers": ("user_id",),
    "links": ("user_id",),
    "impressions": ("user_id", "session_id"),
    "erasures": ("user_id",),
}
"""Fields of a message that its key is taken from, by topic; the first that is there."""


class _Envelope(msgspec.Struct):
    """The fields that decide about topic, key and time."""

    type: str | None = None
    at: int | str | None = None
    user_id: str | None = None
    session_id: str | None = None
    order_id: str | None = None
    item_id: str | None = None
    specversion: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_FIELD_TYPES: Final[dict[str, tuple[type, ...]]] = {"at": (int, str)}
_decode: Final = msgspec.json.Decoder(_Envelope).decode


def read_jsonl(source: Source) -> Iterator[Entry]:
    """Yield each line as it stands, for the topic that its type names."""
    at = 0
    for entry in source.raw_lines():
        if isinstance(entry, UnreadableLine):
            yield entry
            continue
        line, raw = entry
        value = raw.strip()
        if not value:
            continue
        envelope = _envelope(value)
        if isinstance(envelope, _Envelope) and envelope.specversion is not msgspec.UNSET:
            envelope = _of_cloud_event(value, envelope)
        if isinstance(envelope, Rejected):
            yield UnreadableLine(line, envelope.reason, envelope.detail)
            continue
        topic = TOPIC_OF_TYPE.get(envelope.type or "")
        if topic is None:
            yield _unknown_type(line, envelope.type)
            continue
        if envelope.at is not None:
            parsed = parse_at(envelope.at)
            at = at if parsed is None else parsed
        key = next((key for field in KEY_FIELDS[topic] if (key := getattr(envelope, field))), "")
        yield FileRecord(topic, key, value, at, line)


def _unknown_type(line: int, type_: str | None) -> UnreadableLine:
    if not type_:
        return UnreadableLine(line, "missing_field", "type")
    return UnreadableLine(line, "unknown_type", f"{type_[:80]!r}, expected {', '.join(TOPIC_OF_TYPE)}")


def _of_cloud_event(value: bytes, outer: _Envelope) -> _Envelope | Rejected:
    """Decode what routing needs of the message in a CloudEvent, if it is one."""
    message = open_value(value)
    if message is value:
        return outer
    return message if isinstance(message, Rejected) else _envelope(message)


def _envelope(value: bytes) -> _Envelope | Rejected:
    """Decode what routing needs, or say why the line is no message at all."""
    try:
        return _decode(value)
    except msgspec.ValidationError:
        return _lenient_envelope(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Rejected("invalid_json", str(error))


def _lenient_envelope(value: bytes) -> _Envelope | Rejected:
    """Take what has the right type: a message with a wrong field still has to reach its topic."""
    try:
        message = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Rejected("invalid_json", str(error))
    if not isinstance(message, dict):
        return Rejected("invalid_json", f"expected an object, got {type(message).__name__}")
    return _Envelope(
        **{
            field: message[field]
            for field in _Envelope.__struct_fields__
            if type(message.get(field)) in _FIELD_TYPES.get(field, (str,))
        }
    )
