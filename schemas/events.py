"""The public input messages, one struct per `type`, exactly as a storefront produces them.

Nothing here checks more than types and presence; `schemas.codec` turns bytes into one of these or
into a `Rejected` with the reason.
"""

import msgspec

Timestamp = int | str
"""`at` as it arrives: epoch milliseconds or RFC 3339."""


class OrderLine(msgspec.Struct, frozen=True):
    """One line of a purchase: `quantity` pieces at `unit_price` each."""

    item_id: str
    quantity: float
    unit_price: float


class _Public(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    at: Timestamp


class Browse(_Public, tag="browse", kw_only=True, frozen=True):
    """A customer or guest looked at an item, or put it into the cart."""

    event_id: str
    item_id: str
    user_id: str | None = None
    session_id: str | None = None
    action: str | None = None
    dwell_s: float | None = None
    recommendation_id: str | None = None


class Purchase(_Public, tag="purchase", kw_only=True, frozen=True):
    """An order; `event_id` or `order_id` names it."""

    lines: list[OrderLine]
    event_id: str | None = None
    order_id: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    recommendation_id: str | None = None


class Rating(_Public, tag="rating", kw_only=True, frozen=True):
    """A customer's judgement of an item: `value` on a scale from 0 to `scale_max`."""

    event_id: str
    user_id: str
    item_id: str
    value: float
    scale_max: float


class Item(_Public, tag="item", kw_only=True, frozen=True):
    """An item of the catalogue; the newest message by arrival holds."""

    item_id: str
    title: str | None = None
    categories: list[str] | None = None
    brand: str | None = None
    price: float | None = None
    tags: list[str] | None = None
    text: str | None = None
    available: bool | None = None


class Consent(msgspec.Struct, frozen=True):
    """What a customer agreed to; absent means agreed."""

    profiling: bool | None = None


class Customer(_Public, tag="customer", kw_only=True, frozen=True):
    """What the shop knows of a customer apart from behaviour."""

    user_id: str
    age_band: str | None = None
    gender: str | None = None
    location: str | None = None
    income_band: str | None = None
    consent: Consent | None = None


class Link(_Public, tag="link", kw_only=True, frozen=True):
    """`user_id` follows `target_id`; weight 0 ends it."""

    user_id: str
    target_id: str
    weight: float


class Impression(_Public, tag="impression", kw_only=True, frozen=True):
    """Which items of a recommendation were really shown."""

    event_id: str
    recommendation_id: str
    items: list[str]
    user_id: str | None = None
    session_id: str | None = None


class Erasure(_Public, tag="erasure", kw_only=True, frozen=True):
    """A customer asks to be forgotten."""

    user_id: str


PublicMessage = Browse | Purchase | Rating | Item | Customer | Link | Impression | Erasure

TOPIC_OF_TYPE = {
    "browse": "browses",
    "purchase": "purchases",
    "rating": "ratings",
    "item": "items",
    "customer": "customers",
    "link": "links",
    "impression": "impressions",
    "erasure": "erasures",
}
"""Public topic (without prefix) in which each `type` arrives."""
