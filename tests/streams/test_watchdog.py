"""The watchdog: lag that stands still gets old, whatever moves makes it young; too old ends the process."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast

import pytest
from faust.types import TP

from schemas.messages import Event, Line
from streams.hosted import Hosted
from streams.kafka_outbox import KafkaOutbox
from streams.monitoring import Metrics
from streams.runtime import Runtime
from streams.stages.history import HistoryPartition
from streams.transport import BatchConsumer
from streams.watchdog import StuckError, Watchdog
from tests.streams.stages.parts import Bench, a_batch, settings_of

LIMIT_S = 60.0


class Clock:
    """A monotonic clock that is set."""

    def __init__(self) -> None:
        self.now = 5_000.0

    def __call__(self) -> float:
        return self.now


class Ends(NamedTuple):
    """Stands in for the consumer: where partitions end, or no answer."""

    offsets: dict[tuple[str, int], int] | None

    def _new_topicpartition(self, topic: str, partition: int) -> tuple[str, int]:
        return topic, partition

    async def highwaters(self, *places: tuple[str, int]) -> dict[tuple[str, int], int | None]:
        await asyncio.sleep(0)
        if self.offsets is None:
            raise ConnectionError("broker is away")
        return {place: self.offsets.get(place) for place in places}


class Watched:
    """A process's history stage in two partitions, and its watchdog."""

    def __init__(self, bench: Bench) -> None:
        self.metrics: Metrics = bench.metrics
        outbox = KafkaOutbox(bench.settings.kafka, self._fail)
        self.runtime = Runtime(("history",), bench.context, outbox, self._fail, cluster="c")
        for partition in range(2):
            part = bench.open("history", partition)
            hosted = Hosted(part, part.database, "events", partition, 0, calm_ms=1_000)
            hosted.generation = 1
            self.runtime.hosted[TP("events", partition)] = hosted
        self.watchdog = Watchdog(self.runtime, bench.metrics, LIMIT_S)

    def _fail(self, error: Exception) -> None:
        raise error

    def hosted(self, partition: int = 0) -> Hosted:
        return self.runtime.hosted[TP("events", partition)]

    def apply(self, count: int = 1, *, partition: int = 0) -> None:
        """Apply the next records of a partition, one view of anna's in each."""
        part = self.hosted(partition).part
        for _ in range(count):
            offset = part.progress.next_offset
            at, name = 10**12 + offset, f"b-{offset}"
            lines = [Line("tea", [])]
            part.apply(
                a_batch(offset, Event("u:anna", "view", at, "browses", 0, offset, at, at, name, lines=lines))
            )

    def ends_at(self, offsets: dict[tuple[str, int], int] | None) -> None:
        self.runtime.consumer = cast(BatchConsumer, Ends(offsets))

    def look(self) -> None:
        """Let the watchdog look at least once; what it raises is raised."""

        async def some_looks() -> None:
            watching = asyncio.create_task(self.watchdog.run())
            for _ in range(30):
                await asyncio.sleep(0)
            while not watching.done():
                # One that comes just as the broker answers is lost.
                watching.cancel()
                await asyncio.sleep(0)
            if not watching.cancelled():
                watching.result()

        asyncio.run(some_looks())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("streams.watchdog.monotonic", clock)
    monkeypatch.setattr("streams.watchdog.CHECK_INTERVAL_S", 0.0)
    return clock


@pytest.fixture
def watched(clock: Clock, tmp_path: Path) -> Iterator[Watched]:
    assert clock.now
    process = Watched(Bench(settings_of(2), tmp_path))
    yield process
    process.runtime.close()


def test_without_lag_nothing_gets_old(watched: Watched, clock: Clock) -> None:
    watched.apply(3)
    for _ in range(3):
        watched.look()
        clock.now += 10 * LIMIT_S
        assert (watched.watchdog.age_s, watched.watchdog.live) == (0.0, True)
        assert list(watched.watchdog.reasons()) == []


def test_without_partitions_the_process_is_live(watched: Watched, clock: Clock) -> None:
    watched.runtime.close()
    watched.ends_at({})
    clock.now += 10 * LIMIT_S
    watched.look()
    assert watched.watchdog.live


def test_lag_without_progress_gets_old_until_the_process_ends(watched: Watched, clock: Clock) -> None:
    watched.apply(3)
    watched.hosted().high = 7
    watched.look()
    clock.now += LIMIT_S - 1
    watched.look()
    assert (watched.watchdog.age_s, watched.watchdog.live) == (LIMIT_S - 1, True)
    assert list(watched.watchdog.reasons()) == []

    clock.now += 1
    assert not watched.watchdog.live
    assert list(watched.watchdog.reasons()) == ["4 records wait and none was applied for 60 s"]
    with pytest.raises(StuckError, match=r"4 records wait .* 60 s \(metrics\.watchdog_s is 60\): ending"):
        watched.look()


def test_progress_in_any_partition_makes_it_young_again(watched: Watched, clock: Clock) -> None:
    watched.hosted(0).high = watched.hosted(1).high = 9
    watched.look()
    for partition in (0, 1, 1, 0):
        clock.now += LIMIT_S - 1
        watched.look()
        assert watched.watchdog.age_s == LIMIT_S - 1
        watched.apply(partition=partition)
        watched.look()
        assert watched.watchdog.age_s == 0.0


def test_a_snapshot_that_arrives_is_progress_too(watched: Watched, clock: Clock) -> None:
    watched.hosted().high = 9
    watched.look()
    for _ in range(3):
        clock.now += LIMIT_S - 1
        watched.runtime.relocation.bytes_restored += 1
        watched.look()
        assert watched.watchdog.age_s == 0.0


def test_lag_that_was_caught_up_does_not_count_against_what_comes_later(
    watched: Watched, clock: Clock
) -> None:
    watched.hosted().high = 1
    watched.look()
    watched.apply()
    clock.now += 10 * LIMIT_S
    watched.look()
    clock.now += 10 * LIMIT_S
    watched.look()
    watched.hosted().high = 2
    watched.look()
    assert watched.watchdog.age_s == 0.0


def test_where_topics_end_is_what_the_broker_says(watched: Watched) -> None:
    watched.apply(2)
    watched.ends_at({("events", 0): 5, ("events", 1): 4})
    watched.look()
    assert (watched.hosted(0).lag, watched.hosted(1).lag) == (3, 4)
    # An older answer takes nothing back.
    watched.ends_at({("events", 0): 1})
    watched.look()
    assert (watched.hosted(0).lag, watched.hosted(1).lag) == (3, 4)


def test_a_broker_that_does_not_answer_ends_nothing(
    watched: Watched, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    watched.ends_at(None)
    with caplog.at_level(logging.WARNING):
        watched.look()
    clock.now += 10 * LIMIT_S
    watched.look()
    assert watched.watchdog.live
    assert "the broker did not say where topics end: broker is away" in caplog.text


def test_what_is_measured_is_shown(watched: Watched, clock: Clock) -> None:
    watched.apply(3)
    watched.hosted(0).high, watched.hosted(1).high = 7, 2
    watched.hosted(0).part.end_batch()
    watched.look()
    clock.now += 12
    watched.look()
    shown = watched.metrics.render().decode()
    for line in (
        'freshrec_lag_records{partition="0",topic="events"} 4.0',
        'freshrec_lag_records{partition="1",topic="events"} 2.0',
        "freshrec_watchdog_age_seconds 12.0",
        "freshrec_refreshes_pending 1.0",
        'freshrec_stage_ready{stage="history"} 1.0',
    ):
        assert line in shown.splitlines()
    assert 'freshrec_rocksdb_bytes{stage="history"}' in shown


def test_totals_kept_by_stages_are_counted_once_however_often_it_looks(watched: Watched) -> None:
    watched.apply(3)
    part = watched.hosted().part
    assert isinstance(part, HistoryPartition)
    assert watched.hosted().database is not None
    for _ in range(3):
        watched.look()
        assert watched.metrics.refreshes_coalesced._value.get() == part.refreshes.coalesced == 2
    hits, _ = part.database.cache_counts()
    assert watched.metrics.cache_hits.labels(stage="history")._value.get() == hits > 0


def test_a_stage_whose_partitions_change_hands_is_not_ready(watched: Watched) -> None:
    for partition in range(2):
        watched.hosted(partition).generation = -1
    watched.look()
    assert 'freshrec_stage_ready{stage="history"} 0.0' in watched.metrics.render().decode()
