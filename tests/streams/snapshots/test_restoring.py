"""The right state is in place before a store is opened: what fits and is whole, as new as there is."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from schemas.snapshots import SnapshotFile, SnapshotManifest
from streams.errors import StateError, StorageError
from streams.rocks_store import StateLockedError
from streams.snapshots.fetching import Progress, gather, restoring
from streams.snapshots.library import Library, Shelf
from streams.snapshots.restoring import Wanted, prepare
from streams.snapshots.storage import Storage
from tests.streams.snapshots.stores import KEY, META, SHELF, Place, Rows, read


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A library with snapshots at offsets 1, 2 and 3, and an empty disk."""
    made = Place(tmp_path)
    for offset in (1, 2, 3):
        made.at(offset)
    lose_the_disk(made)
    return made


def lose_the_disk(place: Place) -> None:
    """The machine is gone; its state directory stays behind."""
    place.path.rename(place.path.parent / f"of-another-machine-{len(list(place.path.parent.iterdir()))}")


def silent(_: SnapshotManifest) -> Progress:
    return lambda _: None


def restored_offset(place: Place, wanted: Wanted | None = None, library: Library | None = None) -> int | None:
    manifest = prepare(library or place.library, wanted or place.wanted(), silent)
    return None if manifest is None else manifest.next_offset


def rows_up_to(offset: int) -> Rows:
    return {b"row-%06d" % each: b"%d" % each for each in range(1, offset + 1)}


def table_of(place: Place, offset: int) -> Path:
    """A file that the snapshot of an offset names and no older one does."""
    manifests = {name.offset: place.library.read(SHELF, name)[0] for name in place.library.names(SHELF)}
    older = {file.sha256 for each, made in manifests.items() if each < offset for file in made.files}
    new = [file for file in manifests[offset].files if file.sha256 not in older]
    found = next(file for file in new if file.name.endswith(".sst"))
    return place.snapshots / SHELF.files / found.sha256


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def test_an_empty_disk_gets_the_newest(place: Place) -> None:
    assert restored_offset(place) == 3
    assert read(place.path) == (3, rows_up_to(3))
    assert sorted(each.name for each in place.path.parent.iterdir() if each.name.startswith(".")) == [
        ".restoring-1.lock"
    ]


def test_it_is_told_what_arrives(place: Place) -> None:
    arrived: list[int] = []

    def started(manifest: SnapshotManifest) -> Progress:
        assert manifest.next_offset == 3
        return arrived.append

    manifest = prepare(place.library, place.wanted(), started)
    assert manifest is not None
    assert sum(arrived) == manifest.bytes
    assert len(arrived) == len(manifest.files)


@pytest.mark.parametrize("damage", [flipped, cut_off, Path.unlink])
def test_a_snapshot_with_a_damaged_file_is_passed_over(
    place: Place, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    damage(table_of(place, 3))
    with caplog.at_level(logging.WARNING):
        assert restored_offset(place) == 2
    assert read(place.path) == (2, rows_up_to(2))
    assert "is not used" in caplog.text and ".sst" in caplog.text


@pytest.mark.parametrize("damage", [flipped, cut_off])
def test_a_snapshot_with_a_damaged_manifest_is_passed_over(
    place: Place, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    damage(place.manifest_paths()[-1])
    with caplog.at_level(logging.WARNING):
        assert restored_offset(place) == 2
    assert "is not used" in caplog.text


def test_files_without_a_manifest_are_no_snapshot(place: Place) -> None:
    place.manifest_paths()[-1].unlink()
    assert restored_offset(place) == 2


def test_a_manifest_under_another_name_is_refused(place: Place) -> None:
    newest = place.manifest_paths()[-1]
    newest.rename(newest.with_name(newest.name.replace("-00000000000000000003-", "-00000000000000000009-")))
    assert restored_offset(place) == 2


def test_with_a_key_unsigned_and_wrongly_signed_snapshots_are_refused(place: Place, tmp_path: Path) -> None:
    for key in (KEY, b"another key of sufficient length"):
        signing = Place(tmp_path / key.hex(), key=key)
        signing.library = Library(place.library.storage, key)
        signing.at(4 if key == KEY else 5)
    reading = Library(place.library.storage, KEY)
    assert restored_offset(place, library=reading) == 4


@pytest.mark.parametrize("field", ["cluster_id", "topic_id", "fingerprint", "partitions"])
def test_a_snapshot_of_something_else_is_not_restored(place: Place, field: str) -> None:
    other = replace(META, **{field: 9 if field == "partitions" else "other"})
    assert restored_offset(place, place.wanted(meta=other)) is None
    assert not place.path.exists()
    with pytest.raises(StateError, match="made for something else"):
        prepare(place.library, place.wanted(meta=other, earliest=1), silent)


def test_without_any_snapshot_a_whole_log_is_read_from_its_start(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert restored_offset(place) is None
    with pytest.raises(StateError, match=r"there is no snapshot of it.*freshrec reset rules"):
        prepare(place.library, place.wanted(earliest=1), silent)


def test_a_snapshot_below_the_beginning_of_the_log_is_of_no_use(place: Place) -> None:
    assert restored_offset(place, place.wanted(earliest=3)) == 3
    lose_the_disk(place)
    with pytest.raises(StateError, match="reads on at offset 3, and the log begins at 4") as error:
        prepare(place.library, place.wanted(earliest=4), silent)
    assert "start the stage anew" in str(error.value)
    assert not place.path.exists()


def test_state_on_this_disk_stays_while_the_log_reaches_back_to_it(place: Place) -> None:
    place.write(1, rows_up_to(1))
    assert restored_offset(place, place.wanted(earliest=1)) is None
    assert read(place.path) == (1, rows_up_to(1))


def test_state_on_this_disk_is_replaced_once_the_log_does_not(place: Place) -> None:
    place.write(1, rows_up_to(1))
    assert restored_offset(place, place.wanted(earliest=2)) == 3
    assert read(place.path) == (3, rows_up_to(3))


def test_state_that_is_in_use_is_not_replaced(place: Place) -> None:
    place.write(1, rows_up_to(1))
    user = place.open()
    with pytest.raises(StateLockedError):
        prepare(place.library, place.wanted(earliest=2), silent)
    user.close()
    assert read(place.path) == (1, rows_up_to(1))


def test_a_higher_epoch_wins_whatever_its_offset(place: Place, tmp_path: Path) -> None:
    elsewhere = Place(tmp_path / "elsewhere")
    elsewhere.library = place.library
    elsewhere.at(1, meta=replace(META, epoch=1))
    place.write(9, rows_up_to(9))
    assert restored_offset(place) == 1
    assert read(place.path) == (1, rows_up_to(1))


def test_a_given_up_epoch_is_never_gone_back_to(place: Place, tmp_path: Path) -> None:
    elsewhere = Place(tmp_path / "elsewhere")
    elsewhere.library = place.library
    elsewhere.at(1, meta=replace(META, epoch=1))
    cut_off(place.manifest_paths()[-1])
    with pytest.raises(StateError, match="which epoch 1 replaced"):
        prepare(place.library, place.wanted(), silent)


def test_who_restores_the_same_store_waits(place: Place) -> None:
    with restoring(place.path), pytest.raises(StateLockedError, match="being restored by another process"):
        prepare(place.library, place.wanted(), silent)
    assert restored_offset(place) == 3


class Unreachable(Storage):
    """A place that does not answer."""

    def files(self, path: str) -> dict[str, object]:  # type: ignore[override]  # never returns
        raise StorageError(f"{self.url}/{path} does not answer")


def test_a_library_that_does_not_answer_matters_only_where_it_is_needed(place: Place) -> None:
    library = Library(Unreachable(str(place.snapshots)))
    with pytest.raises(StorageError, match="does not answer"):
        prepare(library, place.wanted(), silent)
    place.write(2, rows_up_to(2))
    assert prepare(library, place.wanted(), silent) is None
    with pytest.raises(StorageError, match="does not answer"):
        prepare(library, place.wanted(earliest=3), silent)


class Unsteady(Library):
    """A library whose connection breaks after so many files; `got` are those that arrived."""

    def __init__(self, library: Library, gets: int) -> None:
        super().__init__(library.storage)
        self._left = gets
        self.got: list[str] = []

    def get(self, shelf: Shelf, file: SnapshotFile, target: Path) -> None:
        if not self._left:
            target.write_bytes(b"half a fi")
            raise StorageError("the line is dead")
        self._left -= 1
        super().get(shelf, file, target)
        self.got.append(file.name)


def test_a_restore_that_broke_off_goes_on_where_it_was(place: Place) -> None:
    first, second = Unsteady(place.library, 3), Unsteady(place.library, 99)
    with pytest.raises(StorageError, match="the line is dead"):
        prepare(first, place.wanted(), silent)
    assert not place.path.exists()
    manifest = prepare(second, place.wanted(), silent)
    assert manifest is not None
    assert sorted(first.got + second.got) == sorted(file.name for file in manifest.files)
    assert read(place.path) == (3, rows_up_to(3))


def test_what_is_left_of_another_snapshot_does_not_get_into_the_store(place: Place) -> None:
    with restoring(place.path) as folder:
        (folder / "000999.sst").write_bytes(b"of another time")
        (folder / "CURRENT").write_bytes(b"MANIFEST-000099\n")
    assert restored_offset(place) == 3
    assert read(place.path) == (3, rows_up_to(3))
    assert not (place.path / "000999.sst").exists()


def test_files_are_fetched_several_at_a_time(place: Place, tmp_path: Path) -> None:
    stored = place.at(1)
    together = threading.Barrier(2, timeout=30)
    folder = tmp_path / "gathered"
    folder.mkdir()

    class Meeting(Library):
        """Hands out its first files only once two are asked for."""

        def get(self, shelf: Shelf, file: SnapshotFile, target: Path) -> None:
            if stored.manifest.files.index(file) < 2:
                together.wait()
            super().get(shelf, file, target)

    arrived: list[int] = []
    gather(Meeting(place.library.storage), stored.manifest, folder, arrived.append)
    assert sum(arrived) == stored.manifest.bytes and len(arrived) == len(stored.manifest.files) > 1
