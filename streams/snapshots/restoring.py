"""Which state a stage partition goes on from: the one on this disk, a snapshot, or none.

Any state whose next offset the log still has leads to the same end, since state is a function of the log.
So what is on this disk is preferred, being nearest, and a snapshot is used where there is nothing, where
the log no longer reaches back to it, or where it is of an epoch that was given up.
"""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from schemas.snapshots import SnapshotManifest
from schemas.state import MetaRow
from streams.errors import SnapshotError, StateError, StorageError
from streams.identity import differences_of
from streams.rocks_store import StateLockedError
from streams.snapshots.fetching import Progress, gather, position_of, put_in_place, restoring
from streams.snapshots.library import Library, Shelf
from streams.snapshots.manifest import ManifestName, log_of, name_of

logger = logging.getLogger(__name__)
_SHOWN_REASONS = 3


class Wanted(msgspec.Struct, frozen=True):
    """A store that is about to be opened: whose it has to be, where, and where its log begins."""

    meta: MetaRow
    path: Path
    earliest: int

    @property
    def shelf(self) -> Shelf:
        """Where its snapshots are."""
        return Shelf(self.meta.stage, self.meta.partition)


class _Choice:
    """The usable snapshots, the newest first, and why others are not."""

    def __init__(self, library: Library, wanted: Wanted) -> None:
        self._library, self._wanted = library, wanted
        self.names = library.names(wanted.shelf)
        self.reasons: list[str] = []

    @property
    def epoch(self) -> int:
        """The highest epoch that any snapshot of this log is of."""
        log = log_of(self._wanted.meta)
        return max((name.epoch for name in self.names if name.log == log), default=0)

    def usable(self, above: tuple[int, int]) -> Iterator[SnapshotManifest]:
        """Snapshots beyond (epoch, offset) that fit; whether their files are whole is not known yet."""
        for name in self.names:
            if name[:2] > above:
                try:
                    yield self._checked(name)
                except SnapshotError as error:
                    self.refuse(name, error)

    def _checked(self, name: ManifestName) -> SnapshotManifest:
        manifest, _ = self._library.read(self._wanted.shelf, name)
        different = differences_of(manifest.origin, self._wanted.meta)
        if different:
            raise SnapshotError(f"made for something else: {'; '.join(different)}")
        if manifest.next_offset < self._wanted.earliest:
            raise SnapshotError(
                f"it reads on at offset {manifest.next_offset}, and the log begins at {self._wanted.earliest}"
            )
        if manifest.epoch < self.epoch:
            raise SnapshotError(f"it is of epoch {manifest.epoch}, which epoch {self.epoch} replaced")
        return manifest

    def refuse(self, name: ManifestName, error: Exception) -> None:
        """Note why a snapshot is not used."""
        shelf = self._wanted.shelf
        logger.warning("snapshot %s of %s is not used: %s", name, shelf, error, extra=shelf.place)
        self.reasons.append(f"{name}: {error}")

    def in_words(self) -> str:
        """What was found at the URL, and why it is of no use."""
        if not self.reasons:
            return f"there is no snapshot of it at {self._library.storage.url}"
        shown = "; ".join(self.reasons[:_SHOWN_REASONS])
        return f"no snapshot of it at {self._library.storage.url} can be used ({shown})"


def prepare(
    library: Library, wanted: Wanted, started: Callable[[SnapshotManifest], Progress]
) -> SnapshotManifest | None:
    """See to it that the right state is in place before a store is opened (blocking).

    Nothing on this disk: the highest (epoch, offset) whose snapshot fits and is whole; a damaged one is
    logged and the next older one taken. None at all: the stage starts anew, if its log is whole and it
    never was in a later epoch. Something on this disk: it stays, unless the log begins above its offset
    or there are snapshots of a higher epoch; then the best snapshot above it takes its place.

    Parameters
    ----------
    library : Library
        Where snapshots are.
    wanted : Wanted
        The store.
    started : callable
        Told of each snapshot that is tried; what it returns is told of the bytes that arrived.

    Returns
    -------
    SnapshotManifest or None
        What was restored; None if what is on this disk, or a new store, is to be opened.

    Raises
    ------
    StateError
        Nothing can be gone on from; the message says what was found and what to do.
    StorageError
        Snapshots are needed and cannot be reached.
    """
    local = position_of(wanted.path)
    reachable = local is not None and local[1] >= wanted.earliest
    try:
        choice = _Choice(library, wanted)
    except StorageError as error:
        if not reachable:
            raise
        logger.warning("%s goes on from this disk: %s", wanted.shelf, error, extra=wanted.shelf.place)
        return None
    if reachable and local is not None and local[0] >= choice.epoch:
        return None
    restored = _restore(library, wanted, choice, local, started)
    if restored is None and (local is not None or wanted.earliest > 0 or choice.epoch > 0):
        raise StateError(_nothing_to_go_on_from(wanted, choice, local))
    return restored


def _restore(
    library: Library,
    wanted: Wanted,
    choice: _Choice,
    local: tuple[int, int] | None,
    started: Callable[[SnapshotManifest], Progress],
) -> SnapshotManifest | None:
    with restoring(wanted.path) as folder:
        if position_of(wanted.path) != local:
            raise StateLockedError(f"{wanted.path} was changed by another process just now; look again")
        for manifest in choice.usable(local or (-1, -1)):
            try:
                gather(library, manifest, folder, started(manifest))
            except SnapshotError as error:
                choice.refuse(name_of(manifest), error)
                continue
            put_in_place(folder, wanted.path)
            return manifest
    return None


def _nothing_to_go_on_from(wanted: Wanted, choice: _Choice, local: tuple[int, int] | None) -> str:
    shelf, topic = wanted.shelf, wanted.meta.topic
    if local is None:
        here = f"{wanted.path} is empty"
    else:
        here = f"{wanted.path} is at epoch {local[0]}, offset {local[1]}"
    return (
        f"stage {shelf} cannot go on: {here}, {topic} begins at offset {wanted.earliest}, and "
        f"{choice.in_words()}. Bring back the snapshots (`freshrec snapshot list` shows what is there), or "
        f"start the stage anew with `freshrec reset {shelf.stage}`; then raise kafka.retention_hours"
    )
