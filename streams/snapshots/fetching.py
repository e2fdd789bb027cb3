"""Bringing one snapshot to this disk: copied, every digest checked, opened, and only then put in place.

Delivery: the store's folder appears whole or not at all; who restores the same partition from the same
state directory at the same time waits. What arrived before a restore broke off is not copied again.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from schemas.snapshots import SnapshotFile, SnapshotManifest
from streams.errors import SnapshotError, StateError
from streams.identity import differences_of
from streams.rocks_store import RocksBudget, RocksDatabase, StateLockedError
from streams.snapshots.library import Library, Shelf
from streams.snapshots.taking import digest_of

Progress = Callable[[int], None]
"""Told the bytes of each file that arrived."""

FETCHED_AT_ONCE = 4
"""Files that are on their way at a time: where each request takes a while, most of restoring is waiting."""

_OPENING_BYTES = 8 * 1024 * 1024


def position_of(path: Path) -> tuple[int, int] | None:
    """Epoch and next offset of the store in a folder; None where there is none.

    Raises
    ------
    StateError
        It is damaged.
    """
    if not (path / "CURRENT").exists():
        return None
    database = RocksDatabase(path, RocksBudget(_OPENING_BYTES), cache_bytes=1, read_only=True)
    try:
        meta = database.meta()
        return (meta.epoch if meta else 0), database.progress().next_offset
    finally:
        database.close()


@contextmanager
def restoring(path: Path) -> Iterator[Path]:
    """A folder in which the store of `path` is gathered, with what an earlier attempt left, for us alone.

    Raises
    ------
    StateLockedError
        Another process gathers it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = path.parent / f".restoring-{path.name}"
    with folder.with_suffix(".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StateLockedError(f"{path} is being restored by another process; wait for it") from error
        folder.mkdir(exist_ok=True)
        yield folder


def gather(library: Library, manifest: SnapshotManifest, folder: Path, progress: Progress) -> None:
    """Let a folder hold the files of a snapshot and nothing else, and check them and what they hold.

    Raises
    ------
    SnapshotError
        A file is missing or damaged, or the store is another than the manifest says.
    StorageError
        The library cannot be reached.
    """
    shelf = Shelf(manifest.stage, manifest.partition)
    present = library.files(shelf)
    for file in manifest.files:
        if file.sha256 not in present:
            raise SnapshotError(f"{file.name} ({file.sha256[:12]}) is missing")
    with ThreadPoolExecutor(FETCHED_AT_ONCE, thread_name_prefix="fetch") as threads:
        for size in threads.map(partial(_bring, library, shelf, folder), manifest.files):
            progress(size)
    _check_content(manifest, folder)
    names = {file.name for file in manifest.files}
    for path in folder.iterdir():
        if path.name not in names:
            path.unlink()
    _sync(folder)


def _bring(library: Library, shelf: Shelf, folder: Path, file: SnapshotFile) -> int:
    """Let a folder hold a file of a snapshot, checked; its size."""
    target = folder / file.name
    if _fault(file, target) is not None:
        library.get(shelf, file, target)
        fault = _fault(file, target)
        if fault is not None:
            raise SnapshotError(fault)
        _sync(target)
    return file.bytes


def _fault(file: SnapshotFile, path: Path) -> str | None:
    """What is wrong with a file on this disk, in words; None when it is what it has to be."""
    if not path.exists():
        return f"{file.name} is not here"
    size = path.stat().st_size
    if size != file.bytes:
        return f"{file.name} has {size} bytes, expected {file.bytes}"
    found = digest_of(path)
    if found != file.sha256:
        return f"{file.name} was changed: its digest is {found[:12]}, not {file.sha256[:12]}"
    return None


def _check_content(manifest: SnapshotManifest, folder: Path) -> None:
    """Open what was gathered: a store that says of itself what the manifest says."""
    try:
        database = RocksDatabase(folder, RocksBudget(_OPENING_BYTES), cache_bytes=1, read_only=True)
    except StateError as error:
        raise SnapshotError(f"its files are no store: {error}") from error
    try:
        meta, offset = database.meta(), database.progress().next_offset
    finally:
        database.close()
    if meta is None or differences_of(meta, manifest.origin) or meta.epoch != manifest.epoch:
        raise SnapshotError("its store belongs to something else than its manifest says")
    if offset != manifest.next_offset:
        raise SnapshotError(f"its store is at offset {offset}, its manifest at {manifest.next_offset}")


def put_in_place(folder: Path, path: Path) -> None:
    """Let a gathered store become that of `path`; one that is there is replaced, if nobody uses it.

    Raises
    ------
    StateLockedError
        The store that is there is in use.
    """
    if (path / "CURRENT").exists():
        # Opened and closed again: whoever uses it holds its lock.
        RocksDatabase(path, RocksBudget(_OPENING_BYTES), cache_bytes=1).close()
    replaced = path.parent / f".replaced-{path.name}"
    shutil.rmtree(replaced, ignore_errors=True)
    if path.exists():
        path.rename(replaced)
    folder.rename(path)
    _sync(path.parent)
    shutil.rmtree(replaced, ignore_errors=True)


def _sync(path: Path) -> None:
    """Have the disk keep a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
