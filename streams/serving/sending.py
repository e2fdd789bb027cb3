"""Messages that come over HTTP on their way to the public topics.

Delivery: what was answered with 202 is acknowledged by all replicas; after a failure nothing is known of it,
and the sender sends it again under the same event id.
"""

import asyncio
import time
from contextlib import suppress
from typing import Protocol

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.answers import Accepted, EventsAnswer, Fault
from schemas.checks import Rejected
from schemas.cloud_events import Headers, open_record, open_value
from schemas.codec import Decoded, decode
from schemas.events import TOPIC_OF_TYPE
from schemas.faults import MOST_FAULTS, faults
from schemas.settings import Settings
from streams.connection import client_options
from streams.formats.jsonl import KEY_FIELDS
from streams.partitioning import partition_of
from streams.serving.problems import RefusedError, wrong
from streams.topology import MAX_MESSAGE_BYTES

_RAW = msgspec.json.Decoder(list[msgspec.Raw])


class _Kind(msgspec.Struct):
    type: str = ""


_kind = msgspec.json.Decoder(_Kind).decode
RETRY_AFTER_S, STOP_S = 1, 5.0


class Ready(msgspec.Struct, frozen=True):
    """A good message with its topic and key."""

    type: str
    topic: str
    key: str
    event_id: str | None
    value: bytes


class Sender(Protocol):
    """Takes a message and returns once Kafka has it: partition and offset."""

    async def send(self, message: Ready) -> tuple[int, int]: ...


def read_messages(raw: bytes, settings: Settings, *, now_ms: int, headers: Headers = ()) -> list[Ready]:
    """Check all messages of a body: one object, or an array; each bare or in a structured CloudEvent.

    Parameters
    ----------
    raw : bytes
        The body.
    settings : Settings
        Sizes, and how many messages one body may have.
    now_ms : int
        The wall clock.
    headers : sequence of (str, bytes)
        What says that the body as a whole is one CloudEvent, as a Kafka record would have it.

    Raises
    ------
    RefusedError
        One of them would be rejected; every fault of every one is named.
    """
    alone = bool(headers) or raw.lstrip()[:1] != b"["
    parts = [raw] if alone else _parts(raw, settings.serve.max_events)
    found: list[Ready] = []
    wrongs: list[Fault] = []
    for number, part in enumerate(parts):
        message = _read(part, settings, now_ms, headers)
        if isinstance(message, Ready):
            found.append(message)
            continue
        place = "" if alone else f"[{number}]"
        for each in message:
            field = f"{place}.{each.field}" if place and each.field else place or each.field
            wrongs.append(Fault(field, each.reason, each.detail))
    if wrongs:
        raise wrong(wrongs[: max(MOST_FAULTS, settings.serve.max_events)])
    return found


def _parts(raw: bytes, most: int) -> list[bytes]:
    try:
        parts = [bytes(part) for part in _RAW.decode(raw)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise wrong([Fault("", "invalid_json", f"not an array in UTF-8: {error}")]) from error
    if not 0 < len(parts) <= most:
        raise wrong([Fault("", "bad_value", f"{len(parts)} messages; expected 1 to {most} in one request")])
    return parts


def _read(value: bytes, settings: Settings, now_ms: int, headers: Headers) -> Ready | list[Fault]:
    """Return a good message, or every fault of another: of what is in a CloudEvent, below `data`."""
    opened = open_record(value, headers) if headers else open_value(value)
    if isinstance(opened, Rejected):
        return [Fault("", opened.reason, opened.detail)]
    message = _read_message(opened, settings, now_ms)
    if isinstance(message, Ready) or opened is value:
        return message
    return [Fault(f"data.{each.field}".rstrip("."), each.reason, each.detail) for each in message]


def _read_message(raw: bytes, settings: Settings, now_ms: int) -> Ready | list[Fault]:
    try:
        kind = _kind(raw).type
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        kind = ""
    topic = TOPIC_OF_TYPE.get(kind, "")
    decoded: Decoded | Rejected = decode(topic, raw, settings.ingest, sent_at=now_ms)
    if isinstance(decoded, Rejected):
        return faults(raw, settings.ingest, sent_at=now_ms) or [Fault("", decoded.reason, decoded.detail)]
    message = decoded.message
    key = next(value for field in KEY_FIELDS[topic] if (value := getattr(message, field)))
    event_id = getattr(message, "event_id", None) or getattr(message, "order_id", None)
    return Ready(kind, topic, key, event_id, raw)


class KafkaSender:
    """Sends to Kafka, many requests at a time.

    Parameters
    ----------
    settings : Settings
        Broker, prefix, partitions, and the longest wait.
    """

    def __init__(self, settings: Settings) -> None:
        self._kafka = settings.kafka
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect."""
        self._producer = AIOKafkaProducer(
            **client_options(self._kafka),
            enable_idempotence=True,
            acks="all",
            linger_ms=self._kafka.linger_ms,
            max_request_size=MAX_MESSAGE_BYTES,
            request_timeout_ms=int(self._kafka.send_timeout_s * 1000),
        )
        await self._producer.start()

    async def send(self, message: Ready) -> tuple[int, int]:
        if self._producer is None:
            raise _not_taken("there is no connection to Kafka yet")
        partition = partition_of(message.key, self._kafka.partitions)
        name = self._kafka.topic_prefix + message.topic
        try:
            future = await asyncio.wait_for(
                self._producer.send(name, message.value, message.key.encode(), partition),
                self._kafka.send_timeout_s,
            )
            told = await asyncio.wait_for(asyncio.shield(future), self._kafka.send_timeout_s)
        except (KafkaError, TimeoutError) as error:
            raise _not_taken(str(error) or type(error).__name__) from error
        return told.partition, told.offset

    async def stop(self) -> None:
        """Send what is left, for a moment, and disconnect."""
        if self._producer is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._producer.stop(), STOP_S)


def _not_taken(why: str) -> RefusedError:
    return RefusedError(
        503,
        f"Kafka did not take the message: {why}. Send it again under the same event id; it counts once",
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


async def send_all(sender: Sender, messages: list[Ready]) -> EventsAnswer:
    """Send messages, in order per key, and wait until Kafka has them all.

    Raises
    ------
    RefusedError
        One was not taken; others may have been.
    """
    places = await asyncio.gather(*(sender.send(each) for each in messages))
    return EventsAnswer(
        [
            Accepted(each.type, each.event_id, each.topic, partition, offset)
            for each, (partition, offset) in zip(messages, places, strict=True)
        ]
    )


def now_ms() -> int:
    """The wall clock, epoch ms: what `at` may not be far ahead of."""
    return time.time_ns() // 1_000_000
