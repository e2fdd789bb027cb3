"""Restoring in a worker: counted, told to whoever asks whether it is ready, until the log is read."""

import asyncio
from pathlib import Path

import pytest
from faust.types import TP

from schemas.snapshots import SnapshotFile
from streams.hosted import Hosted
from streams.monitoring import Metrics
from streams.snapshots.library import Library, Shelf
from streams.snapshots.relocation import Relocation
from tests.streams.snapshots.stores import SHELF, Place, read
from tests.streams.stages.parts import Bench

TOPIC = TP("events", 1)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A snapshot at offset 3, and an empty disk."""
    made = Place(tmp_path)
    made.at(3)
    made.path.rename(tmp_path / "gone")
    return made


def hosted(bench: Bench, *, high: int) -> Hosted:
    """Partition 1 of history, at offset 3 of `high`."""
    part = bench.open("history", 1)
    made = Hosted(part, part.database, TOPIC.topic, TOPIC.partition, 3, calm_ms=0)
    made.high, made.generation = high, 1
    return made


def test_without_a_library_nothing_is_restored(place: Place) -> None:
    relocation = Relocation(None, Metrics())
    asyncio.run(relocation.prepare(TOPIC, place.wanted()))
    assert not place.path.exists()
    assert list(relocation.reasons([])) == []


def test_what_arrives_is_counted(place: Place) -> None:
    metrics = Metrics()
    relocation = Relocation(place.library, metrics)
    asyncio.run(relocation.prepare(TOPIC, place.wanted()))
    assert read(place.path)[0] == 3
    total = place.library.read(SHELF, place.library.names(SHELF)[0])[0].bytes
    assert relocation.bytes_restored == total
    assert f'freshrec_restore_bytes_total{{stage="rules"}} {float(total)}' in metrics.render().decode()


def test_it_is_not_ready_before_the_log_was_read_to_its_end_once(place: Place, tmp_path: Path) -> None:
    relocation = Relocation(place.library, Metrics())
    asyncio.run(relocation.prepare(TOPIC, place.wanted()))
    part = hosted(Bench(state=tmp_path / "bench"), high=5)
    assert list(relocation.reasons([part])) == ["history/1 was restored and has 2 records to read"]
    part.part.progress.next_offset = 5
    part.generation = -1
    assert relocation.catching_up(part)
    part.generation = 1
    assert list(relocation.reasons([part])) == []
    part.high = 9
    assert not relocation.catching_up(part)
    part.close()


def test_what_was_not_restored_is_not_waited_for(tmp_path: Path) -> None:
    relocation = Relocation(Place(tmp_path).library, Metrics())
    part = hosted(Bench(state=tmp_path / "bench"), high=5)
    assert not relocation.catching_up(part)
    part.close()


class Watched(Library):
    """A library whose last file comes once it is told that others are here."""

    def __init__(self, library: Library) -> None:
        super().__init__(library.storage)
        self.relocation = Relocation(self, Metrics())
        self.said: list[str] = []
        self._last = library.read(SHELF, library.names(SHELF)[0])[0].files[-1]

    def get(self, shelf: Shelf, file: SnapshotFile, target: Path) -> None:
        self.said += self.relocation.reasons([])
        while file == self._last and not self.said[-1].endswith("bytes are here"):
            self.said += self.relocation.reasons([])
        super().get(shelf, file, target)


def test_while_it_restores_it_says_how_far_it_is(place: Place) -> None:
    library = Watched(place.library)
    asyncio.run(library.relocation.prepare(TOPIC, place.wanted()))
    assert library.said[0].startswith("restoring rules/1, ")
    assert library.said[-1].endswith("bytes are here")
    assert list(library.relocation.reasons([])) == []
