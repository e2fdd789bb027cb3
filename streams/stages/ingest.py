"""Ingest: public records in, checked and enriched `events` out; what is refused goes to `rejected`.

Stateless. It enriches an event with what it knows now (categories, consent, the variant of an experiment),
so that no stage after it ever has to look anything up; at-least-once, and `history` skips what it has
applied.
"""

import base64
import re
from itertools import accumulate

import msgspec

from online_models.attributes import words_of
from online_models.experiments.assignment import Assignment
from schemas.checks import Rejected
from schemas.codec import Decoded, decode, decode_record
from schemas.events import Browse, Customer, Erasure, Impression, Item, Link, Purchase, Rating
from schemas.messages import CustomerFacts, Event, EventBatch, ItemFacts, Line
from schemas.recommendations import Rejection
from schemas.state import ProgressRow
from streams.outbox import Outgoing, Record, Version
from streams.packing import MAX_PACKET_BYTES
from streams.partitioning import partition_of
from streams.stages.partition import StageContext

MAX_EVENTS_PER_RECORD = 250
REJECTED_RAW_BYTES = 4096
MAX_CATEGORY_BYTES = 2_000
"""Of all categories of one item together; what is above it is left out."""

_QUOTED = re.compile(r"""'.*'|".*\"""", re.DOTALL)
_json = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode


class IngestPartition:
    """Ingest of one partition of one public topic.

    Parameters
    ----------
    topic : str
        Public topic without prefix.
    partition : int
        Its partition.
    context : StageContext
        What the process shares; the views hold the catalogue and the customers.
    """

    stage = "ingest"

    def __init__(self, topic: str, partition: int, context: StageContext) -> None:
        self.topic, self.partition, self.context = topic, partition, context
        self.progress = ProgressRow()
        self._pseudonyms = context.pseudonyms
        self._limits = context.settings.ingest
        self._assignment = Assignment(context.settings.experiments)
        self._partitions = context.partitions("events")
        self._waiting: dict[int, list[Event]] = {}
        kind = topic.rstrip("s")
        self._accepted = context.metrics.events.labels(type=kind, result="accepted")
        self._refused = context.metrics.events.labels(type=kind, result="rejected")

    def apply(self, record: Record) -> None:
        """Check one record and put what it becomes into the outbox."""
        decoded = self._decode(record)
        self.progress.next_offset = record.offset + 1
        if isinstance(decoded, Rejected):
            self._reject(record, decoded)
            return
        if decoded.unknown_fields:
            self.context.metrics.unknown_fields.inc(decoded.unknown_fields)
        message, at = decoded.message, decoded.at
        if isinstance(message, Item):
            self._put_item(message, at, record)
        else:
            self._put_event(message, at, record)
        self._accepted.inc()

    def _decode(self, record: Record) -> Decoded | Rejected:
        limits, sent_at = self._limits, record.sent_at
        if record.headers:
            return decode_record(self.topic, record.value, limits, sent_at=sent_at, headers=record.headers)
        return decode(self.topic, record.value, limits, sent_at=sent_at)

    def end_batch(self) -> None:
        """Pack the events of the batch, one record per partition of `events`."""
        ids = {self.topic: self.context.topic_ids.get(self.topic, self.topic)}
        for partition, events in self._waiting.items():
            for start in range(0, len(events), MAX_EVENTS_PER_RECORD):
                self._put_events(partition, EventBatch(ids, events[start : start + MAX_EVENTS_PER_RECORD]))
        self._waiting = {}

    def _put_events(self, partition: int, batch: EventBatch) -> None:
        """Put a batch into the outbox, in as many records as its size asks for."""
        value, half = _pack(batch), len(batch.events) // 2
        if len(value) > MAX_PACKET_BYTES and half:
            self._put_events(partition, EventBatch(batch.topic_ids, batch.events[:half]))
            self._put_events(partition, EventBatch(batch.topic_ids, batch.events[half:]))
        else:
            self.context.outbox.put(Outgoing("events", partition, None, value))

    def work(self, *, idle: bool, drain: bool = False) -> bool:  # noqa: ARG002  # publishes nothing later
        """Nothing is owed."""
        return False

    def freeze(self) -> None:
        """Nothing is kept."""

    def _put_event(
        self,
        message: Browse | Purchase | Rating | Customer | Link | Impression | Erasure,
        at: int,
        record: Record,
    ) -> None:
        key, event_id, session_id, order_id = self._identity(message)
        lines, attributes, target, value, scale_max = self._content(message)
        profiling = True
        if isinstance(message, Customer):
            profiling = message.consent is None or message.consent.profiling is not False
            self._put_customer(key[2:], attributes or {}, at, record, profiling=profiling)
        elif isinstance(message, Erasure):
            self._put_customer_row(key[2:], None, record)
        elif message.user_id is not None:
            known = self.context.views.customer(key[2:])
            profiling = known is None or known.profiling
        event = Event(
            key,
            _kind(message),
            at,
            self.topic,
            self.partition,
            record.offset,
            at if record.sent_at is None else record.sent_at,
            self.context.now_ms(),
            event_id,
            session_id,
            order_id,
            lines,
            value,
            scale_max,
            getattr(message, "recommendation_id", None),
            attributes,
            target,
            profiling,
            self._assignment.arm_of(key, at) if profiling else None,
        )
        self._waiting.setdefault(partition_of(key, self._partitions), []).append(event)

    def _content(
        self, message: Browse | Purchase | Rating | Customer | Link | Impression | Erasure
    ) -> tuple[list[Line], dict[str, str] | None, str | None, float | None, float | None]:
        if isinstance(message, Browse):
            return [self._line(message.item_id)], None, None, message.dwell_s, None
        if isinstance(message, Purchase):
            lines = [self._line(x.item_id, x.quantity, x.unit_price) for x in message.lines]
            return lines, None, None, None, None
        if isinstance(message, Rating):
            return [self._line(message.item_id)], None, None, message.value, message.scale_max
        if isinstance(message, Impression):
            return [Line(item, []) for item in message.items], None, None, None, None
        if isinstance(message, Link):
            return [], None, self._pseudonyms.user(message.target_id), message.weight, None
        if isinstance(message, Customer):
            names = ("age_band", "gender", "location", "income_band")
            given = {name: getattr(message, name) for name in names}
            return [], {name: text for name, text in given.items() if text is not None}, None, None, None
        return [], None, None, None, None

    def _identity(
        self, message: Browse | Purchase | Rating | Customer | Link | Impression | Erasure
    ) -> tuple[str, str | None, str | None, str | None]:
        """Internal key, event id, session id and order id; of people only pseudonyms, if there is a key."""
        event_id: str | None = getattr(message, "event_id", None)
        session_id: str | None = getattr(message, "session_id", None)
        order_id: str | None = getattr(message, "order_id", None)
        session_id = None if session_id is None else self._pseudonyms.session(session_id)
        order_id = None if order_id is None else self._pseudonyms.order(order_id)
        if message.user_id is not None:
            key = f"u:{self._pseudonyms.user(message.user_id)}"
        elif isinstance(message, Purchase):
            key = f"o:{order_id}"
        else:
            key = f"s:{session_id}"
        return key, event_id, session_id, order_id

    def _line(self, item: str, quantity: float = 1.0, unit_price: float | None = None) -> Line:
        known = self.context.views.item(item)
        if known is None:
            return Line(item, [], quantity, unit_price)
        price = known.price if unit_price is None else unit_price
        return Line(item, known.categories, quantity, price, known.tags)

    def _put_item(self, message: Item, at: int, record: Record) -> None:
        row = ItemFacts(
            message.item_id,
            message.title,
            _short_enough(message.categories or []),
            message.brand,
            message.price,
            _short_enough(message.tags or []),
            message.available is not False,
            at,
            words_of(message.text or ""),
        )
        self._put_row("item-view", message.item_id, _pack(row), record)

    def _put_customer(
        self, user: str, attributes: dict[str, str], at: int, record: Record, *, profiling: bool
    ) -> None:
        row = CustomerFacts(user, attributes if profiling else {}, profiling, at)
        self._put_customer_row(user, _pack(row), record)

    def _put_customer_row(self, user: str, value: bytes | None, record: Record) -> None:
        version = self._version(record)
        # Consent that was taken back holds for the very next event, not only once the row came back.
        self.context.views.note_customer(user, value, version)
        self._put_row("customer-view", user, value, record)

    def _put_row(self, topic: str, key: str, value: bytes | None, record: Record) -> None:
        version = self._version(record)
        partition = partition_of(key, self.context.partitions(topic))
        self.context.outbox.put(Outgoing(topic, partition, key.encode(), value, version))

    def _version(self, record: Record) -> Version:
        return 0, self.partition, record.offset

    def _reject(self, record: Record, rejected: Rejected) -> None:
        self._refused.inc()
        self.context.metrics.rejected.labels(reason=rejected.reason).inc()
        raw, detail = base64.b64encode((record.value or b"")[:REJECTED_RAW_BYTES]).decode(), rejected.detail
        if self._pseudonyms.on:
            # Whatever was refused may hold ids anywhere, also in what a reason quotes.
            raw, detail = "", _QUOTED.sub("(hidden)", detail)
        row = Rejection(
            rejected.reason,
            detail[:1000],
            self.topic,
            self.partition,
            record.offset,
            self.context.now_ms(),
            raw,
        )
        partition = self.partition % self.context.partitions("rejected")
        self.context.outbox.put(Outgoing("rejected", partition, None, _json(row)))


def _short_enough(categories: list[str]) -> list[str]:
    """The first categories, or tags, that fit: each line of an order bears them in one record."""
    sizes = accumulate(len(name.encode()) for name in categories)
    return [name for name, size in zip(categories, sizes, strict=True) if size <= MAX_CATEGORY_BYTES]


def _kind(message: Browse | Purchase | Rating | Customer | Link | Impression | Erasure) -> str:
    if isinstance(message, Browse):
        return message.action or "view"
    return type(message).__name__.lower()
