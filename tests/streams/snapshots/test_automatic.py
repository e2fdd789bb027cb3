"""A worker's own snapshots: of what moved, as often as is set, when it stops, and never in its way."""

import asyncio
import logging
import shutil
from pathlib import Path

import pytest
from faust.types import TP
from msgspec.structs import replace

from schemas.settings import SnapshotSettings
from streams.hosted import Hosted
from streams.kafka_outbox import KafkaOutbox
from streams.outbox import Record
from streams.runtime import Runtime
from streams.snapshots.automatic import Snapshotter
from streams.snapshots.library import Library, Shelf
from streams.snapshots.storage import Storage
from streams.snapshots.taking import CHECKPOINTS
from tests.streams.snapshots.stores import read
from tests.streams.stages.parts import Bench, a_batch, an_event, settings_of

INTERVAL_MS = 60_000
SHELF = Shelf("history", 0)


class Worker:
    """A process's history stage in one partition, its clock, and what takes its snapshots."""

    def __init__(self, folder: Path, url: str | None = None, *, at_shutdown: bool = True) -> None:
        snapshot = SnapshotSettings(url="there", interval_s=60, keep=2, at_shutdown=at_shutdown)
        self.state, self.snapshots = folder / "state", folder / "snapshots"
        self.bench = Bench(replace(settings_of(), snapshot=snapshot), self.state)
        self.library = Library(Storage(url or str(self.snapshots)))
        self.host()

    def host(self) -> None:
        """Open the stage; whoever held it before let go."""
        outbox = KafkaOutbox(self.bench.settings.kafka, self._fail)
        self.runtime = Runtime(("history",), self.bench.context, outbox, self._fail, cluster="c")
        part = self.bench.open("history")
        self.hosted = Hosted(part, part.database, "events", 0, part.progress.next_offset, calm_ms=0)
        self.runtime.hosted[TP("events", 0)] = self.hosted
        self.snapshotter = Snapshotter(self.runtime, self.library, self.bench.context)

    def _fail(self, error: Exception) -> None:
        raise error

    def learn(self, count: int = 1) -> None:
        """Apply records and flush them."""
        for offset in range(self.hosted.next_offset, self.hosted.next_offset + count):
            self.hosted.part.apply(self.record(offset))
        asyncio.run(self.runtime.flush(self.hosted))

    def record(self, offset: int) -> Record:
        """What is to be learned at an offset."""
        return a_batch(offset, an_event(offset, key=f"u:{offset}"))

    def take_due(self) -> None:
        asyncio.run(self.snapshotter.take_due())

    def offsets(self) -> list[int]:
        """Offsets of the snapshots there are, the newest first."""
        return [name.offset for name in self.library.names(SHELF)]

    def close(self) -> None:
        self.runtime.close()


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    return Worker(tmp_path)


def test_the_first_snapshot_is_taken_once_something_was_learned(worker: Worker) -> None:
    worker.take_due()
    assert worker.offsets() == []
    worker.learn(3)
    worker.take_due()
    assert worker.offsets() == [3]
    assert worker.bench.shows('freshrec_snapshots_total{result="done",stage="history"} 1.0')
    worker.close()


def test_the_next_comes_after_the_interval_and_only_if_something_moved(worker: Worker) -> None:
    worker.learn(3)
    worker.take_due()
    worker.learn()
    worker.bench.now += INTERVAL_MS - 1
    worker.take_due()
    assert worker.offsets() == [3]
    worker.bench.now += 1
    worker.take_due()
    assert worker.offsets() == [4, 3]
    worker.bench.now += 2 * INTERVAL_MS
    worker.take_due()
    assert worker.offsets() == [4, 3]
    worker.close()


def test_what_was_applied_is_flushed_for_it(worker: Worker, tmp_path: Path) -> None:
    worker.learn(2)
    worker.hosted.part.apply(a_batch(2, an_event(2, key="u:2")))
    worker.take_due()
    assert worker.offsets() == [3]
    assert worker.hosted.flushed == 3
    manifest, _ = worker.library.read(SHELF, worker.library.names(SHELF)[0])
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in manifest.files:
        worker.library.get(SHELF, file, copy / file.name)
    offset, rows = read(copy)
    assert offset == 3
    assert any(b"u:2" in key for key in rows)
    worker.close()


def test_so_many_are_kept_and_the_oldest_is_what_the_log_must_reach_back_to(worker: Worker) -> None:
    assert worker.snapshotter.oldest_offset(worker.hosted) is None
    for _ in range(4):
        worker.learn()
        worker.take_due()
        worker.bench.now += INTERVAL_MS
    assert worker.offsets() == [4, 3]
    assert worker.snapshotter.oldest_offset(worker.hosted) == 3
    worker.close()


def test_a_new_process_knows_when_the_last_was_taken(worker: Worker) -> None:
    worker.learn(3)
    worker.take_due()
    worker.close()
    worker.host()
    worker.learn()
    worker.take_due()
    assert worker.offsets() == [3]
    worker.bench.now += INTERVAL_MS
    worker.take_due()
    assert worker.offsets() == [4, 3]
    worker.close()


def test_a_new_epoch_is_copied_at_once(worker: Worker) -> None:
    worker.learn(3)
    worker.take_due()
    database = worker.hosted.database
    assert database is not None
    meta = database.meta()
    assert meta is not None
    database.write_meta(replace(meta, epoch=1))
    worker.take_due()
    assert [name[:2] for name in worker.library.names(SHELF)] == [(1, 3), (0, 3)]
    worker.close()


def test_when_it_stops_what_moved_is_copied_whatever_the_interval(worker: Worker) -> None:
    worker.learn(3)
    worker.take_due()
    worker.learn()
    asyncio.run(worker.snapshotter.at_shutdown())
    assert worker.offsets() == [4, 3]
    asyncio.run(worker.snapshotter.at_shutdown())
    assert worker.offsets() == [4, 3]
    assert not list((worker.state / CHECKPOINTS).iterdir())
    worker.close()


def test_nothing_is_copied_at_the_end_if_so_set(tmp_path: Path) -> None:
    worker = Worker(tmp_path, at_shutdown=False)
    worker.learn(3)
    asyncio.run(worker.snapshotter.at_shutdown())
    assert worker.offsets() == []
    worker.close()


def test_a_library_that_cannot_be_written_is_told_and_learning_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a file").touch()
    worker = Worker(tmp_path, url=str(tmp_path / "a file" / "below"))
    worker.learn(3)
    with caplog.at_level(logging.WARNING):
        worker.take_due()
    assert "no snapshot of history/0 could be taken, trying again" in caplog.text
    assert worker.bench.shows('freshrec_snapshots_total{result="failed",stage="history"} 1.0')
    worker.take_due()
    assert worker.bench.shows('freshrec_snapshots_total{result="failed",stage="history"} 1.0')
    worker.learn(2)
    assert worker.hosted.flushed == 5
    worker.close()


def test_a_partition_that_was_given_up_is_not_copied(worker: Worker) -> None:
    worker.learn(3)
    hosted = worker.hosted
    worker.runtime.hosted.clear()
    worker.take_due()
    assert asyncio.run(worker.runtime.checkpoint(hosted)) is None
    assert worker.offsets() == []
    hosted.close()


def test_the_age_of_what_no_snapshot_has_is_measured(worker: Worker) -> None:
    worker.learn(3)
    worker.take_due()
    assert worker.bench.shows('freshrec_snapshot_age_seconds{stage="history"} 0.0')
    worker.learn()
    worker.bench.now += 30_000
    worker.take_due()
    assert worker.bench.shows('freshrec_snapshot_age_seconds{stage="history"} 30.0')
    worker.close()


def test_a_library_that_was_emptied_meanwhile_is_filled_again(worker: Worker) -> None:
    worker.learn(3)
    worker.take_due()
    shutil.rmtree(worker.snapshots)
    worker.learn()
    worker.bench.now += INTERVAL_MS
    worker.take_due()
    assert worker.offsets() == [4]
    worker.close()
