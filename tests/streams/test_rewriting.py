"""Rewriting: after it the files of a store hold nothing of rows that were deleted or replaced."""

import asyncio
import random
from pathlib import Path

import pytest

from schemas.settings import StateSettings
from schemas.state import GuestChunk, ProgressRow
from streams.rewriting import look_every_s, rewrite_if_due
from streams.rocks_store import RocksBudget, RocksDatabase
from streams.state.compare import pairs
from tests.streams.test_rocks_store import flush
from tests.traces import files_with

NAME = "conspicuous-4711"
BUDGET = RocksBudget(8 * 1024 * 1024)


@pytest.fixture
def database(tmp_path: Path) -> RocksDatabase:
    return RocksDatabase(tmp_path / "store", BUDGET, cache_bytes=1 << 20)


def rewrite(database: RocksDatabase, now_ms: int) -> None:
    database.rewrite(now_ms)
    database.reopen()


def fill(database: RocksDatabase, *, seed: int) -> None:
    """Rows that do not compress, so that what files hold can be read in them."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    table = database.table("g", GuestChunk)
    for number in range(200):
        table.put(f"{number}", GuestChunk([chance.randbytes(30).hex()]))
    table.put(NAME, GuestChunk([NAME]))
    flush(database, ProgressRow(1))


def test_a_rewritten_store_has_no_trace_of_what_was_deleted(database: RocksDatabase) -> None:
    fill(database, seed=1)
    rewrite(database, 1)
    assert files_with(database.path, NAME)
    database.table("g", GuestChunk).delete(NAME)
    flush(database, ProgressRow(2))
    assert files_with(database.path, NAME)
    rewrite(database, 2)
    assert files_with(database.path, NAME) == []
    assert database.table("g", GuestChunk).get("7") is not None
    database.close()


def test_a_store_is_rewritten_once_its_time_has_come(database: RocksDatabase) -> None:
    fill(database, seed=2)
    settings = StateSettings(rewrite_s=3_600)
    assert not asyncio.run(rewrite_if_due(database, settings))
    assert not asyncio.run(rewrite_if_due(database, settings))
    database.rewrite(database.rewritten_at(0) - 3_600_001)
    assert asyncio.run(rewrite_if_due(database, settings))
    assert not asyncio.run(rewrite_if_due(database, settings))
    database.close()


def test_when_it_was_rewritten_is_remembered_and_is_no_difference(tmp_path: Path) -> None:
    one = RocksDatabase(tmp_path / "one", BUDGET, cache_bytes=1 << 20)
    other = RocksDatabase(tmp_path / "other", BUDGET, cache_bytes=1 << 20)
    one.rewrite(7)
    assert (one.rewritten_at(9), other.rewritten_at(9)) == (7, 9)
    assert list(pairs(one, other)) == []
    one.close()
    other.close()


def test_who_rewrites_often_looks_often() -> None:
    assert [look_every_s(StateSettings(rewrite_s=seconds)) for seconds in (1, 259_200)] == [0.25, 60.0]
