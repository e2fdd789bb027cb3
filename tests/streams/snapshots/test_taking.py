"""A snapshot holds the store as it was flushed, costs only what is new, and exists once its manifest does."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.snapshots import SnapshotFile
from streams.errors import SnapshotError, StorageError
from streams.rocks_store import RocksDatabase
from streams.snapshots.fetching import gather, put_in_place
from streams.snapshots.library import Library, Shelf
from streams.snapshots.storage import Storage
from streams.snapshots.taking import CHECKPOINTS, checkpoint, store
from tests.streams.snapshots.stores import BUDGET, META, SHELF, Place, Rows, read, write


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


class CutOff(Library):
    """A library whose connection breaks after so many files."""

    def __init__(self, storage: Storage, puts: int) -> None:
        super().__init__(storage)
        self._left = puts

    def put(self, shelf: Shelf, file: SnapshotFile, source: Path) -> None:
        if not self._left:
            raise StorageError("the line is dead")
        self._left -= 1
        super().put(shelf, file, source)


keys = st.binary(min_size=1, max_size=8).map(lambda key: b"r" + key)
flushes = st.lists(st.dictionaries(keys, st.binary(max_size=64), max_size=8), min_size=1, max_size=4)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(flushes)
def test_what_is_restored_is_what_was_flushed(
    tmp_path_factory: pytest.TempPathFactory, writes: list[Rows]
) -> None:
    folder = tmp_path_factory.mktemp("place")
    place, expected = Place(folder), Rows()
    for offset, rows in enumerate(writes, start=1):
        place.write(offset, rows)
        expected |= rows
        place.snapshot()
    manifest, _ = place.library.read(SHELF, place.library.names(SHELF)[0])
    gathered = folder / "gathered"
    gathered.mkdir()
    gather(place.library, manifest, gathered, lambda _: None)
    put_in_place(gathered, folder / "restored")
    assert read(folder / "restored") == (len(writes), expected)


def test_a_checkpoint_belongs_to_what_was_written_not_to_what_comes_after(place: Place) -> None:
    database = place.open()
    write(database, 3, {b"a": b"1"})
    taken = checkpoint(database, place.state)
    write(database, 4, {b"a": b"2"})
    database.close()
    assert taken.next_offset == 3
    assert read(taken.folder) == (3, {b"a": b"1"})


def test_only_new_files_are_copied(place: Place) -> None:
    first = place.at(1)
    tables = {file for file in first.manifest.files if file.name.endswith(".sst")}
    second = place.at(2)
    copied = {file.sha256 for file in second.manifest.files} - {file.sha256 for file in first.manifest.files}
    assert first.new_files == len(first.manifest.files)
    assert tables <= set(second.manifest.files)
    assert second.new_files == len(copied) < len(second.manifest.files)
    assert place.files() == {file.sha256 for stored in (first, second) for file in stored.manifest.files}


def test_a_snapshot_of_an_unchanged_store_copies_nothing(place: Place) -> None:
    first = place.at(1)
    database = place.open()
    taken = checkpoint(database, place.state)
    database.close()
    again = store(place.library, taken, now_ms=2_000, digests=place.digests)
    assert again.manifest == first.manifest
    assert (again.new_files, again.new_bytes) == (0, 0)
    assert len(place.manifest_paths()) == 1
    assert place.files() == {file.sha256 for file in first.manifest.files}


def test_a_snapshot_that_lacks_a_file_that_is_gone_here_too_is_told(place: Place) -> None:
    first = place.at(1)
    table = next(file for file in first.manifest.files if file.name.startswith("MANIFEST"))
    (place.snapshots / SHELF.files / table.sha256).unlink()
    place.write(1, {b"another": b"1"})
    with pytest.raises(SnapshotError, match="lacks MANIFEST"):
        place.snapshot()
    assert place.at(2).new_files > 0


def test_nothing_of_rocksdict_itself_is_kept(place: Place) -> None:
    names = {file.name for file in place.at(1).manifest.files}
    assert not names & {"rocksdict-config.json", "LOCK", "LOG", "IDENTITY"}
    assert "CURRENT" in names


def test_an_upload_that_breaks_off_leaves_no_snapshot_and_the_next_goes_on(place: Place) -> None:
    place.write(1, {b"a": b"1"})
    database = place.open()
    taken = checkpoint(database, place.state)
    database.close()
    with pytest.raises(StorageError, match="the line is dead"):
        store(CutOff(place.library.storage, puts=2), taken, now_ms=1)
    assert place.library.names(SHELF) == []
    assert len(place.files()) == 2
    stored = store(place.library, taken, now_ms=1)
    assert stored.new_files == len(stored.manifest.files) - 2


def test_a_file_that_arrived_in_part_is_copied_again(place: Place) -> None:
    first = place.at(1)
    table = next(file for file in first.manifest.files if file.name.endswith(".sst"))
    (place.snapshots / SHELF.files / table.sha256).write_bytes(b"torn")
    place.at(2)
    assert place.library.files(SHELF)[table.sha256].bytes == table.bytes


def test_a_new_store_has_nothing_to_copy(place: Place) -> None:
    database = RocksDatabase(place.path, BUDGET, cache_bytes=1)
    with pytest.raises(SnapshotError, match="belongs to no stage yet"):
        checkpoint(database, place.state)
    database.close()


def test_what_a_crash_left_of_a_checkpoint_is_replaced(place: Place) -> None:
    left = place.state / CHECKPOINTS / "rules-1"
    left.mkdir(parents=True)
    (left / "000001.sst").write_bytes(b"old")
    names = {file.name for file in place.at(1).manifest.files}
    assert "000001.sst" not in names
    assert not left.exists()
    assert META.stage == "rules"
