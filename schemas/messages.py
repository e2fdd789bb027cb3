"""What travels between stages, packed: msgpack arrays, many entries in one Kafka record.

`events` entries carry where they came from; every other message is a `Packet` that says which
range of its source it covers, so that a replay, another cut of batches or a zombie does no harm.
"""

from typing import Generic, TypeVar

import msgspec

Body = TypeVar("Body")
Position = tuple[int, int]
"""(offset in the source partition, ordinal of the entry inside that record)."""

BEFORE_ALL: Position = (-1, -1)
SIMILARITY, ORDERS, SESSIONS = 0, 1, 2
SCOPES = ("similarity", "orders", "sessions")
"""Kinds of pair counts, in the order of their codes."""

FORWARD, BACKWARD = 0, 1
"""Directions of a pair: into the row of its item, or into those of its partners."""

WEIGHT_ONE = 1 << 20
"""Fixed-point one of implicit weights; similarity counts are integers in this unit."""


class Line(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One item inside an event, with what ingest knew of it when the event was appended."""

    item: str
    categories: list[str]
    quantity: float = 1.0
    unit_price: float | None = None
    tags: list[str] = []


class Event(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A validated public event, keyed (`u:`, `s:` or `o:` + id) and enriched by ingest.

    `kind` is one of view, cart, purchase, rating, customer, link, impression, erasure.
    `topic`, `partition` and `offset` name the public record, `sent_at` is its Kafka timestamp and
    `ingested_at` when ingest read it (epoch ms); `profiling` is the customer's consent; `arm` is the variant
    of an experiment that the customer is in, as `EXPERIMENT:VARIANT`.
    """

    key: str
    kind: str
    at: int
    topic: str
    partition: int
    offset: int
    sent_at: int
    ingested_at: int
    event_id: str | None = None
    session_id: str | None = None
    order_id: str | None = None
    lines: list[Line] = []
    value: float | None = None
    scale_max: float | None = None
    recommendation_id: str | None = None
    attributes: dict[str, str] | None = None
    target: str | None = None
    profiling: bool = True
    arm: str | None = None


class EventBatch(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One record of the `events` topic: entries in order, and the ids of the topics they came from."""

    topic_ids: dict[str, str]
    events: list[Event]


class Packet(msgspec.Struct, Generic[Body], array_like=True, frozen=True, gc=False):
    """All outputs of the source range (after, upto] for one destination partition.

    `positions` has one position in the source per entry, ascending; a reader skips what it has applied.
    `after` is the last `upto` that was sent to the destination; a reader whose mark is below it has a gap.
    """

    epoch: int
    source_topic: str
    source_partition: int
    after: Position
    upto: Position
    positions: list[Position]
    entries: list[Body]


class Fact(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An event as `history` accepted it, once, with the customer's behaviour after it.

    `features` is the vector of `online_models.features` when the customer is to be sampled or said something
    about themselves, and empty otherwise, as always for guests and without consent;
    `session_start` is True when this event opened a session; `gained` holds the increase of the
    implicit weight of each line's item, in units of `WEIGHT_ONE`. `attributes` are what a customer told.
    """

    key: str
    kind: str
    at: int
    lines: list[Line]
    gained: list[int]
    session_start: bool
    features: list[float]
    value: float | None = None
    recommendation_id: str | None = None
    target: str | None = None
    attributes: dict[str, str] | None = None


class ItemTouch(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What one event added to the counts of one item: (similarity, orders, sessions), and its popularity."""

    event: int
    item: int
    added: tuple[int, int, int]
    weight: int
    categories: list[str]


class PairDeltas(msgspec.Struct, frozen=True, gc=False):
    """Amounts that one event adds to pairs of `item` with each of `partners`, in one scope.

    `code` is event * 8 + scope * 2 + direction: FORWARD changes the row of the item, BACKWARD the rows of
    the partners, each in what it counts of the other. Items are indices of names.
    """

    code: int
    item: int
    partners: list[int]
    amounts: list[int]


class PairColumns(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Many `PairDeltas` as columns of little-endian int32.

    One number per group in `codes`, `items` and `lengths`, one per pair in `partners` and `amounts`; the
    amounts are int64 where one of them is too large.
    """

    codes: bytes = b""
    items: bytes = b""
    lengths: bytes = b""
    partners: bytes = b""
    amounts: bytes = b""


class ItemTouches(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The part of `ItemDeltas` that is about items alone; a reader of it skips the pairs unread.

    `names` is the string table; `positions` and `ats` (epoch ms) have one entry per event; `touches` ascend
    by event.
    """

    names: list[str]
    positions: list[Position]
    ats: list[int]
    touches: list[ItemTouch]


class ItemDeltas(ItemTouches, array_like=True, frozen=True, gc=False):
    """Count changes for the items of one partition, packed; `pairs` ascend by event, too."""

    pairs: PairColumns


class Sample(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A customer's behaviour for the global models: features now and when last sampled, items since.

    `items` are (item, categories, weight in units of `WEIGHT_ONE`).
    """

    at: int
    features: list[float]
    previous: list[float]
    items: list[tuple[str, list[str], int]]
    spent: float
    purchases: int


class Lesson(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What could have been recommended to somebody, and what they acted on next: what the ranker learns from.

    `features` are float16, little-endian, shape (candidates, width); `version` says what they mean. `chosen`
    are the candidates that were acted on, by place.
    """

    at: int
    version: int
    width: int
    chosen: list[int]
    features: bytes


class RankerWeights(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The ranker as of `learned` lessons: its weights as float32, little-endian (`online_models.ranker`).

    `weights` has shape (width + 1, units + 1), `out` shape (units,); `version` says what the features mean.
    """

    version: int
    learned: int
    width: int
    units: int
    weights: bytes
    out: bytes


class Totals(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Cumulative N per scope (similarity unused, orders, sessions) of one `events` partition."""

    partition: int
    epoch: int
    totals: tuple[int, int, int]
    newest_at: int


class ItemCounts(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """n of one item per scope, under the decay landmark `epoch` (see `online_models.decay`)."""

    item: str
    epoch: int
    counts: tuple[int, int, int]


class ItemFacts(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The catalogue row that the views hold; `words` are those that its text has most often."""

    item: str
    title: str | None
    categories: list[str]
    brand: str | None
    price: float | None
    tags: list[str]
    available: bool
    at: int
    words: list[str] = []


class CustomerFacts(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The customer row that the views hold."""

    user: str
    attributes: dict[str, str]
    profiling: bool
    at: int


class Rule(msgspec.Struct, frozen=True, gc=False):
    """i -> `item_id` with its measures, as `association-rules` publishes them."""

    item_id: str
    count: float
    support: float
    confidence: float
    lift: float
    leverage: float
    conviction: float | None
    llr: float


class Neighbour(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A similar item: cosine in [0, 1] and the weighted number of customers in common."""

    item_id: str
    similarity: float
    count: float


class NeighbourRule(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """i -> `item_id` with the measures that an answer gives as its reason."""

    item_id: str
    count: float
    support: float
    confidence: float
    lift: float


class Neighbours(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """All that the recommender wants to know of one item's partners, best first in each list.

    `rules` maps a scope (orders, sessions) to rules sorted by confidence.
    """

    item: str
    similar: list[Neighbour]
    rules: dict[str, list[NeighbourRule]]


class Popular(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The most popular items of one partition in one scope (`all`, `category:x`): (item, value).

    Values are forward-decayed under the landmark `epoch`: compare across rows with
    `online_models.decay.Decay.rescale`.
    """

    partition: int
    scope: str
    epoch: int
    items: list[tuple[str, int]]


class SegmentTop(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One segment: how many customers, what they do, and the items they like: (item, value)."""

    size: int
    recency_s: float
    frequency: float
    monetary: float
    top_categories: list[str]
    top_items: list[tuple[str, float]]


class Centroids(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The clustering as published: per-feature mean and deviation, centres (standardised), segments."""

    version: str
    mean: list[float]
    deviation: list[float]
    centres: list[list[float]]
    segments: list[SegmentTop]
    at: int
