"""How far real topics reach back: by the age of the record that is needed, and by what was deleted."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from faust.types import TP
from kafka import KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient

from schemas.settings import KafkaSettings, Settings
from streams.cluster import topic_specs
from streams.hosted import Hosted
from streams.kafka_outbox import KafkaOutbox
from streams.runtime import Runtime
from streams.snapshots.retention import RetentionWatch
from streams.stages.ingest import IngestPartition
from streams.topics import create_topics
from tests.streams.stages.parts import Bench

pytestmark = pytest.mark.kafka

HOUR_MS = 3_600_000


class Watched:
    """Ingest of one partition of `browses`, whose retention is 100 hours."""

    def __init__(self, kafka: str, prefix: str) -> None:
        settings = KafkaSettings(
            bootstrap_servers=kafka, topic_prefix=prefix, partitions=1, retention_hours=100
        )
        create_topics(settings, topic_specs(settings), replication=1)
        self.kafka, self.topic = kafka, f"{prefix}browses"
        self.bench = Bench(Settings(kafka=settings))
        self.runtime = Runtime(
            ("ingest",), self.bench.context, KafkaOutbox(settings, self._fail), self._fail, cluster="c"
        )
        self.oldest: int | None = None
        self.watch = RetentionWatch(
            self.runtime, lambda _: self.oldest, self.bench.settings, self.bench.metrics
        )
        self._producer: Any = KafkaProducer(bootstrap_servers=[kafka])

    def _fail(self, error: Exception) -> None:
        raise error

    def put(self, *ages_h: int) -> None:
        """Records of these ages."""
        now_ms = time.time_ns() // 1_000_000
        for age in ages_h:
            self._producer.send(self.topic, b"{}", timestamp_ms=now_ms - age * HOUR_MS)
        self._producer.flush(timeout=30)

    def read_up_to(self, offset: int) -> None:
        part = IngestPartition("browses", 0, self.bench.context)
        self.runtime.hosted[TP(self.topic, 0)] = Hosted(part, None, self.topic, 0, offset, calm_ms=0)

    def delete_up_to(self, offset: int) -> None:
        """What retention does in the end."""
        admin: Any = KafkaAdminClient(bootstrap_servers=[self.kafka])
        admin.delete_records({TopicPartition(self.topic, 0): offset})
        admin.close()

    def used(self) -> float:
        """The ratio that is shown after one look."""

        async def look() -> None:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self.kafka, enable_auto_commit=False, auto_offset_reset="earliest"
            )
            await consumer.start()
            try:
                await self.watch.look(consumer)
            finally:
                await consumer.stop()

        asyncio.run(look())
        labels = {"stage": "ingest", "topic": self.topic}
        shown = self.bench.metrics.registry.get_sample_value("freshrec_retention_used_ratio", labels)
        assert shown is not None
        return shown

    def close(self) -> None:
        self._producer.close()


@pytest.fixture
def watched(kafka: str, topic_prefix: str) -> Iterator[Watched]:
    made = Watched(kafka, topic_prefix)
    yield made
    made.close()


def test_the_oldest_record_that_is_needed_decides(watched: Watched) -> None:
    watched.put(80, 60, 40, 20)
    for offset, ratio in enumerate((0.8, 0.6, 0.4, 0.2)):
        watched.read_up_to(offset)
        assert watched.used() == pytest.approx(ratio, abs=0.01)
    watched.read_up_to(4)
    assert watched.used() == 0
    watched.oldest = 1
    assert watched.used() == pytest.approx(0.6, abs=0.01)


def test_what_was_deleted_before_it_was_read_is_lost(watched: Watched) -> None:
    watched.put(3, 2, 1)
    watched.delete_up_to(2)
    watched.read_up_to(1)
    assert watched.used() == 1
    watched.read_up_to(2)
    assert watched.used() == pytest.approx(0.01, abs=0.005)
