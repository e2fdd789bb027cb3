"""The history stage: events in; facts, item deltas, totals, tallies and refreshed recommendations out.

The only reader of `events`. An event counts once: a record that ingest appended again is known by its
public offset, an event that the storefront sent again by its id.
"""

import msgspec

from online_models.deltas import Delta
from online_models.history import TOTALS_KEY, HistoryStep
from online_models.lessons import Teacher
from online_models.protocols import Recommender, Request
from online_models.ranker_step import KEY as RANKER
from schemas.experiments import ArmTallies
from schemas.histories import KnownHistory
from schemas.messages import ORDERS, SESSIONS, Event, EventBatch, Fact, Lesson, Position, Totals
from schemas.recommendations import Latency, Recommendation
from schemas.state import ExpiryRow, GuestChunk, HistoryRow, Pending, StandingRow, TotalsRow
from streams.erasure import days
from streams.outbox import Outgoing, Record, Version
from streams.packing import MAX_PACKET_BYTES, DeltaPacker, EntryPacker, PacketSealer
from streams.partitioning import partition_of
from streams.rocks_store import Frozen, RocksDatabase
from streams.stages.experiments import PartitionExperiments
from streams.stages.list_quality import ListQuality
from streams.stages.partition import KeptPartition, StageContext
from streams.stages.refresh import RefreshQueue
from streams.stages.standing import HistoriesWithLists, StandingLists

TOTALS_INTERVAL_MS = 200
DELTAS_INTERVAL_MS = 100
"""Deltas are sealed at most so often: what counts them publishes once a second, and is busier with many small
packets than with the same deltas in few."""

MODELS = dict.fromkeys(
    ("similarity", "rules", "popularity", "segments", "sessions", "content", "social"), "1"
)
_ANSWERED = frozenset({"view", "cart", "purchase", "rating"})
_json = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode


class HistoryPartition(KeptPartition):
    """History of the customers of one partition.

    Parameters
    ----------
    partition, database, context :
        As for every stage.
    recommender : Recommender
        Answers from the views and the history that was just changed.
    teacher : Teacher, optional
        Makes lessons of events; one of its own if None.
    """

    def __init__(
        self,
        partition: int,
        database: RocksDatabase,
        context: StageContext,
        recommender: Recommender,
        teacher: Teacher | None = None,
    ) -> None:
        super().__init__("history", partition, database, context)
        self.rows = database.table("h", HistoryRow)
        self.totals = database.table("t", TotalsRow)
        clock, chunks = database.table("x", ExpiryRow), database.table("g", GuestChunk)
        self.standing = StandingLists(database, self.rows, context, lambda: self._step.watermark)
        rows = HistoriesWithLists(self.rows, self.standing)
        self._step = HistoryStep(rows, self.totals, clock, chunks, context.settings)
        tallies = database.table("e", ArmTallies)
        self._experiments = PartitionExperiments(partition, self.rows, tallies, context, recommender)
        self._teacher = teacher or Teacher(context.views, context.settings)
        self._decode = msgspec.msgpack.Decoder(EventBatch).decode

        def sealer(topic: str) -> PacketSealer:
            return PacketSealer(topic, "events", partition, self.epoch, self.progress.sent)

        self._facts: EntryPacker[Fact] = EntryPacker(context.partitions("facts"), sealer("facts"))
        self._deltas = DeltaPacker(context.partitions("item-deltas"), sealer("item-deltas"))
        self._lessons: EntryPacker[Lesson] = EntryPacker(context.partitions("learning"), sealer("learning"))
        settings = context.settings.recommend
        self._every_event = settings.refresh_interval_ms == 0
        self._enabled = settings.enabled
        self._quality = ListQuality(context.quality, context.views, context.metrics, context.settings)
        self.refreshes = RefreshQueue(self.progress.pending, interval_ms=settings.refresh_interval_ms)
        # Who answers every event, or reads a file, has the stages that count them wait for nothing.
        at_once = self._every_event or not context.public_marks
        self._deltas_interval = 0 if at_once else DELTAS_INTERVAL_MS
        self._deltas_sealed_at = 0
        self._totals_sent: tuple[int, bytes] = (0, b"")
        self._upto: Position = (-1, -1)

    def apply(self, record: Record) -> None:
        """Learn the events of one record, in order."""
        batch = self._decode(record.value or b"")
        applied, ids = self.progress.applied, batch.topic_ids
        for ordinal, event in enumerate(batch.events):
            if self.context.public_marks:
                source = f"{ids.get(event.topic, event.topic)}/{event.partition}"
                mark = applied.get(source)
                if mark is not None and event.offset <= mark[1][0]:
                    continue
                applied[source] = (0, (event.offset, 0))
            self._upto = (record.offset, ordinal)
            self._learn(event)
            if self._deltas.size > MAX_PACKET_BYTES:
                self.end_batch()
                self._seal_deltas()
        self.progress.next_offset = record.offset + 1

    def _learn(self, event: Event) -> None:
        lessons: list[Lesson] = []
        if self._teacher.wants(event):
            lessons = self._teacher.lessons(event, self.rows.get(event.key))
        outputs = self._step.learn_one(event)
        if not outputs:
            self.context.metrics.duplicates.inc()
            return
        self._experiments.learn(event)
        for lesson in lessons:
            self._lessons.add(self._upto, RANKER, lesson)
        for output in outputs:
            if isinstance(output, Delta):
                self._deltas.add(self._upto, output)
            else:
                self._facts.add(self._upto, output.key, output)
                if output.kind == "erasure":
                    self._withdraw(output.key)
                    self._quality.forget(output.key)
        if event.kind == "erasure":
            self._note_erasure(event, [each for each in outputs if isinstance(each, Delta)])
        if self._enabled and event.kind in _ANSWERED and event.key[0] != "o" and event.profiling:
            self._quality.act(event)
            cause = _cause(event)
            if self._every_event:
                self.refresh(event.key, cause)
            else:
                self.refreshes.add(event.key, cause, now=self.context.now_ms())

    def end_batch(self) -> None:
        """Seal facts and lessons up to the last event, and deltas when that is due."""
        put = self.context.outbox.put
        for sealed in self._facts.seal(self._upto):
            put(Outgoing("facts", sealed.partition, None, sealed.value))
        self._seal_deltas_when_due(self.context.now_ms())
        for sealed in self._lessons.seal(self._upto):
            put(Outgoing("learning", sealed.partition, None, sealed.value))

    def freeze(self) -> Frozen:
        """Seal the deltas that are left, and cut: what progress says to be sent is on its way."""
        self._seal_deltas()
        return super().freeze()

    def _seal_deltas_when_due(self, now: int) -> None:
        if self._deltas.size and not 0 <= now - self._deltas_sealed_at < self._deltas_interval:
            self._deltas_sealed_at = now
            self._seal_deltas()

    def _seal_deltas(self) -> None:
        for sealed in self._deltas.seal(self._upto):
            self.context.outbox.put(Outgoing("item-deltas", sealed.partition, None, sealed.value))

    def work(self, *, idle: bool, drain: bool = False) -> bool:  # noqa: ARG002  # idle or not is the same here
        """Answer one customer who is due; publish N when it changed."""
        now = self.context.now_ms()
        if self._deltas_interval:
            self._seal_deltas_when_due(now)
        if drain or now - self._totals_sent[0] >= TOTALS_INTERVAL_MS:
            self._publish_totals(now)
        self._experiments.work(now, self._version, drain=drain)
        self._quality.measure_when_due(now)
        due = self.refreshes.take(now=now)
        if due is not None:
            self.refresh(*due)
        return self._replace_withdrawn(now, at_once=drain) or due is not None

    def _replace_withdrawn(self, now: int, *, at_once: bool) -> bool:
        """Look at a few standing lists, and replace one in which an item was withdrawn."""
        if not (self._enabled and self.standing.looking):
            return False
        owed = self.progress.pending
        found = self.standing.take()
        if found is None:
            return self.standing.look(owed, now=now, at_once=at_once)
        history = self.rows.get(found.key)
        if history is None or history.newest is None:
            self.standing.forget(found.key)
        elif found.key not in owed:
            self.context.metrics.lists_withdrawn.inc()
            self._give(found.key, history, history.newest, f"{_id_of(history.newest)}-{found.mark}")
        return True

    def refresh(self, key: str, cause: Pending) -> None:
        """Put a customer's list as of now into the outbox."""
        history = self.rows.get(key)
        if history is not None:
            at = self._give(key, history, cause, _id_of(cause))
            self.context.metrics.recommendation_latency.observe(max(0, at - cause.sent_at) / 1000)

    def _give(self, key: str, history: HistoryRow, cause: Pending, list_id: str) -> int:
        """Make a list, note it and put it into the outbox; when that was, epoch ms."""
        way = self._experiments.way(key, cause.event_at)
        request = Request(
            history=history,
            now=cause.event_at,
            key=key,
            k=way.k,
            seed=list_id,
            # Of two events out of order the late one's list must not bring back what the other's left out.
            ruled_at=max(cause.event_at, self._step.watermark),
        )
        answer = way.recommender.recommend(request)
        kind, _, name = key.partition(":")
        now = self.context.now_ms()
        message = Recommendation(
            list_id,
            name if kind == "u" else None,
            name if kind == "s" else (history.sessions[-1].session_id if history.sessions else None),
            now,
            cause.event_ids,
            answer.items,
            answer.segment,
            MODELS,
            way.arm,
            Latency(cause.event_at, cause.ingested_at, now),
        )
        self._quality.give(key, answer)
        given = [each.item_id for each in answer.items]
        self.standing.note(key, StandingRow(list_id, given, answer.segment, cause.event_at))
        partition = partition_of(name, self.context.partitions("recommendations"))
        if kind == "u" and self.context.tells_histories:
            self._tell_history(name, _pack(KnownHistory.of(name, cause.event_at, history)))
        self.context.outbox.put(Outgoing("recommendations", partition, name.encode(), _json(message)))
        return now

    def _tell_history(self, user: str, value: bytes | None) -> None:
        partition = partition_of(user, self.context.partitions("histories"))
        self.context.outbox.put(Outgoing("histories", partition, user.encode(), value, self._version))

    @property
    def _version(self) -> Version:
        return self.epoch, self.partition, self.progress.next_offset

    def _withdraw(self, key: str) -> None:
        """Take back what was published of a customer who is forgotten."""
        self.refreshes.drop(key)
        self.standing.forget(key)
        name = key.partition(":")[2]
        partition = partition_of(name, self.context.partitions("recommendations"))
        self.context.outbox.put(Outgoing("recommendations", partition, name.encode(), None))
        if self.context.tells_histories:
            self._tell_history(name, None)

    def _note_erasure(self, event: Event, taken_back: list[Delta]) -> None:
        """Say, once all is taken back, what an erasure came to; nobody is named."""
        self.context.metrics.erasures.inc()
        if self.context.audit is not None:
            first = [delta.touches[0].added for delta in taken_back]
            orders = sum(added[ORDERS] < 0 for added in first)
            sessions = sum(added[SESSIONS] < 0 for added in first)
            self.context.audit(
                f"erasure asked for by {event.topic}/{event.partition}/{event.offset}: history, segment and "
                f"list are gone; {orders} orders, {sessions} sessions and {len(first) - orders - sessions} "
                f"items are taken back; no trace is left after {days(self.context.settings):.0f} days"
            )

    def _publish_totals(self, now: int) -> None:
        row = self.totals.get(TOTALS_KEY)
        if row is None:
            return
        counts = (row.totals[0], row.totals[1], row.totals[2])
        value = _pack(Totals(self.partition, row.epoch, counts, row.newest_at))
        if value != self._totals_sent[1]:
            self._totals_sent = (now, value)
            partition = self.partition % self.context.partitions("totals")
            key = str(self.partition).encode()
            self.context.outbox.put(Outgoing("totals", partition, key, value, self._version))


def _id_of(cause: Pending) -> str:
    """The id of the list that a record causes."""
    return f"{cause.topic}:{cause.partition}:{cause.offset}"


def _cause(event: Event) -> Pending:
    ids = [name for name in (event.event_id or event.order_id,) if name]
    return Pending(
        event.topic, event.partition, event.offset, event.at, event.sent_at, event.ingested_at, ids
    )
