"""So many snapshots are kept as were asked for, and a file goes when nobody names it any more."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.snapshots.library import missing
from streams.snapshots.pruning import GRACE_S, prune
from tests.streams.snapshots.stores import META, SHELF, Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def named(place: Place) -> set[str]:
    """Digests that any manifest names."""
    manifests = [place.library.read(SHELF, name)[0] for name in place.library.names(SHELF)]
    return {file.sha256 for manifest in manifests for file in manifest.files}


def offsets(place: Place) -> list[int]:
    return [name.offset for name in place.library.names(SHELF)]


def aged(path: Path) -> None:
    """Make a file older than what is left alone."""
    then = path.stat().st_mtime - GRACE_S - 60
    os.utime(path, (then, then))


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(many=st.integers(1, 6), keep=st.integers(1, 4))
def test_the_newest_stay_whole_and_nothing_else_does(
    tmp_path_factory: pytest.TempPathFactory, many: int, keep: int
) -> None:
    place = Place(tmp_path_factory.mktemp("place"))
    for offset in range(1, many + 1):
        place.at(offset)
        prune(place.library, META, keep)
    assert offsets(place) == list(range(many, max(0, many - keep), -1))
    present = place.library.files(SHELF)
    assert set(present) == named(place)
    for name in place.library.names(SHELF):
        assert not missing(place.library.read(SHELF, name)[0], present)


def test_it_says_what_went_and_what_is_left(place: Place) -> None:
    for offset in (1, 2, 3):
        place.at(offset)
    pruned = prune(place.library, META, 2)
    assert [name.offset for name in pruned.dropped] == [1]
    assert [name.offset for name in pruned.left] == [3, 2]
    assert pruned.files > 0


def test_a_young_file_that_no_manifest_names_yet_stays(place: Place) -> None:
    for offset in (1, 2, 3):
        place.at(offset)
    arriving = place.snapshots / SHELF.files / ("a" * 64)
    arriving.write_bytes(b"of a snapshot that is being copied")
    prune(place.library, META, 1)
    assert arriving.exists()


def test_an_old_file_that_no_manifest_names_goes(place: Place) -> None:
    for offset in (1, 2):
        place.at(offset)
    left = place.snapshots / SHELF.files / ("a" * 64)
    left.write_bytes(b"of an upload that broke off")
    aged(left)
    prune(place.library, META, 1)
    assert not left.exists()


def test_what_a_crash_left_of_a_manifest_goes_once_it_is_old(place: Place) -> None:
    for offset in (1, 2):
        place.at(offset)
    old, young = ((place.snapshots / SHELF.manifests / name) for name in (".0123", ".4567"))
    for path in (old, young):
        path.write_bytes(b"{")
    aged(old)
    prune(place.library, META, 1)
    assert not old.exists() and young.exists()
    assert offsets(place) == [2]


def test_a_damaged_snapshot_does_not_count_as_kept(place: Place) -> None:
    for offset in (1, 2, 3):
        place.at(offset)
    place.manifest_paths()[-1].write_bytes(b"{")
    prune(place.library, META, 2)
    assert offsets(place) == [3, 2, 1]


def test_one_that_lacks_a_file_does_not_count_as_kept(place: Place) -> None:
    for offset in (1, 2):
        place.at(offset)
    stored = place.at(3)
    newest = stored.manifest.files[-1].sha256
    (place.snapshots / SHELF.files / newest).unlink()
    pruned = prune(place.library, META, 3)
    assert pruned.dropped == []


def test_older_ones_under_other_settings_go_and_newer_ones_stay(place: Place) -> None:
    place.at(1, meta=replace(META, fingerprint="before"))
    for offset in (2, 3):
        place.at(offset)
    place.at(4, meta=replace(META, fingerprint="after"))
    prune(place.library, META, 2)
    assert offsets(place) == [4, 3, 2]


def test_those_of_another_log_are_not_touched(place: Place) -> None:
    place.at(1, meta=replace(META, topic_id="of a topic that was deleted"))
    for offset in (2, 3):
        place.at(offset)
    prune(place.library, META, 1)
    assert offsets(place) == [3, 1]
    assert set(place.library.files(SHELF)) == named(place)


def test_a_worker_that_lost_its_partition_damages_nothing(place: Place, tmp_path: Path) -> None:
    place.at(1)
    zombie = Place(tmp_path / "zombie")
    zombie.library = place.library
    for offset in (2, 3, 4):
        place.at(offset)
    before = {path.name: path.read_bytes() for path in place.manifest_paths()}
    # It is behind, has files of its own at an offset that exists, and keeps less.
    zombie.at(2)
    zombie.at(3)
    prune(zombie.library, META, 2)
    assert offsets(place) == [4, 3]
    for path in place.manifest_paths():
        assert path.read_bytes() == before[path.name]
    present = place.library.files(SHELF)
    for name in place.library.names(SHELF):
        assert not missing(place.library.read(SHELF, name)[0], present)
