"""One RocksDB per stage and partition: rows and progress change together, in one WriteBatch.

Delivery: what `write` has returned for is on disk with the source offset that it belongs to; a crash
before that leaves both as they were.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec
from rocksdict import (
    AccessType,
    BlockBasedOptions,
    Cache,
    Checkpoint,
    DBCompressionType,
    Options,
    Rdict,
    WriteBatch,
    WriteBufferManager,
)

from schemas.state import MetaRow, ProgressRow
from streams.disk import full, is_full
from streams.errors import StateError
from streams.rocks_table import Table

V = TypeVar("V")
META, PROGRESS = b"\x00meta", b"\x00progress"
REWRITTEN = b"\x00rewritten"
OWN_KEYS = frozenset({META, PROGRESS, REWRITTEN})
"""What is no row of a table."""

_encode = msgspec.msgpack.encode


class RocksBudget:
    """Block cache and write buffers that all databases of a process share.

    Parameters
    ----------
    rocksdb_bytes : int
        Bytes for both together.
    """

    def __init__(self, rocksdb_bytes: int) -> None:
        self.cache = Cache(rocksdb_bytes)
        self.buffers = WriteBufferManager.new_write_buffer_manager_with_cache(
            rocksdb_bytes // 2, False, self.cache
        )

    def options(self) -> Options:
        """Options of one database under this budget; keys and values are raw bytes."""
        options = Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_write_buffer_manager(self.buffers)
        options.set_write_buffer_size(16 * 1024 * 1024)
        options.set_compression_type(DBCompressionType.lz4())
        options.set_max_background_jobs(2)
        options.set_keep_log_file_num(2)
        options.set_max_total_wal_size(128 * 1024 * 1024)
        table = BlockBasedOptions()
        table.set_block_cache(self.cache)
        table.set_bloom_filter(10, False)
        table.set_cache_index_and_filter_blocks(True)
        options.set_block_based_table_factory(table)
        return options


class Frozen(msgspec.Struct, frozen=True):
    """A consistent cut: encoded rows and the progress that they belong to."""

    rows: list[tuple[bytes, bytes | None]]
    progress: bytes


class RocksDatabase:
    """All tables of one stage in one partition.

    Parameters
    ----------
    path : Path
        Folder of the database; made when absent, unless `read_only`.
    budget : RocksBudget
        Shared by all databases of the process.
    cache_bytes : int
        Decoded rows kept, estimated, over all tables.
    read_only : bool
        Open beside a running owner; shows what was last flushed.

    Raises
    ------
    StateError
        The folder is locked by another process, damaged, or absent when read only, or the disk is full.
    """

    def __init__(self, path: Path, budget: RocksBudget, *, cache_bytes: int, read_only: bool = False) -> None:
        self.path, self._budget = path, budget
        self._cache_bytes = cache_bytes
        self._tables: dict[str, Table[object]] = {}
        if not read_only:
            _make_folder(path.parent)
        elif not (path / "CURRENT").exists():
            raise _nothing_there(path)
        access = AccessType.read_only() if read_only else AccessType.read_write()
        try:
            self._db = Rdict(str(path), options=budget.options(), access_type=access)
        except Exception as error:
            raise _cannot_open(path, error) from error

    def table(self, prefix: str, row_type: type[V]) -> Table[V]:
        """The rows of one type; the same table each time it is asked for."""
        known = self._tables.get(prefix)
        if known is None:
            created = Table(prefix, row_type, self._get, cache_bytes=self._cache_bytes)
            self._tables[prefix] = created  # type: ignore[assignment]  # one dict for tables of all types
            return created
        return known  # type: ignore[return-value]  # the prefix decides the type

    def _get(self, key: bytes) -> bytes | None:
        value = self._db.get(key)
        return None if value is None else bytes(value)

    @property
    def dirty(self) -> int:
        """How many rows wait for the next flush."""
        return sum(table.dirty for table in self._tables.values())

    @property
    def dirty_bytes(self) -> int:
        """Estimated bytes of these rows, as stored."""
        return sum(table.dirty_bytes for table in self._tables.values())

    def freeze(self, progress: msgspec.Struct) -> Frozen:
        """Cut: encode every dirty row and the progress, now, in one synchronous step."""
        rows = [item for table in self._tables.values() for item in table.freeze().items()]
        return Frozen(rows, _encode(progress))

    def write(self, frozen: Frozen) -> None:
        """Put a cut on disk (blocking; safe in a thread). One cut at a time.

        Raises
        ------
        DiskFullError
            There is no room.
        StateError
            It cannot be written for another reason.
        """
        batch = WriteBatch(raw_mode=True)
        for key, value in frozen.rows:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(PROGRESS, frozen.progress)
        try:
            self._db.write(batch)
        except Exception as error:
            raise _cannot_write(self.path, error) from error

    def thaw(self) -> None:
        """The last cut is on disk: forget its encoded rows."""
        for table in self._tables.values():
            table.thaw()

    def progress(self) -> ProgressRow:
        """The progress on disk; that of an untouched store for a new one."""
        raw = self._get(PROGRESS)
        return ProgressRow() if raw is None else msgspec.msgpack.decode(raw, type=ProgressRow)

    def raw_progress(self) -> bytes | None:
        """The progress on disk as encoded."""
        return self._get(PROGRESS)

    def meta(self) -> MetaRow | None:
        """Whose store this is; None for a new one."""
        raw = self._get(META)
        return None if raw is None else msgspec.msgpack.decode(raw, type=MetaRow)

    def write_meta(self, meta: MetaRow) -> None:
        """Say whose store this is."""
        self._db.put(META, _encode(meta))

    def rows(self, prefix: str = "") -> Iterator[tuple[bytes, bytes]]:
        """Rows on disk whose keys begin with `prefix`, in key order; use it up or close it at once."""
        start = prefix.encode()
        for key, value in self._db.items(from_key=start or None):
            raw_key = bytes(key)  # type: ignore[arg-type]  # raw mode: bytes
            if not raw_key.startswith(start):
                return
            yield raw_key, bytes(value)

    def decoded(self, key: bytes, raw: bytes) -> object:
        """What the encoded row of a raw key is, by the table that the key belongs to."""
        return self._tables[key[:1].decode()].decode(raw)

    def keys_after(self, prefix: str, key: str, limit: int) -> list[str]:
        """Up to `limit` keys of a table on disk, above `key`, in order, without the prefix."""
        start = prefix.encode()
        found: list[str] = []
        for raw in self._db.keys(from_key=start + key.encode() + (b"\x00" if key else b"")):
            raw_key = bytes(raw)  # type: ignore[arg-type]  # raw mode: bytes
            if not raw_key.startswith(start) or len(found) >= limit:
                break
            found.append(raw_key[len(start) :].decode())
        return found

    def rows_after(self, prefix: str, key: str, limit: int) -> list[tuple[str, bytes]]:
        """Up to `limit` rows of a table on disk, above `key`, in order: keys as above, and encoded rows."""
        start = prefix.encode()
        found: list[tuple[str, bytes]] = []
        for raw, value in self._db.items(from_key=start + key.encode() + (b"\x00" if key else b"")):
            raw_key = bytes(raw)  # type: ignore[arg-type]  # raw mode: bytes
            if not raw_key.startswith(start) or len(found) >= limit:
                break
            found.append((raw_key[len(start) :].decode(), bytes(value)))
        return found

    def size_bytes(self) -> int:
        """Bytes on disk and in write buffers."""
        names = ("rocksdb.total-sst-files-size", "rocksdb.cur-size-all-mem-tables")
        return sum(self._db.property_int_value(name) or 0 for name in names)

    def rewritten_at(self, now_ms: int) -> int:
        """When all files were rewritten last, epoch ms; a store that never was counts from now on."""
        raw = self._get(REWRITTEN)
        if raw is not None:
            return msgspec.msgpack.decode(raw, type=int)
        self._db.put(REWRITTEN, _encode(now_ms))
        return now_ms

    def rewrite(self, now_ms: int) -> None:
        """Rewrite all files, so that nothing is left of rows that were deleted or replaced (blocking).

        RocksDB's own list of files still has the first and last keys of those that were: `reopen` after it.

        Raises
        ------
        StateError
            There is no room, or it cannot be written for another reason.
        """
        try:
            self._db.flush()
            self._db.compact_range(None, None)
            self._db.put(REWRITTEN, _encode(now_ms))
        except Exception as error:
            raise _cannot_write(self.path, error) from error

    def reopen(self) -> None:
        """Close and open again, with what is cached kept: RocksDB begins a new list of its files."""
        self._db.close()
        self._db = Rdict(str(self.path), options=self._budget.options(), access_type=AccessType.read_write())

    def checkpoint(self, folder: Path) -> None:
        """Copy what is on disk to a folder that does not exist, by hard links (blocking; safe in a thread).

        No `write` may run meanwhile.

        Raises
        ------
        StateError
            There is no room, or it cannot be written for another reason.
        """
        try:
            # A flush lets other threads run, which a checkpoint that has to flush does not.
            self._db.flush()
            Checkpoint(self._db).create_checkpoint(str(folder))
        except Exception as error:
            raise _cannot_write(self.path, error) from error

    def cache_counts(self) -> tuple[int, int]:
        """Hits and misses of the decoded rows so far."""
        tables = self._tables.values()
        return sum(table.hits for table in tables), sum(table.misses for table in tables)

    def close(self) -> None:
        """Release the folder; what was not written is gone."""
        with suppress(Exception):
            self._db.close()


def _cannot_open(path: Path, error: Exception) -> StateError:
    text = str(error)
    # Not just "lock": the path, or a damaged block, may have it too.
    if "While lock file" in text or "lock hold by current process" in text:
        return StateLockedError(f"{path} is in use by another process; stop it, or wait until it has let go")
    if is_full(error):
        return full(path, error)
    return StateError(f"{path} cannot be opened ({text}); restore it, or delete the folder to rebuild it")


def _cannot_write(path: Path, error: Exception) -> StateError:
    if is_full(error):
        return full(path, error)
    return StateError(f"{path} cannot be written ({error}); check the disk: what is on it stays as it was")


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _nothing_there(path: Path) -> StateError:
    return StateError(f"there is no state in {path}; run `freshrec worker` or `freshrec replay` first")


class StateLockedError(StateError):
    """Another process holds the folder."""
