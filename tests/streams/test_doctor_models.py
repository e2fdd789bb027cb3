"""Stores as doctor sees them: real ones, opened beside nothing or beside their owner."""

from pathlib import Path

import pytest

from schemas.settings import DensitySettings, ProfilesSettings, Settings, StateSettings
from schemas.state import HistoryRow, MetaRow, ProgressRow, PublishedRow
from streams.doctor_models import check_state, has_rows, stores_of, switched_off
from streams.errors import StateError
from streams.rocks_store import RocksBudget, RocksDatabase
from streams.stages.opening import database_path

BUDGET = RocksBudget(4 * 1024 * 1024)


def a_store(folder: Path, stage: str = "history", partition: int = 0) -> RocksDatabase:
    """A store as a stage leaves it before it has learned anything."""
    database = RocksDatabase(database_path(folder, stage, partition), BUDGET, cache_bytes=1_000)
    database.write_meta(MetaRow(1, "1", "c", "events", "t", partition, 4, stage, 0, "f", {}))
    database.write(database.freeze(ProgressRow(next_offset=7)))
    return database


def settings_in(folder: Path) -> Settings:
    return Settings(state=StateSettings(dir=str(folder)))


def test_an_empty_state_directory_is_named_with_what_to_do(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        (finding,) = check_state(settings_in(folder))
        assert not finding.ok
        assert finding.cause == f"there are no stores in {folder}"
        assert "freshrec worker" in finding.what_to_do


def test_folders_of_other_things_are_no_stores(tmp_path: Path) -> None:
    for name in ("views/customers/popular", "slots", "history/0", "history/old"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "history" / "old" / "CURRENT").touch()

    assert stores_of(tmp_path, "history") == []
    assert not check_state(settings_in(tmp_path))[0].ok


def test_stores_are_found_in_the_order_of_partitions_and_counted_by_stage(tmp_path: Path) -> None:
    for partition in (10, 9, 0):
        a_store(tmp_path, partition=partition).close()

    assert [path.name for path in stores_of(tmp_path, "history")] == ["0", "9", "10"]
    (finding,) = check_state(settings_in(tmp_path))
    assert finding.ok
    assert "history 3, profiles 0" in finding.cause


def test_a_store_has_learned_once_it_holds_a_row_that_is_no_bookkeeping(tmp_path: Path) -> None:
    database = a_store(tmp_path)
    path = database.path
    database.table("~", PublishedRow).put("i1", PublishedRow())
    database.write(database.freeze(ProgressRow()))
    assert not has_rows(path)

    database.table("h", HistoryRow).put("u:anna", HistoryRow())
    database.write(database.freeze(ProgressRow()))

    # Its owner still has it open.
    assert has_rows(path)
    database.close()


def test_a_damaged_store_is_an_error_that_names_it(tmp_path: Path) -> None:
    database = a_store(tmp_path)
    database.close()
    (database.path / "CURRENT").write_text("damaged\n")

    with pytest.raises(StateError, match="cannot be opened"):
        has_rows(database.path)


def test_stages_that_are_switched_off_are_known() -> None:
    assert switched_off(Settings()) == {"density"}
    off = Settings(density=DensitySettings(enabled=True), profiles=ProfilesSettings(enabled=False))
    assert switched_off(off) == {"profiles", "needs"}
