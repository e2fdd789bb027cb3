"""Taking a snapshot: a checkpoint of a store by hard links, then what is new in it goes to the library.

Delivery: a checkpoint belongs exactly to the offset that was flushed last. The manifest is written once
all files are there; before that nothing has changed for a reader.
"""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec

from schemas.snapshots import SnapshotFile, SnapshotManifest, SnapshotOrigin
from schemas.state import MetaRow
from streams.errors import SnapshotError
from streams.rocks_store import RocksDatabase
from streams.snapshots.library import Library, Shelf, missing
from streams.snapshots.manifest import name_of

CHECKPOINTS = "checkpoints"
"""Folder in state.dir of checkpoints that are being copied."""

# Made anew whenever a store is opened, with the options that the code says.
_LEFT_OUT = ("rocksdict-config.json", "IDENTITY", "LOCK", "LOG")


class Checkpointed(msgspec.Struct, frozen=True):
    """A checkpoint on this disk: whose it is, and which offset it belongs to."""

    folder: Path
    meta: MetaRow
    next_offset: int

    @property
    def shelf(self) -> Shelf:
        """Where its snapshots are."""
        return Shelf(self.meta.stage, self.meta.partition)

    def files(self) -> Iterator[Path]:
        """The files of which a snapshot consists."""
        for path in sorted(self.folder.iterdir()):
            if not path.name.startswith(_LEFT_OUT):
                yield path

    def discard(self) -> None:
        """Delete it; the store is not touched."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Stored(msgspec.Struct, frozen=True):
    """A snapshot that exists now, and how much of it had to be copied."""

    manifest: SnapshotManifest
    new_files: int
    new_bytes: int


class Digests:
    """SHA-256 of files that were read before: a file that is linked again is not read again.

    RocksDB never changes a finished file, and a link has the inode, size and time of what it links to.
    Bounded by the files of each store's last checkpoint.
    """

    def __init__(self) -> None:
        self._known: dict[Shelf, dict[tuple[int, int, int, int], str]] = {}

    def of(self, checkpoint: Checkpointed) -> dict[Path, str]:
        """Digests of all files of a checkpoint."""
        known = self._known.get(checkpoint.shelf, {})
        found: dict[Path, str] = {}
        current: dict[tuple[int, int, int, int], str] = {}
        for path in checkpoint.files():
            stat = path.stat()
            key = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)
            # Only what is linked was there before; an inode may be used again for what is copied.
            reusable = path.suffix == ".sst"
            found[path] = (known.get(key) if reusable else None) or digest_of(path)
            if reusable:
                current[key] = found[path]
        self._known[checkpoint.shelf] = current
        return found


def digest_of(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checkpoint(database: RocksDatabase, state_dir: Path) -> Checkpointed:
    """Make a checkpoint of a store (blocking; no flush may write meanwhile).

    Parameters
    ----------
    database : RocksDatabase
        A store that bears its meta row.
    state_dir : Path
        On the same file system as the store; the checkpoint is made in its folder `checkpoints`.

    Raises
    ------
    SnapshotError
        Nobody claimed the store yet.
    """
    meta = database.meta()
    if meta is None:
        raise SnapshotError(f"{database.path} is new and belongs to no stage yet; there is nothing to copy")
    folder = state_dir / CHECKPOINTS / f"{meta.stage}-{meta.partition}"
    # Whoever holds the store's lock is the only one who writes here; what is left is of a crash.
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    database.checkpoint(folder)
    return Checkpointed(folder, meta, database.progress().next_offset)


def store(library: Library, taken: Checkpointed, *, now_ms: int, digests: Digests | None = None) -> Stored:
    """Copy what the library lacks of a checkpoint, then write its manifest (blocking).

    Parameters
    ----------
    library : Library
        Where to.
    taken : Checkpointed
        What; it stays.
    now_ms : int
        When it was taken, epoch ms.
    digests : Digests, optional
        Digests from earlier snapshots by this process.

    Raises
    ------
    SnapshotError
        There is a damaged manifest of that name.
    StorageError
        The library cannot be reached.
    """
    shelf = taken.shelf
    sources = {
        SnapshotFile(path.name, digest, path.stat().st_size): path
        for path, digest in (digests or Digests()).of(taken).items()
    }
    manifest = _manifest(taken, list(sources), now_ms)
    present = library.files(shelf)
    if name_of(manifest) in library.names(shelf):
        # Of the same offset, thus of the same content, however its files are cut.
        manifest, _ = library.read(shelf, name_of(manifest))
        if not missing(manifest, present):
            return Stored(manifest, 0, 0)
    wanted = missing(manifest, present)
    for file in wanted:
        library.put(shelf, file, _source_of(file, sources, shelf))
    library.add(shelf, manifest)
    # Another worker, which lost this partition, may just have deleted a file that it thought unnamed.
    for file in missing(manifest, library.files(shelf)):
        library.put(shelf, file, _source_of(file, sources, shelf))
    return Stored(manifest, len(wanted), sum(file.bytes for file in wanted))


def _manifest(taken: Checkpointed, files: list[SnapshotFile], now_ms: int) -> SnapshotManifest:
    return SnapshotManifest(
        stage=taken.meta.stage,
        partition=taken.meta.partition,
        epoch=taken.meta.epoch,
        next_offset=taken.next_offset,
        created_at=now_ms,
        origin=SnapshotOrigin(**msgspec.structs.asdict(taken.meta)),
        files=files,
    )


def _source_of(file: SnapshotFile, sources: dict[SnapshotFile, Path], shelf: Shelf) -> Path:
    """Where a file of a snapshot is on this disk; one of an earlier snapshot may not be there any more."""
    if file not in sources:
        raise SnapshotError(f"the snapshot of {shelf} at this offset lacks {file.name}; the next replaces it")
    return sources[file]
