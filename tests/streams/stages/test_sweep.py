from pathlib import Path

from schemas.state import ProgressRow
from streams.rocks_store import RocksDatabase
from streams.stages.sweep import SWEEP_ROWS, Sweep
from tests.streams.stages.parts import BUDGET


def a_database(folder: Path, rows: int) -> RocksDatabase:
    database = RocksDatabase(folder / "store", BUDGET, cache_bytes=1_000)
    for number in range(rows):
        database.table("r", int).put(f"{number:04}", number)
        database.table("q", int).put(f"{number:04}", number)
    database.write(database.freeze(ProgressRow()))
    return database


def test_a_pass_gives_each_key_of_the_table_once_in_order(tmp_path: Path) -> None:
    database = a_database(tmp_path, 3 * SWEEP_ROWS + 5)
    sweep, found = Sweep(database, "r", rows_per_s=1), list[str]()
    sweep.start()
    while sweep.running:
        found += sweep.take(0, at_once=True)
    database.close()
    assert found == [f"{number:04}" for number in range(3 * SWEEP_ROWS + 5)]


def test_keys_come_no_faster_than_allowed(tmp_path: Path) -> None:
    database = a_database(tmp_path, 2 * SWEEP_ROWS)
    sweep = Sweep(database, "r", rows_per_s=1_000)
    sweep.start()
    given = [len(sweep.take(now, at_once=False)) for now in (0, SWEEP_ROWS - 1, SWEEP_ROWS)]
    database.close()
    assert given == [SWEEP_ROWS, 0, SWEEP_ROWS]


def test_a_pass_over_nothing_ends_at_once(tmp_path: Path) -> None:
    database = a_database(tmp_path, 0)
    sweep = Sweep(database, "r", rows_per_s=1)
    sweep.start()
    assert sweep.take(0, at_once=False) == []
    database.close()
    assert not sweep.running
