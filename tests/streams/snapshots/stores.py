"""A small real store whose rows say at which offset they were written, and a library for its snapshots."""

from pathlib import Path

import msgspec

from schemas.state import MetaRow, ProgressRow
from streams.rocks_store import Frozen, RocksBudget, RocksDatabase
from streams.snapshots.library import Library, Shelf
from streams.snapshots.restoring import Wanted
from streams.snapshots.storage import Storage
from streams.snapshots.taking import Digests, Stored, checkpoint, store

BUDGET = RocksBudget(8 * 1024 * 1024)
SHELF = Shelf("rules", 1)
META = MetaRow(1, "1", "cluster", "item-deltas", "topic-id", 1, 4, "rules", 0, "fingerprint", {"a.b": "1"})
KEY = b"0123456789abcdef0123456789abcdef"

Rows = dict[bytes, bytes]


class Place:
    """A state directory and a library, both empty at first."""

    def __init__(self, folder: Path, *, key: bytes | None = None) -> None:
        self.state, self.snapshots = folder / "state", folder / "snapshots"
        self.library = Library(Storage(str(self.snapshots)), key)
        self.path = self.state / SHELF.stage / str(SHELF.partition)
        self.digests = Digests()

    def open(self, meta: MetaRow = META) -> RocksDatabase:
        """The store, claimed."""
        database = RocksDatabase(self.path, BUDGET, cache_bytes=1)
        database.write_meta(meta)
        return database

    def write(self, offset: int, rows: Rows, meta: MetaRow = META) -> None:
        """Flush rows with the offset that they belong to."""
        database = self.open(meta)
        write(database, offset, rows)
        database.close()

    def snapshot(self, *, now_ms: int = 1_000) -> Stored:
        """Take a snapshot of the store as it is."""
        database = RocksDatabase(self.path, BUDGET, cache_bytes=1)
        taken = checkpoint(database, self.state)
        database.close()
        try:
            return store(self.library, taken, now_ms=now_ms, digests=self.digests)
        finally:
            taken.discard()

    def at(self, offset: int, *, meta: MetaRow = META) -> Stored:
        """Write one more row, which says its offset, and take a snapshot."""
        self.write(offset, {b"row-%06d" % offset: b"%d" % offset}, meta)
        return self.snapshot()

    def wanted(self, *, earliest: int = 0, meta: MetaRow = META) -> Wanted:
        """What a worker wants of the store."""
        return Wanted(meta, self.path, earliest)

    def files(self) -> set[str]:
        """Names of the files in the library."""
        return set(self.library.files(SHELF))

    def manifest_paths(self) -> list[Path]:
        """The manifests on disk, the oldest first."""
        return sorted((self.snapshots / SHELF.manifests).glob("*.json"))


def write(database: RocksDatabase, offset: int, rows: Rows) -> None:
    """Flush rows and progress, as a stage does."""
    progress = msgspec.msgpack.encode(ProgressRow(next_offset=offset))
    database.write(Frozen(list(rows.items()), progress))


def read(path: Path) -> tuple[int, Rows]:
    """Next offset and rows of a store on disk."""
    database = RocksDatabase(path, BUDGET, cache_bytes=1, read_only=True)
    try:
        rows = {key: value for key, value in database.rows() if not key.startswith(b"\x00")}
        return database.progress().next_offset, rows
    finally:
        database.close()
