"""Every fault of a refused message, for a sender who waits; `schemas.codec` stops at the first.

Each field is tried in a good message in place of its own; what only fields together can be wrong with, the
message as a whole tells. Nothing here runs for a good message.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from schemas.answers import Fault
from schemas.checks import Rejected
from schemas.codec import decode
from schemas.events import TOPIC_OF_TYPE
from schemas.settings import IngestSettings

MOST_FAULTS: Final = 20
"""More are not named."""

_LINE: Final[dict[str, Any]] = {"item_id": "i", "quantity": 1, "unit_price": 1}
_PERSON: Final[dict[str, Any]] = {"user_id": "u", "session_id": "s"}
_GOOD: Final[dict[str, dict[str, Any]]] = {
    "browse": {"event_id": "e", "item_id": "i", **_PERSON},
    "purchase": {"event_id": "e", "order_id": "o", "lines": [_LINE], **_PERSON},
    "rating": {"event_id": "e", "user_id": "u", "item_id": "i", "value": 0, "scale_max": 1e300},
    "item": {"item_id": "i"},
    "customer": {"user_id": "u"},
    "link": {"user_id": "u", "target_id": "t", "weight": 1},
    "impression": {"event_id": "e", "recommendation_id": "r", "items": ["i"], **_PERSON},
    "erasure": {"user_id": "u"},
}
_REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    "browse": ("event_id", "item_id"),
    "purchase": ("lines",),
    "rating": ("event_id", "user_id", "item_id", "value", "scale_max"),
    "item": ("item_id",),
    "customer": ("user_id",),
    "link": ("user_id", "target_id", "weight"),
    "impression": ("event_id", "recommendation_id", "items"),
    "erasure": ("user_id",),
}


def faults(raw: bytes, limits: IngestSettings, *, sent_at: int) -> list[Fault]:
    """Return all faults of a message, the first `MOST_FAULTS` of them; none of a good one.

    Parameters
    ----------
    raw : bytes
        The message.
    limits : IngestSettings
        Sizes and how far in the future `at` may lie.
    sent_at : int
        When it came, epoch ms.

    Examples
    --------
    >>> wrong = b'{"type":"rating","user_id":"","value":"high","scale_max":0,"at":0}'
    >>> [each.field for each in faults(wrong, IngestSettings(), sent_at=0)]
    ['event_id', 'item_id', 'user_id', 'value', 'scale_max']
    """
    try:
        message = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        message = None
    kind = message.get("type") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(kind, str) or kind not in TOPIC_OF_TYPE:
        # Nothing can be said of the fields of what is no message: that it is none is the fault.
        whole = decode("", raw, limits, sent_at=sent_at)
        return [_fault("", whole)] if isinstance(whole, Rejected) else []
    whole = decode(TOPIC_OF_TYPE[kind], raw, limits, sent_at=sent_at)
    if not isinstance(whole, Rejected):
        return []
    found: list[Fault] = []
    for each in _of_fields(kind, message, limits, sent_at):
        if len(found) == MOST_FAULTS:
            break
        found.append(each)
    return found or [_fault("", whole)]


def _of_fields(kind: str, message: dict[str, Any], limits: IngestSettings, sent_at: int) -> Iterator[Fault]:
    good = {"type": kind, "at": sent_at, **_GOOD[kind]}
    for field in (*_REQUIRED[kind], "at"):
        if message.get(field) is None:
            yield Fault(field, "missing_field", f"`{field}` is missing; every {kind} has it")

    def tried(changes: dict[str, Any]) -> Rejected | None:
        raw = msgspec.json.encode(good | changes)
        result = decode(TOPIC_OF_TYPE[kind], raw, limits, sent_at=sent_at)
        return result if isinstance(result, Rejected) else None

    for field, value in message.items():
        if value is None or field == "type":
            continue
        refused = tried({field: value})
        if refused is None:
            continue
        if field == "lines" and isinstance(value, list) and 0 < len(value) <= limits.max_lines:
            for number, line in enumerate(value):
                yield from _of_line(f"lines[{number}]", line, tried)
        else:
            yield _fault(field, refused)
    together = {field: value for field, value in message.items() if tried({field: value}) is None}
    # What was faulty alone is replaced: of it enough is said.
    mended = {field: value for field, value in good.items() if field in _REQUIRED[kind] or field in message}
    base = {"type": kind, "at": sent_at} | mended | together
    result = decode(TOPIC_OF_TYPE[kind], msgspec.json.encode(base), limits, sent_at=sent_at)
    if isinstance(result, Rejected):
        yield _fault("", result)


def _of_line(place: str, line: object, tried: Any) -> Iterator[Fault]:
    if not isinstance(line, dict):
        yield _fault(place, tried({"lines": [line]}))
        return
    for field, good in _LINE.items():
        if line.get(field) is None:
            yield Fault(f"{place}.{field}", "missing_field", f"`{field}` is missing; every line has it")
            continue
        refused = tried({"lines": [_LINE | {field: line.get(field, good)}]})
        if refused is not None:
            yield _fault(f"{place}.{field}", refused)


def _fault(field: str, refused: Rejected) -> Fault:
    return Fault(field, refused.reason, refused.detail)
