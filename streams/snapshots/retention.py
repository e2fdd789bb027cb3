"""Whether topics reach back far enough: to where each store, and the oldest snapshot kept, reads on.

Reads only. A record that retention removed before every state needed it is a loss that no restart mends,
so the share of the retention that is used up is told long before.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from schemas.settings import Settings, SnapshotSettings
from streams.connection import client_options
from streams.hosted import Hosted
from streams.monitoring import Metrics
from streams.runtime import Runtime
from streams.topics import list_topics

logger = logging.getLogger(__name__)
CHECK_INTERVAL_S = 60.0
SETTINGS_INTERVAL_S = 600.0
"""How often the broker is asked what retention topics have: it seldom changes, and costs more to ask."""

ALARM_RATIO = 0.5
_FETCH_BYTES = 65_536
_PATIENCE_S = 10.0
_RETENTION = "retention.ms"

Oldest = Callable[[Hosted], int | None]
"""Where the oldest snapshot kept of a partition reads on."""


def no_snapshot(_: Hosted) -> int | None:
    """For a worker that keeps no snapshots: only its stores need the log."""
    return None


class Needed(msgspec.Struct, frozen=True):
    """The lowest offset of a source partition that any state still has to read from."""

    stage: str
    place: TopicPartition
    offset: int


def required_s(settings: SnapshotSettings) -> float:
    """How far topics have to reach back, in seconds.

    Examples
    --------
    >>> required_s(SnapshotSettings(url="snapshots", interval_s=300, keep=3))
    90900
    """
    snapshots = settings.keep * settings.interval_s if settings.url else 0.0
    return snapshots + settings.longest_outage_s + settings.restore_s


def used_ratio(needed_at_ms: int | None, now_ms: int, retention_ms: int, *, lost: bool) -> float:
    """Share of a topic's retention that the oldest record still needed has used up; 1 if it is gone.

    Parameters
    ----------
    needed_at_ms : int or None
        Kafka's time of that record; None when nothing waits to be read.
    now_ms : int
        Now, epoch ms.
    retention_ms : int
        The topic's retention; negative is for ever.
    lost : bool
        Whether the log begins above it.

    Examples
    --------
    >>> used_ratio(1_000, 3_500, 10_000, lost=False)
    0.25
    """
    if lost:
        return 1.0
    if needed_at_ms is None or retention_ms < 0:
        return 0.0
    return max(0, now_ms - needed_at_ms) / max(1, retention_ms)


class RetentionWatch:
    """Tells how much of each topic's retention is used up.

    Parameters
    ----------
    runtime : Runtime
        The stage partitions of this process.
    oldest : callable
        Where the oldest snapshot of a partition reads on.
    settings : Settings
        Broker, retention, and what has to be bridged.
    metrics : Metrics
        Where it is told.
    """

    def __init__(self, runtime: Runtime, oldest: Oldest, settings: Settings, metrics: Metrics) -> None:
        self._runtime, self._oldest, self._metrics = runtime, oldest, metrics
        self._kafka, self._snapshot = settings.kafka, settings.snapshot
        self._alarmed: set[tuple[str, str]] = set()
        self._too_short: set[str] = set()
        self._retention_ms: dict[str, int] = {}
        self._ask_again_at = 0.0

    async def run(self) -> None:
        """Look every minute, for ever; a broker that is away says nothing about retention."""
        consumer = AIOKafkaConsumer(
            **client_options(self._kafka),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=_FETCH_BYTES,
        )
        await consumer.start()
        try:
            while True:
                if self._runtime.hosted:
                    try:
                        await self.look(consumer)
                    except Exception as error:
                        logger.warning("how far topics reach back could not be asked: %s", error)
                    await asyncio.sleep(CHECK_INTERVAL_S)
                await asyncio.sleep(1.0)
        finally:
            await consumer.stop()

    async def look(self, consumer: AIOKafkaConsumer) -> None:
        """Look once, with a started consumer that is nobody else's."""
        needed = self._needed()
        await self._ask_if_due({each.place.topic for each in needed})
        places = [each.place for each in needed]
        first, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        reading = {each.place: max(each.offset, first[each.place]) for each in needed}
        waiting = {place: offset for place, offset in reading.items() if offset < ends[place]}
        times = await _times_of(consumer, waiting)
        now_ms = time.time_ns() // 1_000_000
        ratios: dict[tuple[str, str], float] = {}
        for each in needed:
            place, lost = each.place, each.offset < first[each.place]
            if place in waiting and place not in times:
                # It did not come in time; the next look tells.
                continue
            ratio = used_ratio(times.get(place), now_ms, self._retention_ms[place.topic], lost=lost)
            ratios[each.stage, place.topic] = max(ratio, ratios.get((each.stage, place.topic), 0.0))
        self.tell(ratios)

    def _needed(self) -> list[Needed]:
        found = []
        for hosted in self._runtime.hosted.values():
            oldest = self._oldest(hosted)
            offset = hosted.flushed if oldest is None else min(oldest, hosted.flushed)
            place = TopicPartition(hosted.topic, hosted.partition)
            found.append(Needed(hosted.part.stage, place, offset))
        return found

    async def _ask_if_due(self, topics: set[str]) -> None:
        """Have the retention of these topics at hand, and warn of one that is too short."""
        if topics <= self._retention_ms.keys() and time.monotonic() < self._ask_again_at:
            return
        self._retention_ms = await asyncio.to_thread(self._ask, topics)
        self._ask_again_at = time.monotonic() + SETTINGS_INTERVAL_S
        for topic, retention_ms in self._retention_ms.items():
            self.compare_with_required(topic, retention_ms)

    def _ask(self, topics: set[str]) -> dict[str, int]:
        """Retention of each topic as the broker has it, else as the settings say, in ms."""
        known = {state.name: state.config for state in list_topics(self._kafka)}
        default = str(self._kafka.retention_hours * 3_600_000)
        return {topic: int(known.get(topic, {}).get(_RETENTION, default)) for topic in sorted(topics)}

    def compare_with_required(self, topic: str, retention_ms: int) -> None:
        """Warn, once, of a topic that keeps its records for too short a time (ms)."""
        required = required_s(self._snapshot)
        if retention_ms < 0 or retention_ms >= required * 1000 or topic in self._too_short:
            return
        self._too_short.add(topic)
        logger.warning(
            "%s keeps records for %.1f h; snapshots, the longest outage and restoring need %.1f h: raise %s, "
            "or lower snapshot.keep, snapshot.interval_s or snapshot.longest_outage_s",
            *(topic, retention_ms / 3_600_000, required / 3600, _RETENTION),
            extra={"topic": topic},
        )

    def tell(self, ratios: Mapping[tuple[str, str], float]) -> None:
        """Show the ratio of each stage and topic; one that comes to half is an alarm."""
        for (stage, topic), ratio in ratios.items():
            self._metrics.retention_used.labels(stage=stage, topic=topic).set(ratio)
            if ratio < ALARM_RATIO:
                self._alarmed.discard((stage, topic))
            elif (stage, topic) not in self._alarmed:
                self._alarmed.add((stage, topic))
                logger.error(
                    "stage %s still needs records of %s that have used up %.0f %% of its retention; at "
                    "100 %% they are gone: let it catch up or take a snapshot, or raise the topic's %s",
                    *(stage, topic, 100 * ratio, _RETENTION),
                    extra={"stage": stage, "topic": topic},
                )


async def _times_of(
    consumer: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """Kafka's time of the first record at or above an offset in each partition, epoch ms."""
    times: dict[TopicPartition, int] = {}
    if not offsets:
        return times
    deadline = time.monotonic() + _PATIENCE_S
    while len(times) < len(offsets) and time.monotonic() < deadline:
        left = {place: offset for place, offset in offsets.items() if place not in times}
        consumer.assign(list(left))
        for place, offset in left.items():
            consumer.seek(place, offset)
        for place, records in (await consumer.getmany(timeout_ms=1_000)).items():
            if records:
                times[place] = records[0].timestamp
    # An assignment goes on fetching.
    consumer.unsubscribe()
    return times
