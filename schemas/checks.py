"""What a public message must fulfil beyond types and presence; a fault is a value, never an exception."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from schemas.events import Browse, Customer, Erasure, Impression, Item, Link, PublicMessage, Purchase, Rating
from schemas.settings import IngestSettings

_ACTIONS = frozenset({None, "view", "cart"})


class Rejected(msgspec.Struct, frozen=True):
    """A record that is refused: `reason` is a short name, `detail` a sentence for its sender."""

    reason: str
    detail: str


def check(name: str, message: PublicMessage, limits: IngestSettings) -> Rejected | None:
    """Return why a message of type `name` is refused, None when it is good."""
    return _CHECKS[name](message, limits)


def _bad_id(limits: IngestSettings, required: Iterable[tuple[str, str | None]]) -> Rejected | None:
    for name, value in required:
        if value is None:
            continue
        if not value:
            return Rejected("missing_field", f"`{name}` is empty")
        if len(value) > limits.max_id_bytes // 4 and len(value.encode()) > limits.max_id_bytes:
            return Rejected("bad_value", f"`{name}` has over {limits.max_id_bytes} bytes")
    return None


def _check_browse(x: Browse, limits: IngestSettings) -> Rejected | None:
    if x.user_id is None and x.session_id is None:
        return Rejected("missing_field", "a browse needs `user_id`, or `session_id` for a guest")
    if x.action not in _ACTIONS:
        return Rejected("bad_value", f"`action` is {x.action!r}; expected 'view' or 'cart'")
    if x.dwell_s is not None and not (math.isfinite(x.dwell_s) and x.dwell_s >= 0):
        return Rejected("bad_value", f"`dwell_s` is {x.dwell_s}; expected seconds, 0 or more")
    ids = (
        ("event_id", x.event_id),
        ("item_id", x.item_id),
        ("user_id", x.user_id),
        ("session_id", x.session_id),
        ("recommendation_id", x.recommendation_id),
    )
    return _bad_id(limits, ids)


def _check_purchase(x: Purchase, limits: IngestSettings) -> Rejected | None:
    if x.event_id is None and x.order_id is None:
        return Rejected("missing_field", "a purchase needs `event_id` or `order_id`")
    if x.user_id is None and x.order_id is None:
        return Rejected("missing_field", "a guest's purchase needs `order_id`")
    if not x.lines:
        return Rejected("missing_field", "`lines` is empty; expected at least one line")
    if len(x.lines) > limits.max_lines:
        return Rejected("bad_value", f"{len(x.lines)} lines; at most {limits.max_lines} are accepted")
    for line in x.lines:
        if not (math.isfinite(line.quantity) and line.quantity > 0):
            return Rejected("bad_value", f"`quantity` is {line.quantity}; expected a number above 0")
        if not (math.isfinite(line.unit_price) and line.unit_price >= 0):
            return Rejected("bad_value", f"`unit_price` is {line.unit_price}; expected a number, 0 or more")
    ids = [
        ("event_id", x.event_id),
        ("order_id", x.order_id),
        ("user_id", x.user_id),
        ("session_id", x.session_id),
        ("recommendation_id", x.recommendation_id),
    ]
    return _bad_id(limits, ids + [("item_id", line.item_id) for line in x.lines])


def _check_rating(x: Rating, limits: IngestSettings) -> Rejected | None:
    if not (math.isfinite(x.scale_max) and x.scale_max > 0):
        return Rejected("bad_value", f"`scale_max` is {x.scale_max}; expected a number above 0")
    if not 0 <= x.value <= x.scale_max:
        return Rejected("bad_value", f"`value` is {x.value}; expected a number from 0 to {x.scale_max}")
    return _bad_id(limits, (("event_id", x.event_id), ("user_id", x.user_id), ("item_id", x.item_id)))


def _check_item(x: Item, limits: IngestSettings) -> Rejected | None:
    if x.price is not None and not (math.isfinite(x.price) and x.price >= 0):
        return Rejected("bad_value", f"`price` is {x.price}; expected a number, 0 or more")
    return _bad_id(limits, (("item_id", x.item_id),))


def _check_customer(x: Customer, limits: IngestSettings) -> Rejected | None:
    return _bad_id(limits, (("user_id", x.user_id),))


def _check_link(x: Link, limits: IngestSettings) -> Rejected | None:
    if not (math.isfinite(x.weight) and x.weight >= 0):
        return Rejected("bad_value", f"`weight` is {x.weight}; expected a number, 0 or more")
    return _bad_id(limits, (("user_id", x.user_id), ("target_id", x.target_id)))


def _check_impression(x: Impression, limits: IngestSettings) -> Rejected | None:
    if x.user_id is None and x.session_id is None:
        return Rejected("missing_field", "an impression needs `user_id`, or `session_id` for a guest")
    if not x.items:
        return Rejected("missing_field", "`items` is empty; expected at least one item")
    if len(x.items) > limits.max_lines:
        return Rejected("bad_value", f"{len(x.items)} items; at most {limits.max_lines} are accepted")
    ids = [
        ("event_id", x.event_id),
        ("recommendation_id", x.recommendation_id),
        ("user_id", x.user_id),
        ("session_id", x.session_id),
    ]
    return _bad_id(limits, ids + [("items", item) for item in x.items])


def _check_erasure(x: Erasure, limits: IngestSettings) -> Rejected | None:
    return _bad_id(limits, (("user_id", x.user_id),))


_CHECKS: dict[str, Callable[[Any, IngestSettings], Rejected | None]] = {
    "browse": _check_browse,
    "purchase": _check_purchase,
    "rating": _check_rating,
    "item": _check_item,
    "customer": _check_customer,
    "link": _check_link,
    "impression": _check_impression,
    "erasure": _check_erasure,
}
