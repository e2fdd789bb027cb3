"""What `list` and `verify` find: every snapshot, what is new in it, and anything that is damaged."""

from pathlib import Path

import pytest

from streams.snapshots.examining import Examined, examine
from tests.streams.snapshots.stores import KEY, SHELF, Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.at(1)
    made.at(2)
    return made


def found(place: Place, *, content: bool) -> list[Examined]:
    return list(examine(place.library, content=content))


def test_sound_snapshots_are_listed_the_oldest_first(place: Place) -> None:
    first, second = found(place, content=True)
    assert (first.stage, first.partition, first.epoch, first.offset, second.offset) == ("rules", 1, 0, 1, 2)
    assert first.fault is None and second.fault is None
    assert first.bytes_new == first.bytes
    assert 0 < second.bytes_new < second.bytes
    assert first.created_at == 1_000
    assert not first.signed


def test_nothing_is_there_without_snapshots(tmp_path: Path) -> None:
    assert found(Place(tmp_path), content=True) == []


def test_signatures_are_told(tmp_path: Path) -> None:
    signing = Place(tmp_path, key=KEY)
    signing.at(1)
    assert [each.signed for each in found(signing, content=False)] == [True]


def test_a_changed_byte_is_found_by_reading_only(place: Place) -> None:
    table = max((place.snapshots / SHELF.files).iterdir(), key=lambda path: path.stat().st_size)
    content = bytearray(table.read_bytes())
    content[0] ^= 1
    table.write_bytes(content)
    assert [each.fault for each in found(place, content=False)] == [None, None]
    faults = [each.fault for each in found(place, content=True)]
    assert any(fault is not None and "was changed" in fault for fault in faults)


def test_a_missing_and_a_cut_off_file_are_found_without_reading(place: Place) -> None:
    manifest, _ = place.library.read(SHELF, place.library.names(SHELF)[0])
    file = next(each for each in manifest.files if each.name.endswith(".sst"))
    path = place.snapshots / SHELF.files / file.sha256
    path.write_bytes(path.read_bytes()[:-1])
    assert f"{file.name} has {file.bytes - 1} bytes" in str(found(place, content=False)[1].fault)
    path.unlink()
    assert f"{file.name} ({file.sha256[:12]}) is missing" in str(found(place, content=False)[1].fault)


def test_a_refused_manifest_is_listed_with_the_reason(place: Place) -> None:
    place.manifest_paths()[0].write_bytes(b"{}")
    refused, sound = found(place, content=False)
    assert refused.fault is not None and "its manifest is refused" in refused.fault
    assert (refused.offset, refused.created_at) == (1, None)
    assert sound.fault is None
