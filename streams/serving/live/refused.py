"""The newest refused records, without their text: the end of topic `rejected`, held in memory.

In no consumer group. Where the topic cannot be read, everything else goes on, and it is said why.
"""

import asyncio
import logging
from collections import deque
from typing import Final

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from schemas.page import RefusedRecord, RefusedRecords
from schemas.settings import KafkaSettings
from streams.connection import client_options
from streams.topology import TOPIC_BY_NAME, partitions_of

KEPT: Final = 100
"""Records that are held."""

AGAIN_S: Final = 30.0
"""After a failure it is tried again so much later."""

_TOPIC: Final = "rejected"
_FETCH_BYTES: Final = 1_048_576
logger = logging.getLogger(__name__)
_decode = msgspec.json.Decoder(RefusedRecord).decode


class Refused:
    """The newest of what was refused."""

    def __init__(self) -> None:
        self._records: deque[RefusedRecord] = deque(maxlen=KEPT)
        self.problem: str | None = None

    def learn(self, value: bytes | None) -> None:
        """Take a record of the topic; what is no rejection is left out."""
        try:
            self._records.append(_decode(value or b""))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return

    def newest(self) -> RefusedRecords:
        """Give what is held, the newest first by when it was refused."""
        records = sorted(self._records, key=lambda each: each.at, reverse=True)
        return RefusedRecords(records, self.problem)


async def follow(refused: Refused, kafka: KafkaSettings) -> None:
    """Read the end of the topic, and what comes, until cancelled."""
    while True:
        try:
            await _follow(refused, kafka)
        except KafkaError as error:
            topic = kafka.topic_prefix + _TOPIC
            refused.problem = f"{topic} cannot be read: {type(error).__name__}; it is tried again"
            logger.warning("%s; the page goes without", refused.problem)
            await asyncio.sleep(AGAIN_S)


async def _follow(refused: Refused, kafka: KafkaSettings) -> None:
    name = kafka.topic_prefix + _TOPIC
    count = partitions_of(TOPIC_BY_NAME[_TOPIC], kafka.partitions)
    places = [TopicPartition(name, partition) for partition in range(count)]
    consumer = AIOKafkaConsumer(
        **client_options(kafka), enable_auto_commit=False, max_partition_fetch_bytes=_FETCH_BYTES
    )
    await consumer.start()
    try:
        consumer.assign(places)
        first = await consumer.beginning_offsets(places)
        for place, end in (await consumer.end_offsets(places)).items():
            consumer.seek(place, max(first[place], end - KEPT))
        refused.problem = None
        while True:
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                for record in records:
                    refused.learn(record.value)
    finally:
        await consumer.stop()
