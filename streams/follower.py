"""Following compacted topics: every partition, from the offsets on disk, into this process's own views.

Delivery: rows and offsets are written together; a row may be taken twice, which changes nothing.
"""

import asyncio

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord, TopicPartition

from schemas.settings import Settings
from streams.bounded_fetch import fetch_bytes
from streams.connection import client_options
from streams.followed import Views
from streams.kafka_outbox import VERSION_HEADER
from streams.outbox import Version
from streams.rewriting import look_every_s, rewrite_if_due
from streams.topology import TOPIC_BY_NAME
from streams.view_store import ViewDatabase

FLUSH_INTERVAL_S = 1.0
FLUSH_BYTES = 16 * 1024 * 1024
"""So many bytes of rows are flushed at once, and nothing is taken meanwhile."""

MAX_RECORDS = 500
FETCH_MIN_BYTES = 65_536
"""A fetch with less waits for more, as long as the settings say: each costs as much as a hundred rows."""


def version_of(record: "ConsumerRecord[bytes, bytes]") -> Version:
    """The version that the writer gave a row; by its own place in the topic where there is none."""
    for name, value in record.headers:
        if name == VERSION_HEADER:
            epoch, partition, offset = value.decode().split(":")
            return int(epoch), int(partition), int(offset)
    return 0, record.partition, record.offset


class Follower:
    """Keeps the views of a process up to date.

    Parameters
    ----------
    views : Views
        What models read.
    databases : dict of str to ViewDatabase
        Rows and offsets by topic name without prefix.
    partitions : dict of str to int
        How many partitions each topic has.
    settings : Settings
        Broker and prefix, and how often files are rewritten.
    """

    def __init__(
        self,
        views: Views,
        databases: dict[str, ViewDatabase],
        partitions: dict[str, int],
        settings: Settings,
    ) -> None:
        self._views, self._databases = views, databases
        self._settings, self._state = settings.kafka, settings.state
        prefix = self._settings.topic_prefix
        self._places = {
            TopicPartition(prefix + name, partition): name
            for name, count in partitions.items()
            for partition in range(count)
        }
        self._consumer: AIOKafkaConsumer | None = None
        self._goal: dict[TopicPartition, int] = {}
        self._changed = False
        self._unflushed_bytes = 0

    async def start(self) -> None:
        """Connect, and read on where the views stop; a view ahead of its topic starts again."""
        if not self._places:
            return
        self._consumer = AIOKafkaConsumer(
            **client_options(self._settings),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=fetch_bytes(self._settings, len(self._places)),
            fetch_min_bytes=FETCH_MIN_BYTES,
            fetch_max_wait_ms=self._settings.learn_wait_ms,
        )
        await self._consumer.start()
        self._consumer.assign(list(self._places))
        self._goal = await self._consumer.end_offsets(list(self._places))
        first = await self._consumer.beginning_offsets(list(self._places))
        for place, name in self._places.items():
            known = self._databases[name].offsets.get(place.partition, 0)
            self._consumer.seek(place, known if known <= self._goal[place] else first[place])

    @property
    def caught_up(self) -> bool:
        """Whether the views hold all that the topics held at the start."""
        return all(
            self._databases[self._places[place]].offsets.get(place.partition, 0) >= offset
            for place, offset in self._goal.items()
        )

    async def run(self) -> None:
        """Follow until cancelled."""
        if self._consumer is None:
            return
        loop = asyncio.get_running_loop()
        flushed = looked = loop.time()
        while True:
            fetched = await self._consumer.getmany(timeout_ms=200, max_records=MAX_RECORDS)
            for place, records in fetched.items():
                self._learn(place, records)
                if self._unflushed_bytes >= FLUSH_BYTES:
                    flushed = loop.time()
                    await self.flush()
                await asyncio.sleep(0)
            await self._skip_to_goal(fetched)
            if self._changed and loop.time() - flushed >= FLUSH_INTERVAL_S:
                flushed = loop.time()
                await self.flush()
            if loop.time() - looked >= look_every_s(self._state):
                looked = loop.time()
                await self._rewrite()

    def _learn(self, place: TopicPartition, records: "list[ConsumerRecord[bytes, bytes]]") -> None:
        name = self._places[place]
        topic = self._views.topics[name]
        for record in records:
            if record.key is not None:
                topic.learn(record.key.decode(), record.value, version_of(record))
                self._unflushed_bytes += len(record.key) + len(record.value or b"")
        self._databases[name].offsets[place.partition] = records[-1].offset + 1
        self._changed = True

    async def _skip_to_goal(self, fetched: object) -> None:
        """Compaction may have removed the last records before the goal: the position tells."""
        if fetched or self._consumer is None or self.caught_up:
            return
        for place, goal in self._goal.items():
            if await self._consumer.position(place) >= goal:
                self._databases[self._places[place]].offsets[place.partition] = goal

    async def flush(self) -> None:
        """Write rows and offsets; the encoding is done here, the writing in a thread."""
        self._changed, self._unflushed_bytes = False, 0
        for database in self._databases.values():
            await database.flush_in_thread()

    async def _rewrite(self) -> None:
        """Rewrite the files of views of people, when that is due."""
        for name, database in self._databases.items():
            if TOPIC_BY_NAME[name].key == "user":
                await rewrite_if_due(database.database, self._state)

    async def stop(self) -> None:
        """Write what was taken and disconnect."""
        if self._consumer is not None:
            await self._consumer.stop()
        for database in self._databases.values():
            database.flush()
            database.close()
