"""Following topics: every partition, from the offsets on disk, into this process's own views.

Of compacted topics the newest rows are kept, of `facts` the newest sessions.

Delivery: rows and offsets are written together; a row may be taken twice, which changes nothing.
"""

import asyncio
from time import perf_counter

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord, TopicPartition

from schemas.settings import Settings
from streams.bounded_fetch import fetch_bytes
from streams.connection import client_options
from streams.followed import ITEM_VIEW, Views
from streams.kafka_outbox import VERSION_HEADER
from streams.outbox import Version
from streams.remembered import FACTS, RememberedSessions
from streams.rewriting import look_every_s, rewrite_if_due
from streams.topology import TOPIC_BY_NAME
from streams.view_store import ViewDatabase

FLUSH_INTERVAL_S = 1.0
FLUSH_BYTES = 16 * 1024 * 1024
"""So many bytes of rows are flushed at once, and nothing is taken meanwhile."""

SLICE_S = 0.005
"""Sessions are learned so long at once: what is on its way to a list waits meanwhile."""

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
        Broker and prefix, and how often files are rewritten and sessions are saved.
    flush_interval_s : float
        Rows that were taken are flushed so often.
    """

    def __init__(
        self,
        views: Views,
        databases: dict[str, ViewDatabase],
        partitions: dict[str, int],
        settings: Settings,
        *,
        flush_interval_s: float = FLUSH_INTERVAL_S,
    ) -> None:
        self._views, self._databases = views, databases
        self._flush_interval_s = flush_interval_s
        self._settings, self._state, self._save_s = settings.kafka, settings.state, settings.sessions.save_s
        self._remembered = views.remembered
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
            if name == FACTS:
                continue
            known = self._databases[name].offsets.get(place.partition, 0)
            known = known if known <= self._goal[place] else first[place]
            if name == ITEM_VIEW and self._views.newest is not None:
                # What was not saved of it is read again, which changes nothing else.
                known = max(first[place], min(known, self._views.newest.offsets.get(place.partition, 0)))
            self._consumer.seek(place, known)
        if self._remembered is not None:
            self._seek_facts(self._consumer, self._remembered, first)

    def _seek_facts(
        self,
        consumer: AIOKafkaConsumer,
        remembered: RememberedSessions,
        first: "dict[TopicPartition, int]",
    ) -> None:
        places = [place for place, name in self._places.items() if name == FACTS]
        if any(remembered.offsets.get(place.partition, 0) > self._goal[place] for place in places):
            remembered.restart()
        for place in places:
            offset = remembered.first(first[place], self._goal[place], place.partition, len(places))
            remembered.offsets[place.partition] = offset
            consumer.seek(place, offset)

    @property
    def caught_up(self) -> bool:
        """Whether the views hold all that the topics held at the start."""
        return all(
            self._offsets(self._places[place]).get(place.partition, 0) >= offset
            for place, offset in self._goal.items()
        )

    def _offsets(self, name: str) -> dict[int, int]:
        if name == FACTS and self._remembered is not None:
            return self._remembered.offsets
        return self._databases[name].offsets

    async def run(self) -> None:
        """Follow until cancelled."""
        if self._consumer is None:
            return
        loop = asyncio.get_running_loop()
        flushed = looked = saved = loop.time()
        while True:
            fetched = await self._consumer.getmany(timeout_ms=200, max_records=MAX_RECORDS)
            for place, records in fetched.items():
                if self._places[place] == FACTS:
                    await self._remember(place, records)
                else:
                    self._learn(place, records)
                if self._unflushed_bytes >= FLUSH_BYTES:
                    flushed = loop.time()
                    await self.flush()
                await asyncio.sleep(0)
            await self._skip_to_goal(fetched)
            if self._changed and loop.time() - flushed >= self._flush_interval_s:
                flushed = loop.time()
                await self.flush()
            if loop.time() - saved >= self._save_s:
                saved = loop.time()
                await self._save()
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
        offsets, upto = self._databases[name].offsets, records[-1].offset + 1
        offsets[place.partition] = max(upto, offsets.get(place.partition, 0))
        if name == ITEM_VIEW and self._views.newest is not None:
            self._views.newest.offsets[place.partition] = upto
        self._changed = True

    async def _remember(self, place: TopicPartition, records: "list[ConsumerRecord[bytes, bytes]]") -> None:
        if self._remembered is None:
            return
        ends = perf_counter() + SLICE_S
        for record in records:
            self._remembered.learn(place.partition, record.offset, record.value)
            if perf_counter() >= ends:
                await asyncio.sleep(0)
                ends = perf_counter() + SLICE_S

    async def _save(self) -> None:
        """Save sessions and newest items, if there are other ones: copied at once, written in a thread."""
        if self._remembered is not None and self._remembered.changed:
            await asyncio.to_thread(self._remembered.save, self._remembered.frozen())
        newest = self._views.newest
        if newest is not None and newest.changed:
            await asyncio.to_thread(newest.save, newest.frozen())

    async def _skip_to_goal(self, fetched: object) -> None:
        """Compaction may have removed the last records before the goal: the position tells."""
        if fetched or self._consumer is None or self.caught_up:
            return
        for place, goal in self._goal.items():
            if await self._consumer.position(place) >= goal:
                self._offsets(self._places[place])[place.partition] = goal

    async def flush(self) -> None:
        """Write rows and offsets; the encoding is done here, the writing in a thread."""
        self._changed, self._unflushed_bytes = False, 0
        for database in self._databases.values():
            await database.flush_in_thread()

    async def _rewrite(self) -> None:
        """Rewrite the files of views of people, when that is due."""
        for name, database in self._databases.items():
            if TOPIC_BY_NAME[name].key.startswith("user"):
                await rewrite_if_due(database.database, self._state)

    async def stop(self) -> None:
        """Write what was taken and disconnect."""
        if self._consumer is not None:
            await self._consumer.stop()
        await self._save()
        for database in self._databases.values():
            database.flush()
            database.close()
