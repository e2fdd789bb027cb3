"""The public output messages, exactly as downstream services read them (JSON)."""

from typing import Any

import msgspec

from schemas.messages import Rule

Reason = dict[str, Any]
"""Why an item is in a list: `source` and that source's own numbers."""


class RecommendedItem(msgspec.Struct, frozen=True):
    """One place of a list, with at least one reason.

    `propensity` is the probability, given the places before, that the item took this one; null where a list
    is not explored (`recommend.explore` is 0), and nothing in it was left to chance.
    """

    item_id: str
    rank: int
    score: float
    propensity: float | None
    reasons: list[Reason]


class Latency(msgspec.Struct, frozen=True):
    """When the newest event of the list happened, was read and was answered (epoch ms, UTC)."""

    event_at: int
    ingested_at: int
    emitted_at: int


class Recommendation(msgspec.Struct, frozen=True):
    """A customer's (or guest's) refreshed list."""

    recommendation_id: str
    user_id: str | None
    session_id: str | None
    at: int
    caused_by: list[str]
    items: list[RecommendedItem]
    segment: str | None
    models: dict[str, str]
    variant: str | None
    latency: Latency


class AssociationRules(msgspec.Struct, frozen=True):
    """All published rules of one item in one scope, sorted by lift, then id."""

    item_id: str
    scope: str
    transactions: float
    count: float
    rules: list[Rule]


class Similar(msgspec.Struct, frozen=True):
    """A similar item: cosine in [0, 1] and the weighted number of customers in common."""

    item_id: str
    similarity: float
    count: float


class SimilarItems(msgspec.Struct, frozen=True):
    """What `freshrec similar ITEM` prints."""

    item_id: str
    items: list[Similar]


class Segment(msgspec.Struct, frozen=True):
    """A customer's segment and the distance to its centre in standardised units."""

    user_id: str
    segment: str
    distance: float
    at: int


class SegmentProfile(msgspec.Struct, frozen=True):
    """What a segment is like."""

    segment: str
    size: int
    recency_s: float
    frequency: float
    monetary: float
    top_categories: list[str]
    top_items: list[str]
    at: int


class Rejection(msgspec.Struct, frozen=True):
    """A refused record: why, where it was, and its first 4 KiB."""

    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    at: int
    raw_base64: str
