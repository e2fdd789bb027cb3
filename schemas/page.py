"""What the page of `freshrec serve` is told, as JSON; it may change with the page.

Programs ask the API (`schemas.answers`) instead.
"""

import msgspec

from schemas.answers import HistoryAnswer, ItemRule, Recommended, SegmentAnswer
from schemas.experiments import ExperimentReport, MetricInWords
from schemas.recommendations import Similar

Titles = dict[str, str]
"""Items by id, with what the shop calls them; an item without a title is not in it."""


class Quantiles(msgspec.Struct, frozen=True):
    """Of the times of one second, in ms."""

    p50: int
    p95: int
    p99: int


class FlowPoint(msgspec.Struct, frozen=True):
    """What came in one second up to `at` (epoch ms).

    `events` are those that workers have learned, by kind; `lists` those that they have told. `event_ms` is
    from an event's own time to its list, `work_ms` from when it was read; null where no list came.
    """

    at: int
    events: dict[str, int]
    lists: int
    requests: int
    event_ms: Quantiles | None
    work_ms: Quantiles | None


class FlowNews(msgspec.Struct, frozen=True):
    """Seconds that were not told yet, oldest first, and whose lists came last, newest first."""

    points: list[FlowPoint]
    customers: list[str]


class CustomerNow(msgspec.Struct, frozen=True):
    """All that is told of a customer as of now; segment and history are null where there is none."""

    list: Recommended
    segment: SegmentAnswer | None
    segment_words: str | None
    history: HistoryAnswer | None
    titles: Titles


class FoundItem(msgspec.Struct, frozen=True):
    """An item that a search found."""

    item_id: str
    title: str | None
    categories: list[str]
    available: bool


class FoundItems(msgspec.Struct, frozen=True):
    """What a search found; `searched` items are found by words, any other by its whole id."""

    items: list[FoundItem]
    searched: int


class RuleNow(ItemRule, frozen=True):
    """A rule with all of its measures; `conviction` is null where the rule is never wrong."""

    leverage: float
    conviction: float | None
    llr: float


class RulesNow(msgspec.Struct, frozen=True):
    """The rules of an item in one scope, by confidence."""

    scope: str
    rules: list[RuleNow]


class ItemNow(msgspec.Struct, frozen=True):
    """An item with what goes with it."""

    item: FoundItem
    similar: list[Similar]
    rules: list[RulesNow]
    titles: Titles


class MapAxis(msgspec.Struct, frozen=True):
    """One direction of the map: what there is more and less of along it, and its share of what differs."""

    words: str
    explains: float


class MapSegment(msgspec.Struct, frozen=True):
    """A segment on the map, and what it is like; `words` say the same."""

    segment: str
    x: float
    y: float
    size: int
    recency_s: float
    frequency: float
    monetary: float
    top_categories: list[str]
    top_items: list[str]
    words: str


class SegmentMap(msgspec.Struct, frozen=True):
    """All segments on a plane; `at` is null, and the rest empty, where there is no clustering yet."""

    at: int | None
    axes: list[MapAxis]
    segments: list[MapSegment]
    titles: Titles


class RefusedRecord(msgspec.Struct, frozen=True):
    """A refused record without its text."""

    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    at: int


class RefusedRecords(msgspec.Struct, frozen=True):
    """The newest refused records, newest first; `problem` says why they cannot be read."""

    records: list[RefusedRecord]
    problem: str | None


class QualityPoint(msgspec.Struct, frozen=True):
    """How good lists and models were around `at` (epoch ms), by name of a figure; null: nothing to tell."""

    at: int
    figures: dict[str, float | None]


class StatePart(msgspec.Struct, frozen=True):
    """One line about the system: `well` is false for what somebody should look at."""

    name: str
    value: str
    well: bool = True


class QualityNow(msgspec.Struct, frozen=True):
    """Quality over time, oldest first; `problem` says why the worker's metrics cannot be read.

    `says` is told of all that was counted since the worker's start.
    """

    points: list[QualityPoint]
    problem: str | None
    says: list[StatePart]


class SystemNow(msgspec.Struct, frozen=True):
    """How a worker and this server are; `problem` as above."""

    worker: list[StatePart]
    server: list[StatePart]
    problem: str | None


class VariantNow(msgspec.Struct, frozen=True):
    """A variant: the settings that differ, and its metrics in words, in the order of the report."""

    changes: list[str]
    metrics: list[MetricInWords]


class ExperimentNow(msgspec.Struct, frozen=True):
    """An experiment as of now: the report, and what it says in words, by variant and of all.

    Times are of events (epoch ms): from when and until when it is set to run, null without that end, and the
    newest that counted, null where none did.
    """

    report: ExperimentReport
    variants: list[VariantNow]
    says: list[StatePart]
    starts_at: int | None
    ends_at: int | None
    newest_at: int | None


class ExperimentsNow(msgspec.Struct, frozen=True):
    """All experiments of the settings; `example` is how one is set, null where one is."""

    experiments: list[ExperimentNow]
    example: str | None
