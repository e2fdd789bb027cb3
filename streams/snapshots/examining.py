"""Looking at snapshots: what there is, whether it is whole, and whether every byte is as it was. Blocking."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from schemas.snapshots import SnapshotFile, SnapshotManifest
from streams.errors import SnapshotError
from streams.snapshots.library import Library, Shelf, missing
from streams.snapshots.manifest import ManifestName
from streams.snapshots.storage import Entry
from streams.snapshots.taking import digest_of


class Examined(msgspec.Struct, frozen=True):
    """One snapshot as it was found; `fault` says why it cannot be used, null when nothing is wrong.

    `bytes_new` counts files that no older snapshot of the partition names.
    """

    stage: str
    partition: int
    epoch: int
    offset: int
    name: str
    created_at: int | None
    files: int
    bytes: int
    bytes_new: int
    signed: bool
    fault: str | None


def examine(library: Library, *, content: bool) -> Iterator[Examined]:
    """Every snapshot of every stage partition, the oldest of each first.

    Parameters
    ----------
    library : Library
        Where they are.
    content : bool
        Whether every file is read and its digest compared; otherwise only that all are there.

    Raises
    ------
    StorageError
        The library cannot be reached.
    """
    for shelf in library.shelves():
        present, sound = library.files(shelf), dict[str, str | None]()
        older: set[str] = set()
        for name in reversed(library.names(shelf)):
            try:
                manifest, signed = library.read(shelf, name)
            except SnapshotError as error:
                yield _unreadable(shelf, name, error)
                continue
            fault = _fault(library, shelf, manifest, present, sound if content else None)
            yield _examined(shelf, name, manifest, older, signed=signed, fault=fault)
            older |= {file.sha256 for file in manifest.files}


def _fault(
    library: Library,
    shelf: Shelf,
    manifest: SnapshotManifest,
    present: dict[str, Entry],
    sound: dict[str, str | None] | None,
) -> str | None:
    """What is wrong with the files of a snapshot; `sound` remembers those that were read."""
    for file in missing(manifest, present):
        if file.sha256 not in present:
            return f"{file.name} ({file.sha256[:12]}) is missing"
        return f"{file.name} has {present[file.sha256].bytes} bytes, expected {file.bytes}"
    if sound is None:
        return None
    for file in manifest.files:
        if file.sha256 not in sound:
            sound[file.sha256] = _damage(library, shelf, file)
        if sound[file.sha256] is not None:
            return f"{file.name} {sound[file.sha256]}"
    return None


def _damage(library: Library, shelf: Shelf, file: SnapshotFile) -> str | None:
    with tempfile.TemporaryDirectory(prefix="freshrec-") as folder:
        copy = Path(folder) / file.name
        library.get(shelf, file, copy)
        found = digest_of(copy)
    return (
        None if found == file.sha256 else f"was changed: its digest is {found[:12]}, not {file.sha256[:12]}"
    )


def _examined(
    shelf: Shelf,
    name: ManifestName,
    manifest: SnapshotManifest,
    older: set[str],
    *,
    signed: bool,
    fault: str | None,
) -> Examined:
    return Examined(
        shelf.stage,
        shelf.partition,
        manifest.epoch,
        manifest.next_offset,
        str(name),
        manifest.created_at,
        len(manifest.files),
        manifest.bytes,
        sum(file.bytes for file in manifest.files if file.sha256 not in older),
        signed,
        fault,
    )


def _unreadable(shelf: Shelf, name: ManifestName, error: SnapshotError) -> Examined:
    fault = f"its manifest is refused: {error}"
    return Examined(
        *(shelf.stage, shelf.partition, name.epoch, name.offset, str(name)), None, 0, 0, 0, False, fault
    )
