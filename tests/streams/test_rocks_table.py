"""A table is a dict, whatever its cache forgets: its rows survive eviction, cuts, writes and reopening."""

import shutil
import tempfile
from copy import deepcopy
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from schemas.state import GuestChunk, ProgressRow
from streams.rocks_store import Frozen, RocksBudget, RocksDatabase
from streams.rocks_table import Table

BUDGET = RocksBudget(8 * 1024 * 1024)
KEYS = st.sampled_from([f"k{n}" for n in range(9)] + ["", "é", "\U0001f375", "k1\x00", "\x7f"])
ROWS = st.lists(st.text(max_size=3), max_size=3)


def a_table(disk: dict[bytes, bytes], cache_bytes: int = 1) -> Table[GuestChunk]:
    return Table("g", GuestChunk, disk.get, cache_bytes=cache_bytes)


def test_a_row_that_was_put_is_the_row_that_is_got_however_small_the_cache() -> None:
    table = a_table({})
    for n in range(50):
        table.put(f"s:{n}", GuestChunk([str(n)]))
    assert [table.get(f"s:{n}") for n in range(50)] == [GuestChunk([str(n)]) for n in range(50)]
    assert table.get("s:50") is None
    assert table.dirty == 50


def test_a_cut_holds_the_rows_as_they_were() -> None:
    table = a_table({})
    row = GuestChunk(["a"])
    table.put("x", row)
    table.put("gone", GuestChunk([]))
    table.delete("gone")
    frozen = table.freeze()
    row.keys.append("b")
    table.put("x", row)
    table.put("y", GuestChunk([]))
    assert frozen == {b"gx": b"\x91\x91\xa1a", b"ggone": None}
    assert table.dirty == 2


def test_frozen_rows_are_visible_until_they_are_on_disk() -> None:
    disk: dict[bytes, bytes] = {b"ggone": b"\x91\x90"}
    table = a_table(disk)
    table.put("x", GuestChunk(["a"]))
    table.delete("gone")
    frozen = table.freeze()
    for n in range(20):
        table.get(f"other{n}")
        table.put(f"other{n}", GuestChunk([]))
    assert (table.get("x"), table.get("gone")) == (GuestChunk(["a"]), None)
    disk.update({key: raw for key, raw in frozen.items() if raw is not None})
    del disk[b"ggone"]
    table.thaw()
    assert (table.get("x"), table.get("gone")) == (GuestChunk(["a"]), None)


def test_a_row_deleted_and_put_again_is_there() -> None:
    table = a_table({b"gx": b"\x91\x91\xa1a"})
    table.delete("x")
    assert table.get("x") is None
    table.put("x", GuestChunk(["b"]))
    assert table.get("x") == GuestChunk(["b"])
    assert table.freeze() == {b"gx": b"\x91\x91\xa1b"}


def test_dirty_keys_are_those_of_rows_that_wait() -> None:
    table = a_table({})
    table.put("x", GuestChunk([]))
    table.put("y", GuestChunk([]))
    table.delete("y")
    assert (table.dirty, table.dirty_keys()) == (2, ["x"])
    table.freeze()
    assert (table.dirty, table.dirty_keys()) == (0, [])


def test_hits_and_misses_tell_who_answered() -> None:
    table = a_table({b"gx": b"\x91\x90"}, cache_bytes=10_000)
    for _ in range(3):
        table.get("x")
    table.get("absent")
    assert (table.hits, table.misses) == (2, 2)


def test_clean_rows_are_kept_within_the_bound() -> None:
    disk = {f"g{n}".encode(): b"\x91\x90" for n in range(1_000)}
    table = a_table(disk, cache_bytes=20_000)
    for n in range(1_000):
        table.get(str(n))
    table.hits = 0
    for n in range(1_000):
        table.get(str(n))
    assert table.hits < 100


class TableMachine(RuleBasedStateMachine):
    """A real database with a cache of next to nothing, against a dict of what it must hold."""

    @initialize(cache_bytes=st.sampled_from([1, 500, 3_000, 10**6]))
    def start(self, cache_bytes: int) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.cache_bytes = cache_bytes
        self.model: dict[str, GuestChunk] = {}
        self.written: dict[str, GuestChunk] = {}
        self.cut: tuple[Frozen, dict[str, GuestChunk]] | None = None
        self.offset = 0
        self.open()

    def open(self) -> None:
        self.database = RocksDatabase(self.folder / "db", BUDGET, cache_bytes=self.cache_bytes)
        self.table = self.database.table("g", GuestChunk)
        self.other = self.database.table("h", GuestChunk)

    @rule(key=KEYS, keys=ROWS)
    def put(self, key: str, keys: list[str]) -> None:
        self.table.put(key, GuestChunk(list(keys)))
        self.other.put(key, GuestChunk(["other"]))
        self.model[key] = GuestChunk(list(keys))

    @rule(key=KEYS, more=ROWS)
    def change_in_place(self, key: str, more: list[str]) -> None:
        row = self.table.get(key)
        if row is not None:
            row.keys.extend(more)
            self.table.put(key, row)
            self.model[key].keys.extend(more)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        self.table.delete(key)
        self.model.pop(key, None)

    @rule(key=KEYS)
    def get(self, key: str) -> None:
        assert self.table.get(key) == self.model.get(key)

    @precondition(lambda self: self.cut is None)
    @rule()
    def freeze(self) -> None:
        self.offset += 1
        self.cut = self.database.freeze(ProgressRow(self.offset)), deepcopy(self.model)

    @precondition(lambda self: self.cut is not None)
    @rule()
    def write_and_thaw(self) -> None:
        assert self.cut is not None
        frozen, self.written = self.cut
        self.cut = None
        self.database.write(frozen)
        self.database.thaw()
        assert self.database.progress() == ProgressRow(self.offset)

    @rule()
    def crash(self) -> None:
        """What was not written is gone, and nothing else."""
        self.database.close()
        self.cut, self.model = None, deepcopy(self.written)
        self.open()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            assert {key: self.table.get(key) for key in self.model} == self.model
            self.database.close()
            shutil.rmtree(self.folder)


TestTableAgainstADict = TableMachine.TestCase
TestTableAgainstADict.settings = settings(max_examples=50, stateful_step_count=40)
