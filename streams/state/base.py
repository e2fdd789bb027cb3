"""A snapshot to count on from, where the log no longer reaches back to where a store began.

What was learned before it is taken from it as it is; its files are checked, its counts cannot be.
"""

from pathlib import Path

from schemas.state import MetaRow
from streams.errors import SnapshotError, StorageError
from streams.snapshots.fetching import gather
from streams.snapshots.library import Library, Shelf
from streams.snapshots.manifest import learning_of, log_of


def put_base(library: Library, meta: MetaRow, path: Path, *, first: int, upto: int) -> int | None:
    """Put the oldest snapshot of a store that can be counted on from into a folder; its offset, if any.

    Parameters
    ----------
    library : Library
        Where snapshots are.
    meta : MetaRow
        Of the store: the snapshot has to be of its log, its settings and its epoch.
    path : Path
        An empty folder, which is made.
    first, upto : int
        Where the log begins, and how far the store has read it.

    Raises
    ------
    StorageError
        The library cannot be reached.
    """
    shelf, wanted = Shelf(meta.stage, meta.partition), (log_of(meta), learning_of(meta))
    path.mkdir(parents=True)
    for name in reversed(library.names(shelf)):
        if name[2:] == wanted and name.epoch == meta.epoch and first <= name.offset <= upto:
            try:
                gather(library, library.read(shelf, name)[0], path, lambda _: None)
            except (SnapshotError, StorageError):
                # Damaged, or dropped by the worker just now: the next one is newer.
                continue
            return name.offset
    for left in path.iterdir():
        left.unlink()
    path.rmdir()
    return None
