"""Questions and answers of the HTTP API, exactly as its clients write and read them (JSON).

`docs/openapi.json` is made from these structs; a client decodes into them.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from schemas.recommendations import Latency, Reason, SegmentProfile

Ids = Annotated[list[str], Meta(max_length=1_000)]
"""Ids of items; more than a thousand are refused."""

Length = Annotated[int, Meta(ge=1, le=1_000)]
"""How many are wanted."""


class Place(msgspec.Struct, frozen=True):
    """One place of a list; `reasons` and `why`, the same in words, are null where they are not wanted."""

    item_id: str
    rank: int
    score: float
    propensity: float | None = None
    reasons: list[Reason] | None = None
    why: list[str] | None = None


class Recommended(msgspec.Struct, frozen=True):
    """A list: the customer's standing one, as in topic `recommendations`, or one made for the question.

    `computed` says that it was made for the question; `recommendation_id` names it in impressions and
    events. `fallback` says that nothing is known of the customer or session, and it is what is popular.
    """

    recommendation_id: str
    user_id: str | None
    at: int
    items: list[Place]
    segment: str | None
    models: dict[str, str]
    computed: bool
    fallback: bool
    caused_by: list[str] = []
    variant: str | None = None
    latency: Latency | None = None


class SessionQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a guest did so far, oldest first; `k` is the server's setting if it is left out."""

    items: Ids
    k: Length | None = None
    exclude: Ids = []
    category: str | None = None
    explain: bool = True


class BasketQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is in a basket; `scope` is what rules are wanted of: orders or sessions."""

    items: Ids
    k: Length | None = None
    exclude: Ids = []
    scope: Annotated[str, Meta(pattern="^(orders|sessions)$")] = "orders"


class ItemRule(msgspec.Struct, frozen=True):
    """A rule to `item_id`; support and confidence in [0, 1]."""

    item_id: str
    count: float
    support: float
    confidence: float
    lift: float


class ItemRules(msgspec.Struct, frozen=True):
    """The rules of an item in one scope, by confidence; topic `association-rules` has more measures."""

    item_id: str
    scope: str
    rules: list[ItemRule]


class BasketRule(msgspec.Struct, frozen=True):
    """A rule from an item of the basket."""

    item_id: str
    count: float
    support: float
    confidence: float
    lift: float


class Addition(msgspec.Struct, frozen=True):
    """What goes with a basket: `score` is 1 - the product of (1 - confidence) over its rules, best first."""

    item_id: str
    score: float
    rules: list[BasketRule]


class BasketAnswer(msgspec.Struct, frozen=True):
    """What goes with a basket, by score."""

    scope: str
    items: list[Addition]


class SegmentAnswer(msgspec.Struct, frozen=True):
    """A customer's segment, and what it is like; null where it is too small to be told of."""

    user_id: str
    segment: str
    distance: float
    at: int
    profile: SegmentProfile | None


class Touched(msgspec.Struct, frozen=True):
    """What a customer did with an item: `weight` of the weightiest action, and when the last one was."""

    item_id: str
    weight: float
    at: int
    had: bool
    disliked: bool


class Session(msgspec.Struct, frozen=True):
    """A session: items of its last actions, oldest first."""

    session_id: str | None
    first_at: int
    last_at: int
    items: list[str]


class HistoryAnswer(msgspec.Struct, frozen=True):
    """A customer's history as of the newest list: items by last action, newest first; last sessions."""

    user_id: str
    at: int
    events: int
    items: list[Touched]
    sessions: list[Session]


class PopularItem(msgspec.Struct, frozen=True):
    """An item with its decayed number of actions."""

    item_id: str
    value: float


class PopularAnswer(msgspec.Struct, frozen=True):
    """What is popular in a scope, best first."""

    scope: str
    items: list[PopularItem]


class Accepted(msgspec.Struct, frozen=True):
    """A message that Kafka has: under which id it counts, and where it is.

    `event_id` is a purchase's order_id where it has no event_id, and null for messages without an id.
    """

    type: str
    event_id: str | None
    topic: str
    partition: int
    offset: int


class EventsAnswer(msgspec.Struct, frozen=True):
    """All messages of the request, in its order."""

    accepted: list[Accepted]


class Fault(msgspec.Struct, frozen=True):
    """One fault: where (`user_id`, `lines[2].quantity`; `[3].at` in an array), its reason, and what it is."""

    field: str
    reason: str
    detail: str


class Problem(msgspec.Struct, frozen=True):
    """Why there is no answer (RFC 9457): what was seen, what was expected, what to do."""

    type: str
    title: str
    status: int
    detail: str
    faults: list[Fault] = []
