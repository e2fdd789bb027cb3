"""Sorting by time equals `sorted`, in bounded memory, and leaves nothing behind."""

import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import sorting
from streams.errors import StateError
from streams.formats import FileRecord
from streams.sorting import sorted_by_time

RECORDS = st.lists(
    st.builds(
        FileRecord,
        topic=st.sampled_from(["browses", "purchases"]),
        key=st.text(max_size=3),
        value=st.binary(max_size=20),
        at=st.integers(-(2**62), 2**62) | st.integers(0, 3),
        line=st.integers(1, 4),
    ),
    max_size=40,
)


def records_at(*times: int) -> list[FileRecord]:
    return [FileRecord("browses", "u1", b"{}", at, line) for line, at in enumerate(times, 1)]


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let the system refuse files above a size, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@given(RECORDS, st.integers(1, 45))
def test_the_result_is_that_of_a_stable_sort_and_the_spool_is_gone(
    records: list[FileRecord], max_in_memory: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        result = list(sorted_by_time(records, max_in_memory=max_in_memory, spool_dir=Path(folder)))
        assert list(Path(folder).iterdir()) == []
    assert result == sorted(records, key=lambda record: (record.at, record.line))


@given(RECORDS, st.integers(1, 45), st.integers(0, 40))
def test_a_consumer_that_stops_early_leaves_no_spool(
    records: list[FileRecord], max_in_memory: int, taken: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        result = sorted_by_time(records, max_in_memory=max_in_memory, spool_dir=Path(folder))
        assert len([record for record, _ in zip(result, range(taken), strict=False)]) <= taken
        del result
        assert list(Path(folder).iterdir()) == []


def test_what_fits_into_memory_needs_no_spool(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    result = sorted_by_time(records_at(2, 1), max_in_memory=3, spool_dir=absent)
    assert [record.at for record in result] == [1, 2]


def test_large_messages_end_a_run_before_the_count_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorting, "MAX_IN_MEMORY_BYTES", 1_000)
    records = [FileRecord("items", "i1", bytes(400), at, 1) for at in range(20, 0, -1)]
    with pytest.raises(StateError):
        list(sorted_by_time(records, spool_dir=tmp_path / "absent"))
    assert list(sorted_by_time(records, spool_dir=tmp_path)) == records[::-1]


def test_records_larger_than_a_block_survive(tmp_path: Path) -> None:
    records = [FileRecord("items", "i1", bytes([at]) * 3 * sorting.BLOCK_BYTES, at, 1) for at in (3, 1, 2, 0)]
    result = sorted_by_time(records, max_in_memory=2, spool_dir=tmp_path)
    assert list(result) == sorted(records, key=lambda record: record.at)


def test_a_file_in_order_is_one_run_however_long(tmp_path: Path) -> None:
    """More runs than a process may have open files would fail if each were a file."""
    records = records_at(*range(5_000))
    assert list(sorted_by_time(records, max_in_memory=1, spool_dir=tmp_path)) == records


def test_thousands_of_runs_are_merged_from_one_file(tmp_path: Path) -> None:
    records = records_at(*range(3_000, 0, -1))
    result = list(sorted_by_time(records, max_in_memory=1, spool_dir=tmp_path))
    assert result == records[::-1]


def test_a_folder_that_is_absent_is_named(tmp_path: Path) -> None:
    result = sorted_by_time(records_at(2, 1), max_in_memory=1, spool_dir=tmp_path / "absent")
    with pytest.raises(StateError, match=r"temporary file in .*absent, which can't be written"):
        next(result)


def test_a_disk_without_room_is_named_and_left_clean(tmp_path: Path) -> None:
    records = [FileRecord("items", "i1", bytes(10_000), at, 1) for at in range(100)]
    with largest_file(200_000), pytest.raises(StateError, match="make room there"):
        list(sorted_by_time(records, max_in_memory=10, spool_dir=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_no_room_in_memory_at_all_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="max_in_memory is 0"):
        sorted_by_time([], max_in_memory=0)
