"""A worker takes the snapshots that it is asked for; who asks always hears the end of it."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from streams.errors import StateError, StorageError
from streams.snapshots import requests
from streams.snapshots.by_hand import create_or_ask
from streams.snapshots.library import Library, Shelf
from streams.snapshots.requests import REQUESTS, Created, ask, pending, taken
from streams.snapshots.storage import Storage
from tests.streams.snapshots.test_automatic import SHELF, Worker


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "LOOK_S", 0.1)
    monkeypatch.setattr(requests, "NOTICE_S", 10.0)


def asked(worker: Worker, library: Library) -> Created:
    """What the command gets while the worker runs."""

    async def both() -> Created:
        running = asyncio.create_task(worker.snapshotter.run())
        try:
            return await asyncio.to_thread(create_or_ask, library, worker.state, SHELF, keep=2)
        finally:
            running.cancel()

    return asyncio.run(both())


def left(worker: Worker) -> list[Path]:
    return list((worker.state / REQUESTS).iterdir())


def test_a_running_worker_is_asked_and_flushes_first(tmp_path: Path) -> None:
    worker, there = Worker(tmp_path), Library(Storage(str(tmp_path / "there")))
    worker.learn(3)
    worker.hosted.part.apply(worker.record(3))
    made = asked(worker, there)
    assert (made.stage, made.partition, made.offset, made.dropped) == ("history", 0, 4, 0)
    assert [name.offset for name in there.names(SHELF)] == [4]
    assert left(worker) == []
    worker.close()


def test_one_at_its_own_place_counts_as_its_own(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    worker.learn(3)
    assert asked(worker, worker.library).offset == 3
    assert worker.snapshotter.oldest_offset(worker.hosted) == 3
    worker.close()


def test_why_a_worker_could_not_take_it_is_told(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    worker.learn(3)
    (tmp_path / "file").write_bytes(b"no folder")
    with pytest.raises(StorageError, match=r"could take no snapshot of history/0: snapshots at .*file"):
        asked(worker, Library(Storage(str(tmp_path / "file" / "below"))))
    assert worker.bench.shows('freshrec_snapshots_total{result="failed",stage="history"} 1.0')
    assert left(worker) == []
    worker.close()


def test_a_store_that_is_let_go_meanwhile_is_copied_by_hand(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    worker.learn(3)

    async def closing() -> Created:
        waiting = asyncio.create_task(
            asyncio.to_thread(create_or_ask, worker.library, worker.state, SHELF, keep=2)
        )
        while not list(pending(worker.state)):
            await asyncio.sleep(0.01)
        worker.close()
        return await waiting

    assert asyncio.run(closing()).offset == 3


def test_a_worker_that_does_not_notice_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "NOTICE_S", 0.1)
    worker = Worker(tmp_path)
    worker.learn(3)
    with pytest.raises(StateError, match="did not notice a request"):
        create_or_ask(worker.library, worker.state, SHELF, keep=2)
    assert left(worker) == []
    worker.close()


def test_a_worker_that_dies_over_a_request_is_noticed(tmp_path: Path) -> None:
    (tmp_path / REQUESTS).mkdir()
    takes = (
        "import os, sys, time, pathlib\n"
        "from streams.snapshots.requests import pending, taken\n"
        "while not (found := list(pending(pathlib.Path(sys.argv[1])))): time.sleep(0.01)\n"
        "with taken(found[0][0]) as ours: os._exit(not ours)\n"
    )
    with subprocess.Popen([sys.executable, "-c", takes, str(tmp_path)]) as dying:  # noqa: S603  # our own
        assert ask(tmp_path, Shelf("rules", 0), "anywhere", held=lambda: True) is None
        assert dying.wait() == 0
    assert list((tmp_path / REQUESTS).iterdir()) == []


def test_a_request_is_taken_once_and_one_that_cannot_be_read_is_answered(tmp_path: Path) -> None:
    folder = tmp_path / REQUESTS
    folder.mkdir()
    path = folder / "a.request"
    path.write_bytes(b"{")
    assert list(pending(tmp_path)) == []
    assert b"is no request" in (folder / "a.answer").read_bytes()
    with taken(path) as ours:
        assert not ours
