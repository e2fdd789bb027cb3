"""The worker's outbox: an own idempotent producer, in order, with every acknowledgement watched.

Delivery: a record that was put before a cut is acknowledged before that cut is written. After one
failed or overdue acknowledgement nothing more is sent and the process ends, so that it is sent again.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from aiokafka import AIOKafkaProducer

from schemas.settings import KafkaSettings
from streams.connection import client_options
from streams.errors import DeliveryError
from streams.outbox import Outgoing
from streams.topology import MAX_MESSAGE_BYTES

VERSION_HEADER = "version"
MAX_WAITING_BYTES = 8 * 1024 * 1024
"""With so much in it nothing more is learned before it was handed on; one record may exceed it."""


class KafkaOutbox:
    """Collects records synchronously; `ship` sends them.

    Parameters
    ----------
    settings : KafkaSettings
        Broker, prefix, linger and the longest wait for an acknowledgement.
    on_failure : callable
        Called once, with the error, when a record could not be delivered.
    """

    def __init__(self, settings: KafkaSettings, on_failure: Callable[[Exception], None]) -> None:
        self._settings, self._on_failure = settings, on_failure
        self._waiting: deque[Outgoing] = deque()
        self._waiting_bytes = 0
        self._unacknowledged: set[asyncio.Future[object]] = set()
        self._shipping = asyncio.Lock()
        self._producer: AIOKafkaProducer | None = None
        self._failed: Exception | None = None

    async def start(self) -> None:
        """Connect."""
        self._producer = AIOKafkaProducer(
            **client_options(self._settings),
            enable_idempotence=True,
            acks="all",
            linger_ms=self._settings.linger_ms,
            max_batch_size=262_144,
            max_request_size=MAX_MESSAGE_BYTES,
            request_timeout_ms=int(self._settings.send_timeout_s * 1000),
        )
        await self._producer.start()

    async def stop(self) -> None:
        """Send what is left and disconnect."""
        if self._producer is not None:
            await self._producer.stop()

    def put(self, record: Outgoing) -> None:
        """Take a record; it leaves with the next `ship`."""
        self._waiting.append(record)
        self._waiting_bytes += _size(record)

    @property
    def full(self) -> bool:
        """Whether so much waits to be handed to the producer that it has to be before more is put."""
        return self._waiting_bytes >= MAX_WAITING_BYTES

    async def ship(self) -> None:
        """Hand all that was put to the producer, in order; waits while its buffer is full.

        Raises
        ------
        DeliveryError
            An earlier record could not be delivered.
        """
        if not self._waiting:
            return
        async with self._shipping:
            while self._waiting:
                if self._failed is not None:
                    raise DeliveryError(f"nothing is sent any more after: {self._failed}")
                # It stays where it is until the producer has it: a cut that waits for all that was put would
                # overtake it otherwise, and one whose sender is cancelled would be gone.
                record = self._waiting[0]
                await self._send(record)
                self._waiting.popleft()
                self._waiting_bytes -= _size(record)

    async def _send(self, record: Outgoing) -> None:
        if self._producer is None:
            raise DeliveryError("the producer was not started")
        headers = None
        if record.version is not None:
            headers = [(VERSION_HEADER, "{}:{}:{}".format(*record.version).encode())]
        future = await self._producer.send(
            self._settings.topic_prefix + record.topic,
            record.value,
            record.key,
            record.partition,
            headers=headers,
        )
        self._unacknowledged.add(future)
        future.add_done_callback(self._acknowledged)

    def _acknowledged(self, future: "asyncio.Future[object]") -> None:
        self._unacknowledged.discard(future)
        error = "it was given up" if future.cancelled() else future.exception()
        if error is not None and self._failed is None:
            self._failed = DeliveryError(
                f"a record was not acknowledged: {error}; it is sent again on restart"
            )
            self._on_failure(self._failed)

    async def acknowledged(self) -> None:
        """Wait until all that was put so far is acknowledged.

        Raises
        ------
        DeliveryError
            One was refused, or the wait took longer than `kafka.send_timeout_s`.
        """
        await self.ship()
        waiting = set(self._unacknowledged)
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=self._settings.send_timeout_s)
            if late:
                raise DeliveryError(
                    f"{len(late)} records were not acknowledged within {self._settings.send_timeout_s} s"
                )
        if self._failed is not None:
            raise self._failed


def _size(record: Outgoing) -> int:
    return len(record.key or b"") + len(record.value or b"")
