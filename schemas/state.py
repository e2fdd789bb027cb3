"""The rows that stages keep in RocksDB. Each row type has a version in `ROW_VERSIONS`.

decode(encode(row)) equals the row, always; every structure is bounded by a setting. Rows hold no cycles,
so the garbage collector need not look at the millions that are cached (gc=False).
"""

import msgspec

from schemas.experiments import Exposure
from schemas.messages import Position
from schemas.times import MIN_EPOCH_MS

ROW_VERSIONS = {
    "history": 6,
    "rules": 2,
    "popularity": 2,
    "segments": 1,
    "clusters": 1,
    "ranker": 1,
    "outcomes": 1,
    "trees": 1,
    "density": 1,
    "profiles": 1,
    "needs": 1,
    "totals": 1,
    "experiments": 1,
    "store": 2,
    "views": 1,
}
"""Versions of the rows: of a stage, of N, of arms of experiments, of what every store says of itself, and of
followed topics.

Rows as they were stored under a version are kept in tests/fixtures/state: what is not read any more is
deleted there.
"""


class ItemMark(msgspec.Struct, array_like=True, gc=False):
    """What a customer did with an item: largest implicit weight (units of WEIGHT_ONE), when last, flags.

    `had` is True once bought or rated, `disliked` after a low rating. `met` numbers the customer's items in
    the order in which they were first met, from 1 on, `met_at` is when; `acted` is the sum of the weights of
    all actions. 0 in `met` is an item that an older version noted: what it taught is not known.
    """

    weight: int
    at: int
    had: bool = False
    disliked: bool = False
    met: int = 0
    met_at: int = 0
    acted: int = 0


class SessionMark(msgspec.Struct, array_like=True, gc=False):
    """A session of a customer: its id as given, first and last event (epoch ms), distinct items in order.

    `acts` are the items of its last actions of any kind, oldest first, repeats kept.
    """

    session_id: str | None
    first_at: int
    last_at: int
    items: list[str]
    acts: list[str] = []


class OrderMark(msgspec.Struct, array_like=True, gc=False):
    """An order that counted: when, and its distinct items."""

    at: int
    items: list[str]


class Behaviour(msgspec.Struct, array_like=True, gc=False):
    """Bounded sums over a customer's events, from which `online_models.features` makes the vector.

    `unsampled` counts the actions since the vector was last given out.
    """

    events: int = 0
    views: int = 0
    carts: int = 0
    purchases: int = 0
    ratings: int = 0
    sessions: int = 0
    spent: float = 0.0
    price_sum: float = 0.0
    priced: int = 0
    rating_sum: float = 0.0
    first_at: int = 0
    last_at: int = 0
    session_items: int = 0
    categories: dict[str, float] = {}
    attributes: dict[str, str] = {}
    unsampled: int = 0


class Pending(msgspec.Struct, array_like=True, gc=False):
    """A refresh that is owed: the newest causing record and the ids of the events it answers."""

    topic: str
    partition: int
    offset: int
    event_at: int
    sent_at: int
    ingested_at: int
    event_ids: list[str]


class HistoryRow(msgspec.Struct, array_like=True, gc=False):
    """One customer or guest.

    `items` is ordered by last action, oldest first; `seen` is the concatenation of 8-byte digests
    of the last event and order ids; `taught` counts events in the hour `taught_hour`; `orders` are the last
    ones, oldest first; `met` is how many items were met so far; `shown` are the items that were shown last,
    at `shown_at`; `follows` are those whom the customer follows, by digest, with the weights of the links,
    the last one last; `exposure` is the experiment that one takes part in.
    """

    items: dict[str, ItemMark] = {}
    sessions: list[SessionMark] = []
    seen: bytes = b""
    behaviour: Behaviour = msgspec.field(default_factory=Behaviour)
    last_at: int = 0
    taught_hour: int = 0
    taught: int = 0
    newest: Pending | None = None
    erased_until: int = MIN_EPOCH_MS - 1
    orders: list[OrderMark] = []
    met: int = 0
    shown: list[str] = []
    shown_at: int = 0
    follows: dict[int, float] = {}
    exposure: Exposure | None = None


class SessionRows(msgspec.Struct, array_like=True, gc=False):
    """A session index (`online_models.session_index`) as a whole; arrays as little-endian bytes.

    `newest` is the number of the newest session, `width` the items of a row, `names` the item ids by number,
    "" for the numbers in `free`; of keys only digests are here. int32: `items` (sessions, width), `links`
    (places, 2); int64: `about` (sessions, 4), `owners` (sessions, 2), `heads` and `counts` (items,).
    """

    newest: int
    width: int
    names: list[str]
    free: list[int]
    items: bytes
    links: bytes
    about: bytes
    owners: bytes
    heads: bytes
    counts: bytes


class SavedSessions(msgspec.Struct, array_like=True, gc=False):
    """A session index as it is saved for the next start, and how far it has read `facts`.

    `offsets` are the next ones by partition, `marks` what was learned of each partition of `events`, with its
    epoch; `topic_id` is Kafka's id of `facts`.
    """

    version: int
    topic_id: str
    offsets: dict[int, int]
    marks: dict[int, tuple[int, Position]]
    rows: SessionRows


class ContentRows(msgspec.Struct, array_like=True, gc=False):
    """A content index (`online_models.content_index`) as a whole; arrays as little-endian bytes.

    `described` items had been described before, `names` are the ids of the rows taken so far. int32:
    `buckets` and `links` (rows, attributes), `heads` and `items_with` (buckets,); float32: `weights` (rows,
    attributes); int64: `lengths` and `numbers` (rows,).
    """

    described: int
    capacity: int
    names: list[str]
    buckets: bytes
    weights: bytes
    links: bytes
    lengths: bytes
    numbers: bytes
    heads: bytes
    items_with: bytes


class SavedContents(msgspec.Struct, array_like=True, gc=False):
    """A content index as it is saved for the next start; `offsets` of the catalogue's topic by partition."""

    version: int
    offsets: dict[int, int]
    rows: ContentRows


class RuleRow(msgspec.Struct, array_like=True, gc=False):
    """All counts of one item: its own n per scope, and its partners' pair counts.

    Counts are integers under the decay landmark `epoch`; `updates` counts the changes of the row. `pairs` is
    a table of `online_models.pair_table`.
    """

    epoch: int = 0
    updates: int = 0
    counts: list[int] = msgspec.field(default_factory=lambda: [0, 0, 0])
    pairs: bytearray = msgspec.field(default_factory=bytearray)
    at: int = 0


class RankerRow(msgspec.Struct, array_like=True, gc=False):
    """The ranker: its weights and the sums of its squared gradients, float32, after `learned` lessons.

    `version` and `width` say what the features of a candidate are.
    """

    version: int
    width: int
    learned: int
    weights: bytearray
    out: bytearray
    squares: bytearray
    out_squares: bytearray


class TotalsRow(msgspec.Struct, array_like=True, gc=False):
    """Cumulative N per scope of one partition under the decay landmark `epoch`."""

    epoch: int = 0
    totals: list[int] = msgspec.field(default_factory=lambda: [0, 0, 0])
    newest_at: int = 0


class ExpiryRow(msgspec.Struct, array_like=True, gc=False):
    """The highest `at` of the partition, and how many chunks of guests each hour holds."""

    watermark: int = -1
    chunks: dict[int, int] = {}


class GuestChunk(msgspec.Struct, array_like=True, gc=False):
    """Keys of guests who had an event in one hour; bounded, an hour has many chunks."""

    keys: list[str] = []


class PopularityRow(msgspec.Struct, array_like=True, gc=False):
    """Decayed popularity: of one item (`counts` has one entry) or the leaders of one scope.

    `categories` are those in which the item stands among the leaders.
    """

    epoch: int = 0
    counts: dict[str, int] = {}
    updates: int = 0
    categories: list[str] = []


class SegmentRow(msgspec.Struct, array_like=True, gc=False):
    """What the segments stage keeps of a customer: features when last sampled, items since then."""

    features: list[float] = []
    sampled: list[float] = []
    items: list[tuple[str, list[str], int]] = []
    spent: float = 0.0
    purchases: int = 0
    events: int = 0
    at: int = 0


class MetaRow(msgspec.Struct, array_like=True, gc=False):
    """Whose store this is; another value refuses to open.

    `epoch` numbers the beginnings of the stage; the store counts its source from offset `begins_at` on, and
    of what "topic/partition" of another stage sent nothing below its epoch in `least_epochs`. `migrated_at`
    is the source offset at which the learning settings changed last.
    """

    format: int
    build: str
    cluster_id: str
    topic: str
    topic_id: str
    partition: int
    partitions: int
    stage: str
    epoch: int
    fingerprint: str
    settings: dict[str, str]
    begins_at: int = 0
    least_epochs: dict[str, int] = {}
    migrated_at: int | None = None


class ProgressRow(msgspec.Struct, array_like=True, gc=False):
    """Written in the same batch as the rows: next source offset, marks of what was applied and sent.

    `applied` maps "topic/partition" of a source to the last applied position and epoch, `sent` maps
    "topic/partition" of a destination to the last `upto` sent there, `pending` are customers whose
    refresh is owed.
    """

    next_offset: int = 0
    applied: dict[str, tuple[int, Position]] = {}
    sent: dict[str, Position] = {}
    pending: dict[str, Pending] = {}


class StandingRow(msgspec.Struct, array_like=True, gc=False):
    """The list that a customer or guest was given last: its id, items, segment and event time (epoch ms)."""

    list_id: str
    items: list[str]
    segment: str | None
    at: int


class PublishedRow(msgspec.Struct, array_like=True, gc=False):
    """What was last published of one item: the row's `updates` then, and digests of each message."""

    updates: int = 0
    digests: dict[str, bytes] = {}


class ViewRow(msgspec.Struct, array_like=True, gc=False):
    """A followed row as it arrived: its version (epoch, source partition, offset) and its bytes."""

    version: tuple[int, int, int]
    value: bytes


class ViewProgress(msgspec.Struct, array_like=True, gc=False):
    """The next offset of each partition of a followed topic."""

    offsets: dict[int, int] = {}
