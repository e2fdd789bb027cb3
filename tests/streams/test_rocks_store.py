"""A database of rows and progress: cuts, a look from beside, locks, and what cannot be opened."""

import subprocess
import sys
from pathlib import Path

import pytest

from schemas.state import ExpiryRow, GuestChunk, MetaRow, Pending, ProgressRow, TotalsRow
from streams.errors import StateError
from streams.rocks_store import Frozen, RocksBudget, RocksDatabase, StateLockedError

BUDGET = RocksBudget(8 * 1024 * 1024)
PROGRESS = ProgressRow(
    7,
    {"events/0": (0, (6, 2))},
    {"facts/1": (6, 2)},
    {"u:anna": Pending("browses", 0, 5, 1, 2, 3, ["b-1"])},
)


def a_database(path: Path, *, read_only: bool = False) -> RocksDatabase:
    return RocksDatabase(path, BUDGET, cache_bytes=10_000, read_only=read_only)


def flush(database: RocksDatabase, progress: ProgressRow | None = None) -> None:
    database.write(database.freeze(progress or ProgressRow()))
    database.thaw()


def a_meta(**changes: str) -> MetaRow:
    return MetaRow(1, "1", "c", "events", "t", 0, 4, "history", 0, "f", changes)


def test_a_new_database_is_empty_and_untouched(tmp_path: Path) -> None:
    database = a_database(tmp_path / "deep" / "er")
    assert database.progress() == ProgressRow()
    assert (database.raw_progress(), database.meta(), database.dirty) == (None, None, 0)
    assert list(database.rows()) == []
    database.close()


def test_rows_and_progress_of_a_cut_come_back_together(tmp_path: Path) -> None:
    database = a_database(tmp_path / "db")
    database.table("t", TotalsRow).put("totals", TotalsRow(1, [1, 2, 3], 4))
    database.table("x", ExpiryRow).put("clock", ExpiryRow(9, {3: 1}))
    database.write_meta(a_meta())
    flush(database, PROGRESS)
    database.close()
    again = a_database(tmp_path / "db")
    assert again.table("t", TotalsRow).get("totals") == TotalsRow(1, [1, 2, 3], 4)
    assert again.table("x", ExpiryRow).get("clock") == ExpiryRow(9, {3: 1})
    assert again.progress() == PROGRESS
    assert again.meta() == a_meta()
    again.close()


def test_what_changes_after_a_cut_is_not_in_it(tmp_path: Path) -> None:
    database = a_database(tmp_path / "db")
    table = database.table("g", GuestChunk)
    row, progress = GuestChunk(["before"]), ProgressRow(1, {}, {}, {})
    table.put("x", row)
    frozen = database.freeze(progress)
    row.keys.append("after")
    table.put("x", row)
    table.put("y", GuestChunk([]))
    progress.next_offset = 2
    progress.sent["facts/0"] = (2, 0)
    database.write(frozen)
    database.thaw()
    database.close()
    again = a_database(tmp_path / "db")
    assert again.table("g", GuestChunk).get("x") == GuestChunk(["before"])
    assert again.table("g", GuestChunk).get("y") is None
    assert again.progress() == ProgressRow(1)
    again.close()


def test_a_cut_that_was_not_written_leaves_everything_as_it_was(tmp_path: Path) -> None:
    database = a_database(tmp_path / "db")
    database.table("g", GuestChunk).put("x", GuestChunk(["old"]))
    flush(database, ProgressRow(1))
    database.table("g", GuestChunk).put("x", GuestChunk(["new"]))
    database.freeze(ProgressRow(2))
    database.close()
    again = a_database(tmp_path / "db")
    assert again.table("g", GuestChunk).get("x") == GuestChunk(["old"])
    assert again.progress().next_offset == 1
    again.close()


def test_deleted_rows_are_gone_after_the_cut(tmp_path: Path) -> None:
    database = a_database(tmp_path / "db")
    table = database.table("g", GuestChunk)
    table.put("x", GuestChunk([]))
    flush(database)
    table.delete("x")
    table.delete("never")
    flush(database)
    assert list(database.rows("g")) == []
    database.close()


def test_tables_do_not_see_each_others_rows(tmp_path: Path) -> None:
    database = a_database(tmp_path / "db")
    one, two = database.table("g", GuestChunk), database.table("h", GuestChunk)
    one.put("x", GuestChunk(["g"]))
    two.put("x", GuestChunk(["h"]))
    flush(database)
    assert [key for key, _ in database.rows("g")] == [b"gx"]
    assert [key for key, _ in database.rows()] == [b"\x00progress", b"gx", b"hx"]
    assert database.table("g", GuestChunk) is one
    database.close()


def test_keys_after_walks_a_table_in_order(tmp_path: Path) -> None:
    database = a_database(tmp_path / "db")
    for prefix in "fgh":
        for name in ("", "a", "a\x00", "ab", "é", "b"):
            database.table(prefix, GuestChunk).put(name, GuestChunk([]))
    flush(database)
    assert database.keys_after("g", "", 9) == ["", "a", "a\x00", "ab", "b", "é"]
    assert database.keys_after("g", "a", 2) == ["a\x00", "ab"]
    assert database.keys_after("g", "é", 9) == []
    database.close()


def test_dirty_counts_the_rows_of_all_tables(tmp_path: Path) -> None:
    database = a_database(tmp_path / "db")
    database.table("g", GuestChunk).put("x", GuestChunk([]))
    database.table("t", TotalsRow).put("x", TotalsRow())
    assert database.dirty == 2
    flush(database)
    assert database.dirty == 0
    assert database.size_bytes() > 0
    database.table("g", GuestChunk).get("x")
    database.table("g", GuestChunk).get("absent")
    assert database.cache_counts() == (1, 1)
    database.close()


def test_a_reader_beside_the_owner_sees_the_last_cut_that_was_written(tmp_path: Path) -> None:
    owner = a_database(tmp_path / "db")
    owner.table("g", GuestChunk).put("x", GuestChunk(["flushed"]))
    flush(owner, ProgressRow(3))
    owner.table("g", GuestChunk).put("x", GuestChunk(["not yet"]))
    reader = a_database(tmp_path / "db", read_only=True)
    assert reader.table("g", GuestChunk).get("x") == GuestChunk(["flushed"])
    assert reader.progress().next_offset == 3
    flush(owner, ProgressRow(4))
    assert owner.progress().next_offset == 4
    reader.close()
    later = a_database(tmp_path / "db", read_only=True)
    assert later.table("g", GuestChunk).get("x") == GuestChunk(["not yet"])
    later.close()
    owner.close()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    a_database(tmp_path / "db").close()
    reader = a_database(tmp_path / "db", read_only=True)
    with pytest.raises(Exception, match=r"(?i)read.only"):
        reader.write(Frozen([(b"gx", b"")], b""))
    reader.close()


def test_a_folder_in_use_is_named_as_such_in_and_out_of_the_process(tmp_path: Path) -> None:
    owner = a_database(tmp_path / "db")
    with pytest.raises(StateLockedError, match="in use by another process; stop it"):
        a_database(tmp_path / "db")
    code = (
        "import pathlib, sys; from streams.rocks_store import RocksBudget, RocksDatabase\n"
        "RocksDatabase(pathlib.Path(sys.argv[1]), RocksBudget(2**20), cache_bytes=1)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "db")]
    other = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # a command of our own
    assert "StateLockedError" in other.stderr
    owner.close()
    a_database(tmp_path / "db").close()


def test_a_reader_of_a_folder_without_state_is_told_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"no state in .*; run `freshrec worker`"):
        a_database(tmp_path / "absent", read_only=True)


def test_a_damaged_database_is_not_taken_for_one_in_use(tmp_path: Path) -> None:
    """Neither the name of the folder nor a word of RocksDB's may look like a lock."""
    path = tmp_path / "blocked"
    a_database(path).close()
    (path / "CURRENT").write_text("damaged")
    with pytest.raises(StateError, match=r"cannot be opened .*; restore it, or delete the folder") as caught:
        a_database(path)
    assert not isinstance(caught.value, StateLockedError)


def test_closing_twice_does_no_harm(tmp_path: Path) -> None:
    database = a_database(tmp_path / "db")
    database.close()
    database.close()
