"""What a worker process does with batches: apply, let outputs leave, flush, publish, watch.

Delivery: state and source offset change in one WriteBatch, written only once every output up to the cut
is acknowledged; the group's offset follows. Any failure ends the process: its successor reads on from
the store.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter

from faust.types import TP

from schemas.settings import Settings
from streams.errors import StateError
from streams.hosted import Hosted, Slice
from streams.identity import BY_CUSTOMER
from streams.kafka_outbox import KafkaOutbox
from streams.outbox import Record
from streams.rewriting import look_every_s, rewrite_if_due
from streams.rocks_store import RocksBudget, StateLockedError
from streams.snapshots.relocation import Relocation
from streams.snapshots.restoring import Wanted
from streams.snapshots.taking import Checkpointed, checkpoint
from streams.stages.ingest import IngestPartition
from streams.stages.opening import database_path, meta_of, open_stage
from streams.stages.partition import StageContext
from streams.topology import STAGE_BY_NAME
from streams.transport import Batch, BatchConsumer

APPLY_SLICE_S = 0.010
REFRESH_SLICE_S = 0.002
"""What is on its way to a list waits for some turns of the event loop: lists must not take long ones."""

PUBLISH_SLICE_S = 0.003
IDLE_SLEEP_S = 0.004
YIELD_AFTER_S = 0.0005
LOCK_WAIT_S = 60.0


class Runtime:
    """The stage partitions that this process holds.

    Parameters
    ----------
    stages : tuple of str
        Stages of this process.
    context : StageContext
        What they share; its outbox is `outbox`.
    outbox : KafkaOutbox
        Where outputs leave.
    fail : callable
        Ends the process, with the first reason.
    cluster : str
        Id of the Kafka cluster, which the stores remember.
    relocation : Relocation, optional
        Brings snapshots where a store is missing.
    """

    def __init__(
        self,
        stages: tuple[str, ...],
        context: StageContext,
        outbox: KafkaOutbox,
        fail: Callable[[Exception], None],
        *,
        cluster: str,
        relocation: Relocation | None = None,
    ) -> None:
        self.fail = fail
        self._context, self._outbox, self._cluster = context, outbox, cluster
        self._settings: Settings = context.settings
        self.relocation = relocation or Relocation(None, context.metrics)
        self._budget = RocksBudget(self._settings.state.rocksdb_bytes)
        self._prefix = self._settings.kafka.topic_prefix
        self._stage_of = {topic: stage for stage in stages for topic in STAGE_BY_NAME[stage].reads}
        self.consumer: BatchConsumer | None = None
        self.hosted: dict[TP, Hosted] = {}
        self._flushing = asyncio.Lock()
        self._resuming = asyncio.Lock()
        self._revocations = 0
        self.assigned_once = False

    @property
    def topics(self) -> list[str]:
        """Source topics with prefix."""
        return [self._prefix + topic for topic in self._stage_of]

    @property
    def partitions(self) -> int:
        """How many partitions the source topics have together."""
        return sum(self._context.partitions(topic) for topic in self._stage_of)

    @property
    def _stores(self) -> int:
        """How many stores are open, at least 1."""
        return sum(hosted.database is not None for hosted in self.hosted.values()) or 1

    @property
    def fetch_wait_ms(self) -> int:
        """How long a fetch may wait for more: short where a customer waits for the answer."""
        kafka = self._settings.kafka
        return kafka.fetch_wait_ms if "history" in self._stage_of.values() else kafka.learn_wait_ms

    # -- assignment ---------------------------------------------------------------------------------

    def committable(self) -> Mapping[TP, int]:
        """Offsets that the stores have on disk."""
        return {tp: hosted.flushed for tp, hosted in self.hosted.items()}

    def position_of(self, tp: TP) -> int | None:
        """Where a partition that is ours is read on; None for others and while they change hands."""
        hosted = self.hosted.get(tp)
        return None if hosted is None or hosted.generation < 0 else hosted.next_offset

    async def revoke(self) -> None:
        """Stop applying, and flush: what is assigned next is decided elsewhere."""
        self._revocations += 1
        for hosted in self.hosted.values():
            hosted.generation = -1
        await self.flush_all()

    async def resume_at(self, assigned: frozenset[TP], committed: Mapping[TP, int]) -> Mapping[TP, int]:
        """Close what is no longer ours, open what is new, and say where to read on.

        The position is the store's, not the group's.
        """
        try:
            async with self._resuming:
                return await self._resume_at(assigned, committed)
        except Exception as error:
            self.fail(error)
            raise

    async def _resume_at(self, assigned: frozenset[TP], committed: Mapping[TP, int]) -> Mapping[TP, int]:
        if self.consumer is None:
            raise StateError("partitions were assigned before the consumer was known")
        revocations = self._revocations
        async with self._flushing:
            for tp in [tp for tp in self.hosted if tp not in assigned]:
                self.hosted.pop(tp).close()
        fresh = [tp for tp in assigned if tp not in self.hosted and self._bare(tp) in self._stage_of]
        raw = [self.consumer._new_topicpartition(tp.topic, tp.partition) for tp in fresh]
        first = await self.consumer.earliest_offsets(*raw) if raw else {}
        ends = await self.consumer.highwaters(*raw) if raw else {}
        for tp, place in zip(fresh, raw, strict=True):
            self.hosted[tp] = await self._host(tp, committed.get(tp), first.get(place) or 0)
            self.hosted[tp].high = ends.get(place) or 0
        # Once partitions change hands again, nothing is applied until that is settled.
        if revocations == self._revocations:
            generation = self.consumer.app.consumer_generation_id
            for hosted in self.hosted.values():
                hosted.generation = generation
        self.assigned_once = True
        return {tp: hosted.next_offset for tp, hosted in self.hosted.items()}

    def _bare(self, tp: TP) -> str:
        return tp.topic.removeprefix(self._prefix)

    async def _host(self, tp: TP, committed: int | None, first: int) -> Hosted:
        topic = self._bare(tp)
        stage = self._stage_of[topic]
        if stage == "ingest":
            start = committed if committed is not None and committed >= first else first
            ingest = IngestPartition(topic, tp.partition, self._context)
            return Hosted(ingest, None, tp.topic, tp.partition, start, calm_ms=self._settings.state.calm_ms)
        topic_id = self._context.topic_ids.get(topic, topic)
        waited = Slice.of(LOCK_WAIT_S)
        prepared = False
        while True:
            try:
                prepared = prepared or await self._prepare(tp, stage, topic_id, first)
                part = open_stage(
                    stage, tp.partition, self._context, self._budget, cluster=self._cluster, topic_id=topic_id
                )
                break
            except StateLockedError:
                if waited.over:
                    raise
                await asyncio.sleep(0.05)
        if part.progress.next_offset < first:
            part.database.close()
            raise StateError(
                f"{tp.topic}/{tp.partition} begins at offset {first}, but stage {stage} has to read on at "
                f"{part.progress.next_offset}: retention removed what lies between. "
                f"Raise kafka.retention_hours, and begin anew with what is there: `freshrec reset {stage}`"
            )
        start, calm_ms = part.progress.next_offset, self._settings.state.calm_ms
        return Hosted(part, part.database, tp.topic, tp.partition, start, calm_ms=calm_ms)

    async def _prepare(self, tp: TP, stage: str, topic_id: str, first: int) -> bool:
        """Put a snapshot in place where the disk has nothing that can be gone on from; True once done."""
        meta = meta_of(stage, tp.partition, self._context, cluster=self._cluster, topic_id=topic_id)
        path = database_path(Path(self._settings.state.dir), stage, tp.partition)
        await self.relocation.prepare(tp, Wanted(meta, path, first))
        return True

    # -- batches ------------------------------------------------------------------------------------

    async def handle(self, batch: Batch) -> None:
        """Apply a batch in slices; what it emitted leaves at its end."""
        tp = TP(batch.topic, batch.partition)
        hosted = self.hosted.get(tp)
        if hosted is None or hosted.generation != batch.generation:
            return
        started = perf_counter()
        piece = Slice.of(APPLY_SLICE_S)
        for raw in batch.records:
            self._apply(hosted, Record(raw.offset, raw.timestamp, raw.value, raw.headers))
            if piece.over or self._outbox.full:
                await self._let_leave(hosted)
                if hosted.generation != batch.generation:
                    return
                piece = Slice.of(APPLY_SLICE_S)
        await self._let_leave(hosted)
        stage = hosted.part.stage
        self._context.metrics.batch_records.labels(stage=stage).observe(len(batch.records))
        self._context.metrics.batch_seconds.labels(stage=stage).observe(perf_counter() - started)

    def _apply(self, hosted: Hosted, record: Record) -> None:
        expected = hosted.next_offset
        if record.offset < expected:
            return
        if record.offset > expected and hosted.database is not None:
            raise StateError(
                f"{hosted.topic}/{hosted.partition} jumps from offset {expected} to {record.offset}; "
                f"the records between are gone (retention, or another writer). "
                f"Begin anew with what is there: `freshrec reset {hosted.part.stage}`"
            )
        hosted.part.apply(record)
        hosted.applied_at = perf_counter()
        hosted.high = max(hosted.high, record.offset + 1)

    async def _let_leave(self, hosted: Hosted) -> None:
        hosted.part.end_batch()
        if hosted.part.stage == "history":
            self._work(hosted, REFRESH_SLICE_S, idle=False)
        await self._outbox.ship()
        if hosted.overfull(self._settings.state, among=self._stores):
            # A disk, or a broker, that is slower than what comes holds it up, instead of filling memory.
            await self.flush(hosted)
        await asyncio.sleep(0)

    # -- publishing ---------------------------------------------------------------------------------

    def _work(self, hosted: Hosted, seconds: float, *, idle: bool) -> bool:
        piece = Slice.of(seconds)
        while hosted.part.work(idle=idle):
            if piece.over or self._outbox.full:
                return True
        return False

    async def publish(self) -> None:
        """Publish and refresh what is due, a slice per stage partition, for ever."""
        while True:
            busy = False
            kept = [each for each in self.hosted.values() if each.database is not None]
            for hosted in kept:
                if hosted.generation < 0:
                    continue
                started = perf_counter()
                if hosted.part.stage == "history":
                    worked = self._work(hosted, REFRESH_SLICE_S, idle=False)
                elif hosted.may_work(self._settings.rules.publish_max_share / len(kept)):
                    worked = self._work(hosted, PUBLISH_SLICE_S, idle=hosted.idle)
                    hosted.worked(perf_counter() - started)
                else:
                    continue
                await self._outbox.ship()
                if worked or perf_counter() - started > YIELD_AFTER_S:
                    await asyncio.sleep(0)
                busy |= worked
            await asyncio.sleep(0 if busy else IDLE_SLEEP_S)

    # -- flushing -----------------------------------------------------------------------------------

    async def flush_when_due(self) -> None:
        """Flush what is due, for ever."""
        while True:
            for hosted in list(self.hosted.values()):
                if hosted.flush_due(self._settings.state, among=self._stores):
                    await self.flush(hosted)
            await asyncio.sleep(self._settings.state.flush_interval_ms / 4000)

    async def rewrite_when_due(self) -> None:
        """Rewrite the files of stores with people in them when that is due, for ever."""
        while True:
            for hosted in list(self.hosted.values()):
                if hosted.database is not None and hosted.part.stage in BY_CUSTOMER:
                    async with self._flushing:
                        if hosted in self.hosted.values():
                            await rewrite_if_due(hosted.database, self._settings.state)
            await asyncio.sleep(look_every_s(self._settings.state))

    async def flush_all(self) -> None:
        """Flush everything that is held."""
        for hosted in list(self.hosted.values()):
            await self.flush(hosted)

    async def flush(self, hosted: Hosted) -> None:
        """Cut; wait for the acknowledgements of all that was put up to the cut; write; then it may commit."""
        async with self._flushing:
            if hosted not in self.hosted.values():
                return
            if hosted.database is None and hosted.flushed == hosted.next_offset:
                return
            started = perf_counter()
            frozen, offset = hosted.cut()
            await self._outbox.acknowledged()
            if hosted.database is not None and frozen is not None:
                await asyncio.to_thread(hosted.database.write, frozen)
            took = hosted.flushed_up_to(offset, started=started)
            self._context.metrics.flush_seconds.labels(stage=hosted.part.stage).observe(took)

    async def checkpoint(self, hosted: Hosted) -> Checkpointed | None:
        """Make a checkpoint of what was flushed last; None if the partition is no longer held."""
        async with self._flushing:
            if hosted.database is None or hosted not in self.hosted.values():
                return None
            return await asyncio.to_thread(checkpoint, hosted.database, Path(self._settings.state.dir))

    def close(self) -> None:
        """Let go of every store."""
        for hosted in self.hosted.values():
            hosted.close()
        self.hosted.clear()
