"""The same topology in one process, without a broker: a file in, state in RocksDB, recommendations out.

Records are handled one after another in time order; the stages after `history` follow in small batches.
State is written now and then, and when everything has been handled. Between the first time and the end a
mark in the folder says that it is unfinished: a replay that was cut off starts again in another folder.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from online_models.metrics import Given, PrequentialHits
from schemas.codec import YEAR_2100_MS
from schemas.messages import EventBatch
from schemas.recommendations import Recommendation, Rejection
from schemas.settings import Settings
from streams.errors import StateError
from streams.formats import FileRecord
from streams.memory_log import MemoryLog
from streams.monitoring import Metrics
from streams.outbox import Outgoing, Record
from streams.partitioning import partition_of
from streams.pseudonyms import Pseudonyms
from streams.remembered import FILE, RememberedSessions
from streams.rocks_store import RocksBudget
from streams.rules_file import RulesFile
from streams.stages.history import HistoryPartition
from streams.stages.ingest import IngestPartition
from streams.stages.opening import open_stage
from streams.stages.partition import KeptPartition, StageContext
from streams.topology import STAGES
from streams.view_store import VIEWS, followed_by, open_views, remembered_by

BATCH_RECORDS, BATCH_UNANSWERED = 64, 1000
"""Records until the stages after history handle what waits: fewer where lists go by what they publish."""

UNFINISHED = "replay.unfinished"
FLUSH_ROWS = 20_000
FLUSH_BYTES = MAX_WAITING_BYTES = 64 * 1024 * 1024
"""Of changed rows, and of what waits for the stages after history."""

CLUSTER = "files"
_decode_events = msgspec.msgpack.Decoder(EventBatch).decode
_decode_list = msgspec.json.Decoder(Recommendation).decode
_decode_rejection = msgspec.json.Decoder(Rejection).decode
_ACTIONS = frozenset({"view", "cart", "purchase", "rating"})


class Replay:
    """One run of the topology over records that are given to it.

    Parameters
    ----------
    settings : Settings
        As for a worker; `state.dir` is where the state is kept.
    on_recommendation : callable
        Called with each recommendation as JSON.
    on_rejected : callable
        Called with each rejection.
    measure : bool
        Compare each customer's list with what the customer does next.
    pseudonyms : Pseudonyms, optional
        What replaces ids of people; nothing by default.

    Raises
    ------
    StateError
        The state belongs to something else.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        on_recommendation: Callable[[bytes], None],
        on_rejected: Callable[[Rejection], None] = lambda _: None,
        measure: bool = True,
        pseudonyms: Pseudonyms | None = None,
    ) -> None:
        self.settings = settings
        self._on_recommendation, self._on_rejected = on_recommendation, on_rejected
        self._each_event = settings.recommend.refresh_interval_ms == 0
        self.hits = PrequentialHits(settings.recommend.k) if measure and settings.recommend.enabled else None
        self.checkpoints: list[tuple[int, int, int, int]] = []
        self.records = self.recommendations = 0
        self.rejected: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.metrics = Metrics()
        budget = RocksBudget(settings.state.rocksdb_bytes)
        stages = tuple(stage.name for stage in STAGES)
        folder = Path(settings.state.dir)
        self._unfinished = folder / UNFINISHED
        if self._unfinished.exists():
            raise StateError(_cut_off(folder))
        views = folder / VIEWS / "replay"
        remembered = RememberedSessions(views / FILE, settings) if remembered_by(stages, settings) else None
        rules_file = RulesFile(settings.recommend.rules_file)
        self.views, self._view_databases = open_views(
            views, followed_by(stages, settings), budget, settings, remembered, rules_file
        )
        self.log = MemoryLog(self.views, self._output)
        self._clock = 0
        context = StageContext(
            settings,
            self.log,
            self.views,
            self.metrics,
            lambda: self._clock,
            public_marks=False,
            tells_histories=False,
            pseudonyms=pseudonyms or Pseudonyms(),
        )
        self._context = context
        self._ingest: dict[str, IngestPartition] = {}
        self._stages: list[tuple[KeptPartition, deque[Record]]] = []
        try:
            self._open(context, budget)
        except BaseException:
            self.close()
            raise

    def _open(self, context: StageContext, budget: RocksBudget) -> None:
        for stage in STAGES[1:]:
            source = stage.reads[0]
            for partition in range(context.partitions(source)):
                part = open_stage(stage.name, partition, context, budget, cluster=CLUSTER, topic_id=source)
                queue = self.log.read(source, partition, part.progress.next_offset)
                self._stages.append((part, queue))
        self._histories = [part for part, _ in self._stages if isinstance(part, HistoryPartition)]
        by_source: dict[tuple[str, int], set[int]] = {}
        for part, _ in self._stages:
            place = (part.source, part.partition)
            by_source.setdefault(place, set()).add(part.progress.next_offset)
        if any(len(offsets) > 1 for offsets in by_source.values()):
            raise StateError(_cut_off(Path(context.settings.state.dir)))

    @property
    def histories(self) -> list[HistoryPartition]:
        """The partitions of stage history."""
        return list(self._histories)

    def feed(self, records: Iterable[FileRecord]) -> None:
        """Handle records in the order in which they come."""
        batch = BATCH_RECORDS if self.settings.recommend.enabled else BATCH_UNANSWERED
        if self._each_event:
            batch = 1
        for record in records:
            self._handle(record)
            self.records += 1
            if self.records % batch == 0 or self.log.put_bytes > MAX_WAITING_BYTES:
                self._settle(drain=self._each_event)
                if self.hits is not None:
                    self.checkpoints.append(
                        (self.records, self.hits.queries, self.hits.hits, self.hits.popular_hits)
                    )

    def catch_up(self) -> None:
        """Let the stages after history handle what waits, as a batch's end does."""
        self._settle(drain=False)

    def finish(self) -> None:
        """Publish all that is stale, refresh each customer once more, and write the state."""
        self._settle(drain=True)
        for history in self._histories:
            for key, cause in history.refreshes.take_all():
                history.refresh(key, cause)
        self.flush()
        if self.views.remembered is not None:
            self.views.remembered.save(self.views.remembered.frozen())
        if self.views.newest is not None:
            self.views.newest.save(self.views.newest.frozen())
        self._unfinished.unlink(missing_ok=True)
        if self.settings.recommend.enabled:
            for history in self._histories:
                for raw_key, _ in history.database.rows("hu:"):
                    row = history.rows.get(key := raw_key[1:].decode())
                    if row is not None and row.newest is not None:
                        history.refresh(key, row.newest)

    @property
    def duplicates(self) -> int:
        """Events that were recognised as repeated."""
        return int(self.metrics.duplicates._value.get())

    def last_tenth(self) -> tuple[int, int, int]:
        """Queries, hits of the lists and hits of popularity in the last tenth of the records."""
        if self.hits is None:
            return 0, 0, 0
        before = (0, 0, 0, 0)
        for checkpoint in self.checkpoints:
            if checkpoint[0] > self.records * 9 // 10:
                break
            before = checkpoint
        hits = self.hits
        return hits.queries - before[1], hits.hits - before[2], hits.popular_hits - before[3]

    def close(self) -> None:
        """Release the state."""
        for part, _ in self._stages:
            part.database.close()
        for database in self._view_databases.values():
            database.close()

    def _handle(self, record: FileRecord) -> None:
        ingest = self._ingest.get(record.topic)
        if ingest is None:
            ingest = self._ingest[record.topic] = IngestPartition(record.topic, 0, self._context)
        if self._clock < record.at <= YEAR_2100_MS:
            self._clock = self.log.now = record.at
        ingest.apply(Record(record.line, None, record.value))
        ingest.end_batch()
        for part, queue in self._stages[: len(self._histories)]:
            while queue:
                event = queue.popleft()
                acts, before = self._acts(event.value or b""), self.duplicates
                part.apply(event)
                if self._each_event:
                    part.end_batch()
                if self.hits is not None and self.duplicates == before:
                    for given, items in acts:
                        self.hits.compare(given, items)
        for part in self._histories:
            while part.work(idle=False):
                pass

    def _acts(self, value: bytes) -> list[tuple[Given | None, list[str]]]:
        """What customers act on now, and the lists that they have until then."""
        found: list[tuple[Given | None, list[str]]] = []
        for event in _decode_events(value).events:
            self.events[event.kind] += 1
            if self.hits is not None and event.kind in _ACTIONS:
                found.append((self.hits.given(event.key), [line.item for line in event.lines]))
        return found

    def _settle(self, *, drain: bool) -> None:
        """Let the stages after history catch up; with `drain`, until nothing is stale."""
        self.log.put_bytes = 0
        busy = True
        while busy:
            busy = False
            for part, queue in self._stages:
                worked = bool(queue)
                while queue:
                    part.apply(queue.popleft())
                part.end_batch()
                while part.work(idle=drain, drain=drain):
                    worked = True
                busy |= worked
        databases = [part.database for part, _ in self._stages]
        if (
            sum(each.dirty for each in databases) > FLUSH_ROWS
            or sum(each.dirty_bytes for each in databases) > FLUSH_BYTES
        ):
            self.flush()

    def flush(self) -> None:
        """Write the state as it is."""
        self._unfinished.touch()
        for part, _ in self._stages:
            part.database.write(part.freeze())
            part.database.thaw()
        for database in self._view_databases.values():
            database.flush()

    def _output(self, record: Outgoing) -> None:
        if record.value is None:
            return
        if record.topic == "recommendations":
            self.recommendations += 1
            self._on_recommendation(record.value)
            if self.hits is not None:
                self._give(record.value)
        elif record.topic == "rejected":
            rejection = _decode_rejection(record.value)
            self.rejected[rejection.reason] += 1
            self._on_rejected(rejection)

    def _give(self, value: bytes) -> None:
        message = _decode_list(value)
        key = f"u:{message.user_id}" if message.user_id is not None else f"s:{message.session_id}"
        partition = self._context.partitions("events")
        history = self._histories[partition_of(key, partition)].rows.get(key)
        popular: list[str] = []
        for item, _ in self.views.popular("all"):
            mark = history.items.get(item) if history else None
            if mark is None or not (mark.had or mark.disliked):
                popular.append(item)
                if len(popular) == self.settings.recommend.k:
                    break
        if self.hits is not None:
            self.hits.give(key, [item.item_id for item in message.items], popular=popular)


def _cut_off(folder: Path) -> str:
    return (
        f"the state in {folder} was left in the middle of a replay; "
        f"delete that folder and replay from the start"
    )
