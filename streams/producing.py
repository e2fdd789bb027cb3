"""Sending public messages to Kafka: keyed, in order per key, each acknowledged before the end.

Delivery: at least once. A run that broke off and is repeated sends again; the event ids tell.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import perf_counter
from typing import Final, Protocol

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.settings import KafkaSettings
from streams.cluster import topic_specs
from streams.connection import client_options
from streams.errors import BrokerError, DeliveryError
from streams.partitioning import partition_of
from streams.topics import check_topics
from streams.topology import MAX_MESSAGE_BYTES, TOPICS

PROGRESS_EVERY: Final = 500
"""Messages between two looks at acknowledgements and calls of `on_progress`, when none has to wait."""

SHORTEST_SLEEP_S: Final = 0.002
"""Messages due within it leave together: their number is small, and the event loop is not worn out."""

LONGEST_SLEEP_S: Final = 0.05
"""How late a wish to stop may be noticed."""


class Message(Protocol):
    """A public message with its topic (without prefix), key, and event time (epoch ms)."""

    @property
    def topic(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def value(self) -> bytes: ...

    @property
    def at(self) -> int: ...


class Sent(msgspec.Struct):
    """How much was sent and acknowledged, by topic, and how long it took from the first message on."""

    topics: dict[str, int]
    messages: int
    seconds: float
    per_s: float


async def send_all(
    settings: KafkaSettings,
    messages: Iterable[Message],
    *,
    rate: float = 0.0,
    at_event_time: bool = False,
    stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Sent:
    """Send messages to their topics until they end or `stop` says so, and wait for all acknowledgements.

    Parameters
    ----------
    settings
        Broker, prefix, partitions, and the longest wait for an acknowledgement.
    messages
        In the order in which they leave.
    rate
        Messages per second, evenly spaced; 0 sends as fast as they go. Who fell behind catches up.
    at_event_time
        Send each message when the wall clock reaches its `at`, late ones at once; `rate` is not used.
    stop
        Asked before each message.
    on_progress
        Called now and then with the number sent.

    Raises
    ------
    BrokerError
        No broker answers, or a public topic is missing or has another number of partitions.
    DeliveryError
        A message was refused, or not acknowledged within `kafka.send_timeout_s`.
    """
    await asyncio.to_thread(_require_topics, settings)
    producer = AIOKafkaProducer(
        **client_options(settings),
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=131_072,
        max_request_size=MAX_MESSAGE_BYTES,
        request_timeout_ms=int(settings.send_timeout_s * 1000),
    )
    delivered = False
    try:
        await producer.start()
        sent = await _Sending(producer, settings, on_progress).run(
            messages, Schedule(rate, at_event_time=at_event_time), stop
        )
        delivered = True
    except KafkaError as error:
        raise DeliveryError(_not_taken(error)) from error
    finally:
        # Closing flushes first, and an idempotent producer never gives up by itself.
        with suppress(TimeoutError):
            await asyncio.wait_for(producer.stop(), settings.send_timeout_s if delivered else 0.5)
    return sent


def _require_topics(settings: KafkaSettings) -> None:
    public = {settings.topic_prefix + topic.name for topic in TOPICS if topic.kind == "entry"}
    specs = [spec for spec in topic_specs(settings) if spec.name in public]
    problems = check_topics(settings, specs)
    if problems:
        more = f" (and {len(problems) - 1} more like it)" if len(problems) > 1 else ""
        raise BrokerError(problems[0] + more)


def _not_taken(error: object) -> str:
    text = str(error) or type(error).__name__
    return f"a message was not taken by the broker: {text}. 'freshrec doctor' looks for the cause"


class Schedule:
    """When each message may leave; asked once for each, in their order.

    Parameters
    ----------
    rate
        Messages per second; 0 lets them leave at once.
    at_event_time
        Each leaves when the wall clock reaches its `at`; `rate` is not used then.
    """

    def __init__(self, rate: float = 0.0, *, at_event_time: bool = False) -> None:
        self._rate, self._at_event_time = rate, at_event_time
        self._newest_at = 0
        self._number = 0
        self._started = 0.0

    def wait_s(self, message: Message) -> float:
        """How long this message, the next one, still has to wait; at most 0 if it may leave."""
        if self._at_event_time:
            self._newest_at = max(self._newest_at, message.at)
            return self._newest_at / 1000 - time.time()
        if not self._rate:
            return 0.0
        if not self._number:
            self._started = perf_counter()
        self._number += 1
        return self._started + (self._number - 1) / self._rate - perf_counter()


class _Sending:
    """One run: hands messages to the producer and watches their acknowledgements."""

    def __init__(
        self, producer: AIOKafkaProducer, settings: KafkaSettings, on_progress: Callable[[int], None]
    ) -> None:
        self._producer, self._settings, self._on_progress = producer, settings, on_progress
        self._counts: Counter[str] = Counter()
        self._sent = 0
        self._waiting: set[asyncio.Future[object]] = set()
        self._failed: BaseException | None = None
        self._heard_at = 0.0

    async def run(self, messages: Iterable[Message], schedule: Schedule, stop: Callable[[], bool]) -> Sent:
        """Send them all; what was sent before `stop` is acknowledged as well."""
        started = perf_counter()
        for message in messages:
            due = perf_counter() + schedule.wait_s(message)
            while (wait := due - perf_counter()) > 0 and not stop():
                self._look()
                await asyncio.sleep(min(max(wait, SHORTEST_SLEEP_S), LONGEST_SLEEP_S))
            if stop():
                break
            if not self._sent:
                started = perf_counter()
            await self._send(message)
            if self._sent % PROGRESS_EVERY == 0:
                self._look()
        await self._all_acknowledged()
        self._on_progress(self._sent)
        seconds = max(perf_counter() - started, 1e-6)
        return Sent(dict(self._counts), self._sent, round(seconds, 3), round(self._sent / seconds, 1))

    async def _send(self, message: Message) -> None:
        settings = self._settings
        name, partition = (
            settings.topic_prefix + message.topic,
            partition_of(message.key, settings.partitions),
        )
        # A message without a key goes where the empty key goes: ingest has to see and refuse it.
        future = await self._producer.send(name, message.value, message.key.encode(), partition)
        if not self._waiting:
            self._heard_at = perf_counter()
        self._waiting.add(future)
        future.add_done_callback(self._acknowledged)
        self._counts[message.topic] += 1
        self._sent += 1

    def _acknowledged(self, future: "asyncio.Future[object]") -> None:
        self._waiting.discard(future)
        self._heard_at = perf_counter()
        if not future.cancelled():
            self._failed = self._failed or future.exception()

    def _look(self) -> None:
        """Tell how far it is; stop the run if a message failed or none was acknowledged for too long."""
        self._on_progress(self._sent)
        if self._failed is not None:
            raise DeliveryError(_not_taken(self._failed))
        limit = self._settings.send_timeout_s
        if self._waiting and perf_counter() - self._heard_at > limit:
            raise DeliveryError(
                f"{len(self._waiting)} messages were not acknowledged within {limit:g} s; "
                f"'freshrec doctor' looks for the cause. What is sent again is told by its event id"
            )

    async def _all_acknowledged(self) -> None:
        while self._waiting:
            await asyncio.sleep(SHORTEST_SLEEP_S)
            self._look()
        self._look()
