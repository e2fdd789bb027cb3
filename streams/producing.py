"""Sending public messages to Kafka: keyed, in order per key, every one acknowledged before the end.

At least once: a send that is repeated after a broken run may be sent twice; the event ids tell.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from time import perf_counter
from typing import Protocol

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.settings import KafkaSettings
from streams.errors import BrokerError, DeliveryError
from streams.kafka_probe import broker_answers
from streams.partitioning import partition_of

CHUNK = 500
PACE_S = 0.01


class Message(Protocol):
    """A public message with its topic (without prefix) and key."""

    @property
    def topic(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def value(self) -> bytes: ...


class Sent(msgspec.Struct):
    """How much was sent, by topic, and how long it took."""

    topics: dict[str, int]
    messages: int
    seconds: float
    per_s: float


async def send_all(
    settings: KafkaSettings,
    messages: Iterable[Message],
    *,
    rate: float = 0.0,
    stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Sent:
    """Send messages to their topics, as fast as they go or at `rate` per second.

    Raises
    ------
    BrokerError
        No broker answers.
    DeliveryError
        A message was refused.
    """
    if not await asyncio.to_thread(broker_answers, settings.bootstrap_servers):
        raise BrokerError(
            f"no Kafka broker answers at {settings.bootstrap_servers}; start one with `freshrec kafka up`, "
            f"or set FRESHREC_KAFKA__BOOTSTRAP_SERVERS"
        )
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap_servers,
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=131_072,
        max_request_size=8 * 1024 * 1024,
    )
    await producer.start()
    try:
        return await _send(producer, settings, iter(messages), rate, stop, on_progress)
    except KafkaError as error:
        raise DeliveryError(f"a message was not taken by the broker: {error}") from error
    finally:
        await producer.stop()


async def _send(
    producer: AIOKafkaProducer,
    settings: KafkaSettings,
    messages: Iterator[Message],
    rate: float,
    stop: Callable[[], bool],
    on_progress: Callable[[int], None],
) -> Sent:
    counts: Counter[str] = Counter()
    waiting: set[asyncio.Future[object]] = set()
    failed: list[BaseException] = []

    def acknowledged(future: "asyncio.Future[object]") -> None:
        waiting.discard(future)
        error = None if future.cancelled() else future.exception()
        if error is not None:
            failed.append(error)

    started, sent = perf_counter(), 0
    chunk = max(1, int(rate * PACE_S)) if rate else CHUNK
    while not stop() and (batch := list(islice(messages, chunk))):
        for each in batch:
            name = settings.topic_prefix + each.topic
            partition = partition_of(each.key, settings.partitions)
            future = await producer.send(name, each.value, each.key.encode(), partition)
            waiting.add(future)
            future.add_done_callback(acknowledged)
            counts[each.topic] += 1
        sent += len(batch)
        if failed:
            break
        on_progress(sent)
        if rate:
            await asyncio.sleep(max(0.0, started + sent / rate - perf_counter()))
    await producer.flush()
    await asyncio.sleep(0)
    if failed:
        raise DeliveryError(f"a message was not taken by the broker: {failed[0]}")
    seconds = max(perf_counter() - started, 1e-6)
    return Sent(dict(counts), sent, round(seconds, 3), round(sent / seconds, 1))
