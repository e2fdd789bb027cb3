"""Faust's Kafka transport, with batches: an agent gets one message per fetched batch of a partition.

Per message Faust makes tasks, locks and sensor calls; per batch they cost nothing. Delivery: positions
come from the stages' stores, never from the group; the group's offsets follow the stores' for the
operator to see, and for stages without a store they are what was acknowledged.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar, Protocol, cast

import msgspec
from aiokafka.errors import IllegalStateError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.transport.drivers.aiokafka import Consumer as AiokafkaConsumer
from faust.transport.drivers.aiokafka import Transport as AiokafkaTransport
from faust.types import TP, ConsumerMessage, ConsumerT, Message

FETCH_MIN_BYTES = 262_144
REQUEST_TIMEOUT_S = 90.0
"""So long a broker may take to answer."""


class Batch(msgspec.Struct, frozen=True):
    """The records of one fetch of one partition, and the assignment generation that they came under."""

    topic: str
    partition: int
    generation: int
    records: list[Any]


class Positions(Protocol):
    """Who knows where to read on: the runtime with its stores."""

    def committable(self) -> Mapping[TP, int]: ...

    def position_of(self, tp: TP) -> int | None: ...

    async def resume_at(self, assigned: frozenset[TP], committed: Mapping[TP, int]) -> Mapping[TP, int]: ...


class PatientThread(AIOKafkaConsumerThread):
    """Where faust's consumer fetches: it lets the broker gather records for a moment.

    A fetch costs as much as handling hundreds of records, and without a wait each brings just one.
    """

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # Faust has no setting for these; they are read when the consumer starts.
        consumer._fetch_min_bytes = FETCH_MIN_BYTES
        consumer._fetch_max_wait_ms = max(1, transport.fetch_wait_ms)
        consumer._request_timeout_ms = consumer._client._request_timeout_ms = int(1000 * REQUEST_TIMEOUT_S)
        return consumer


class BatchConsumer(AiokafkaConsumer):
    """Yields batches; reads on where the stores say; commits what the stores have on disk."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Faust keeps where partitions were sought to as committed, which for a store is ahead of the group.
        self._in_group: dict[TP, int] = {}

    @property
    def positions(self) -> Positions:
        """The runtime, as the worker registered it on the transport."""
        return cast(BatchTransport, self.transport).positions

    def _new_consumer_thread(self) -> PatientThread:
        return PatientThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:
        """Fetch, and hand out one message per partition that has records."""
        before = self.app.consumer_generation_id
        records, active = await self._wait_next_records(timeout)
        if records and not self.flow_active:
            await self.wait(self.can_resume_flow.wait())
        generation = self.app.consumer_generation_id
        if records is None or self.should_stop:
            return
        if generation != before:
            await self._fetch_again(records)
            return
        for raw_tp, fetched in records.items():
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            if not fetched or (active is not None and raw_tp not in active):
                continue
            tp = TP(raw_tp.topic, raw_tp.partition)
            batch = Batch(tp.topic, tp.partition, generation, fetched)
            yield tp, self._message_of(tp, batch)

    async def _fetch_again(self, records: Mapping[Any, Any]) -> None:
        """Go back to before records that were fetched while partitions changed hands.

        Whether they came before or after the rebalance's own seek is not known; nothing was handed out since.
        """
        known = {raw: self.positions.position_of(TP(raw.topic, raw.partition)) for raw in records}
        places = {raw: at for raw, at in known.items() if at is not None}
        try:
            if places:
                await self.seek_wait(places)
        except IllegalStateError:
            self.log.info("partitions change hands again: what follows that seeks anyway")

    def _message_of(self, tp: TP, batch: Batch) -> ConsumerMessage:
        first = batch.records[0]
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            first.offset,
            first.timestamp / 1000.0,
            first.timestamp_type,
            [],
            None,
            cast(bytes, batch),
            None,
            tp=tp,
            generation_id=batch.generation,
        )

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Set every assigned partition to where its store wants to read on."""
        committed = await super().seek_to_committed()
        assigned = frozenset(TP(tp.topic, tp.partition) for tp in self.assignment())
        known = {TP(tp.topic, tp.partition): offset for tp, offset in committed.items()}
        # Not what Faust remembers as committed, which is where the stores read on.
        self._in_group = {tp: offset for tp, offset in known.items() if tp in assigned}
        wanted = await self.positions.resume_at(assigned, known)
        raw = {self._new_topicpartition(tp.topic, tp.partition): at for tp, at in wanted.items()}
        if raw:
            await self.seek_wait(raw)
        return wanted

    def on_buffer_full(self, tp: TP) -> None:
        """Let the full queue itself hold the fetcher back; faust would look away for a whole second."""

    def track_message(self, message: Message) -> None:
        """Leave tracking to the runtime: a rebalance does not wait for batches, it discards them."""

    def ack(self, message: Message) -> bool:
        """Leave acknowledging to the runtime: an offset counts once its store has it on disk."""
        message.acked = True
        return True

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Gaps between first offsets of batches are no gaps."""

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: ARG002
        """Commit the offsets that the stores have on disk."""
        assignment = {TP(tp.topic, tp.partition) for tp in self.assignment()}
        offsets = {tp: at for tp, at in self.positions.committable().items() if tp in assignment}
        changed = {tp: at for tp, at in offsets.items() if self._in_group.get(tp) != at}
        if not changed:
            return False
        if await self._commit(changed):
            self._in_group.update(changed)
            return True
        return False

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Leave watching to the runtime's own watchdog."""


class BatchTransport(AiokafkaTransport):
    """Faust's aiokafka transport with the batching consumer, which asks `positions` where to read on."""

    Consumer: ClassVar[type[ConsumerT]] = BatchConsumer
    positions: Positions
    fetch_wait_ms: int = 1
