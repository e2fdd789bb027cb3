"""The storefront's and the downstream services' side of Kafka: topics made, records sent and read, lag.

Synchronous, with Kafka's own admin, producer and consumer; nothing of the worker is used here.
"""

import threading
import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, NamedTuple

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, OffsetSpec
from kafka.structs import OffsetAndMetadata

from online_models.worlds import Emitted
from schemas.settings import Settings
from streams.cluster import topic_specs
from streams.connection import client_options
from streams.kafka_outbox import VERSION_HEADER
from streams.topics import create_topics, identify, list_topics
from streams.topology import STAGES, TOPIC_BY_NAME, Stage, partitions_of
from tests.integration.worker_process import until

READ_S = 900.0
"""A long run leaves millions of records."""


class Stored(NamedTuple):
    """One record as the broker has it; `topic` is without prefix, `version` that of a followed row."""

    topic: str
    partition: int
    offset: int
    sent_at: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()

    @property
    def version(self) -> bytes | None:
        """Version of a row that is followed, as its writer gave it."""
        return dict(self.headers).get(VERSION_HEADER)


class ShopTopics:
    """All topics of one topology, for tests.

    Parameters
    ----------
    settings : Settings
        Broker, prefix and number of partitions.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings, kafka = settings, settings.kafka
        self._prefix = kafka.topic_prefix
        create_topics(kafka, topic_specs(kafka), replication=1)
        connection = client_options(kafka)
        self._admin: Any = KafkaAdminClient(**connection)
        self._consumer: Any = KafkaConsumer(
            **connection, group_id=None, max_poll_records=5_000, fetch_max_wait_ms=50
        )
        self._producer: Any = KafkaProducer(
            **connection,
            linger_ms=5,
            max_request_size=7 * 1024 * 1024,
            acks="all",
            delivery_timeout_ms=600_000,
            max_block_ms=600_000,
        )
        self.cluster, ids = identify(kafka)
        self.topic_ids = {
            name.removeprefix(self._prefix): id_ for name, id_ in ids.items() if name.startswith(self._prefix)
        }

    def __enter__(self) -> "ShopTopics":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._producer.close()
        self._consumer.close()
        self._admin.close()

    # -- sending --------------------------------------------------------------------------------------

    def send(self, records: Iterable[Emitted]) -> None:
        """Send records in order and wait until the broker has them all."""
        for record in records:
            self.send_raw(record.topic, record.key.encode(), record.value)
        self._producer.flush(timeout=60)

    def send_raw(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        """Hand one record to the producer."""
        self._producer.send(self._prefix + topic, value=value, key=key, headers=list(headers))

    def flush(self) -> None:
        """Wait until the broker has all that was handed over."""
        self._producer.flush(timeout=60)

    def delete_before(self, topic: str, partition: int, offset: int) -> None:
        """Let a partition begin at an offset, as retention does."""
        self._admin.delete_records({TopicPartition(self._prefix + topic, partition): offset})

    def limit_records(self, topic: str, most_bytes: int | None) -> None:
        """Let the broker refuse larger records of a topic; None takes what it took before."""
        name = self._prefix + topic
        (spec,) = (each for each in topic_specs(self.settings.kafka) if each.name == name)
        limit = spec.config["max.message.bytes"] if most_bytes is None else str(most_bytes)
        config = {"max.message.bytes": limit}
        self._admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, config)])

    def expire_soon(self) -> None:
        """Let every topic drop what it may within seconds, once later records have begun another file."""
        for spec in topic_specs(self.settings.kafka):
            short = {name: "1" for name in spec.config if name.endswith(".ms")}
            config = {**spec.config, **short, "segment.ms": "1000", "min.cleanable.dirty.ratio": "0.01"}
            self._admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, spec.name, config)])

    def make_again(self, topic: str) -> None:
        """Delete a topic with all it has, and create it anew."""
        kafka, name = self.settings.kafka, self._prefix + topic
        self._admin.delete_topics([name])
        until(
            lambda: name not in {each.name for each in list_topics(kafka)},
            f"{name} without a trace",
        )
        create_topics(kafka, topic_specs(kafka), replication=1)

    # -- reading --------------------------------------------------------------------------------------

    def _places(self, topic: str) -> list[TopicPartition]:
        count = partitions_of(TOPIC_BY_NAME[topic], self.settings.kafka.partitions)
        return [TopicPartition(self._prefix + topic, partition) for partition in range(count)]

    def ends(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        """Where each partition of the topics ends."""
        places = [place for topic in topics for place in self._places(topic)]
        ends = self._admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
        return {
            (place.topic.removeprefix(self._prefix), place.partition): ends[place].offset for place in places
        }

    def read(self, topic: str) -> list[Stored]:
        """Every record that a topic holds now, partition by partition in offset order."""
        places = self._places(topic)
        self._consumer.assign(places)
        self._consumer.seek_to_beginning(*places)
        ends = self.ends([topic])
        found: list[Stored] = []

        def complete() -> bool:
            for place, records in self._consumer.poll(timeout_ms=200).items():
                found.extend(
                    Stored(
                        *(topic, place.partition, each.offset, each.timestamp, each.key, each.value),
                        tuple(each.headers),
                    )
                    for each in records
                    if each.offset < ends[topic, place.partition]
                )
            return all(self._consumer.position(place) >= ends[topic, place.partition] for place in places)

        until(complete, f"all records of {topic}", timeout_s=READ_S)
        self._consumer.assign([])
        return sorted(found, key=lambda each: (each.partition, each.offset))

    def newest(self, topic: str) -> dict[str, bytes | None]:
        """What a reader of a compacted topic has in the end: the last value of each key."""
        return {each.key.decode(): each.value for each in self.read(topic) if each.key is not None}

    # -- groups ---------------------------------------------------------------------------------------

    def group_of(self, stage: Stage) -> str:
        """Name of the consumer group in which a stage reads, all stages of its group running."""
        return f"{self._prefix}freshrec-{stage.group}"

    def committed(self, stage: Stage) -> dict[tuple[str, int], int]:
        """Offsets that a stage's group committed for the topics that the stage reads; 0 where none."""
        group = self.group_of(stage)
        known = self._admin.list_group_offsets({group: None})[group]
        return {
            (topic, place.partition): max(0, known[place].offset) if place in known else 0
            for topic in stage.reads
            for place in self._places(topic)
        }

    def wind_back(self, stage: Stage) -> None:
        """Set what a stage's group committed back to 0, as if a worker had been killed before it did."""
        places = [place for topic in stage.reads for place in self._places(topic)]
        self._admin.alter_group_offsets(
            self.group_of(stage), {place: OffsetAndMetadata(0, "", -1) for place in places}
        )

    def lag(self, stages: Sequence[Stage] = STAGES) -> dict[tuple[str, int], int]:
        """Records per partition that are not committed, of the first stage that has any.

        A stage commits what it has on disk, after its outputs were acknowledged: once it has no lag, the
        topics that it writes for others have their final ends.
        """
        for stage in stages:
            committed, ends = self.committed(stage), self.ends(stage.reads)
            lag = {place: end - committed[place] for place, end in ends.items() if end > committed[place]}
            if lag:
                return lag
        return {}

    def wait_caught_up(self, stages: Sequence[Stage] = STAGES) -> None:
        """Wait until no stage has lag."""
        until(lambda: not self.lag(stages), "stages without lag")

    def members(self, stage: Stage) -> list[set[tuple[str, int]]]:
        """Partitions of each member of a stage's group that has any."""
        group = self.group_of(stage)
        described = self._admin.describe_groups([group])[group]
        owned = [
            {
                (topic["topic"].removeprefix(self._prefix), partition)
                for topic in (member["member_assignment"] or {}).get("assigned_partitions", [])
                for partition in topic["partitions"]
            }
            for member in described["members"]
        ]
        return [places for places in owned if places]


class Stream:
    """Sends records at a steady pace from a thread of its own, as storefronts do.

    Parameters
    ----------
    topics : ShopTopics
        Where to.
    records : Iterable of Emitted
        What.
    per_s : float
        How many in a second.
    """

    def __init__(self, topics: ShopTopics, records: Iterable[Emitted], *, per_s: float) -> None:
        self._topics, self._records, self._pause_s = topics, iter(records), 1.0 / per_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.sent: list[Emitted] = []

    def _run(self) -> None:
        started = time.monotonic()
        for number, record in enumerate(self._records):
            self._topics.send_raw(record.topic, record.key.encode(), record.value)
            self.sent.append(record)
            if self._stop.wait(max(0.0, started + number * self._pause_s - time.monotonic())):
                return

    def wait(self) -> None:
        """Wait until everything was sent."""
        self._thread.join()

    def __enter__(self) -> "Stream":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._topics.flush()
