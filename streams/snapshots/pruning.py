"""Dropping old snapshots: manifests first, then the files that no remaining manifest names. Blocking.

Whoever prunes may have lost the partition meanwhile, and its owner may just be copying: a file that is
in no manifest is left alone until it is old, unless a manifest dropped here was the last to name it.
"""

import time
from collections.abc import Iterable

import msgspec

from schemas.snapshots import SnapshotManifest
from schemas.state import MetaRow
from streams.errors import SnapshotError
from streams.snapshots.library import Library, Shelf, missing
from streams.snapshots.manifest import ManifestName, learning_of, log_of

GRACE_S = 3600.0
"""So long a file may wait for the manifest that names it."""


class Pruned(msgspec.Struct, frozen=True):
    """What was dropped, and which snapshots of this store are left, the newest first."""

    dropped: list[ManifestName]
    files: int
    left: list[ManifestName]


def prune(library: Library, meta: MetaRow, keep: int) -> Pruned:
    """Keep the `keep` newest whole snapshots of a store, and drop what is older.

    Older ones of the same log go whatever settings they were learned under; those of another log are not
    ours to judge. A damaged one does not count as kept, and goes when it is older than all that are.

    Parameters
    ----------
    library : Library
        Where they are.
    meta : MetaRow
        Whose they are.
    keep : int
        How many, at least 1.

    Raises
    ------
    StorageError
        The library cannot be reached.
    """
    shelf = Shelf(meta.stage, meta.partition)
    present = library.files(shelf)
    read = {name: _read(library, shelf, name) for name in library.names(shelf)}
    same_log = [name for name in read if name.log == log_of(meta)]
    ours = [name for name in same_log if name.learning == learning_of(meta)]
    whole = [name for name in ours if (found := read[name]) is not None and not missing(found, present)]
    kept = whole[:keep]
    if len(kept) < keep:
        return Pruned([], 0, ours)
    dropped = [name for name in same_log if name[:2] < kept[-1][:2]]
    for name in dropped:
        library.remove(shelf, name)
    # Asked again: what was written meanwhile names files too.
    named = _named(_read(library, shelf, name) for name in library.names(shelf))
    freed = _named(read[name] for name in dropped)
    old = time.time() - GRACE_S
    unnamed = [
        digest
        for digest, entry in present.items()
        if digest not in named and (digest in freed or entry.written_at < old)
    ]
    for digest in unnamed:
        library.delete_file(shelf, digest)
    for left, entry in library.unfinished(shelf).items():
        if entry.written_at < old:
            library.delete_unfinished(shelf, left)
    return Pruned(dropped, len(unnamed), [name for name in ours if name not in dropped])


def _read(library: Library, shelf: Shelf, name: ManifestName) -> SnapshotManifest | None:
    try:
        return library.read(shelf, name)[0]
    except SnapshotError:
        return None


def _named(manifests: Iterable[SnapshotManifest | None]) -> set[str]:
    return {file.sha256 for manifest in manifests if manifest is not None for file in manifest.files}
