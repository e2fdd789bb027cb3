"""What `freshrec snapshot` does to stores that no worker holds: taking and restoring. Blocking.

Delivery: as by a worker; the worker that has a store in use is asked for a snapshot of it.
"""

import time
from pathlib import Path

import msgspec

from schemas.settings import Settings
from schemas.snapshots import SnapshotManifest
from streams.errors import SnapshotError, StateError
from streams.identity import differences_of, expected_meta
from streams.pseudonyms import pseudonyms_of
from streams.rocks_store import RocksBudget, RocksDatabase, StateLockedError
from streams.snapshots.fetching import gather, put_in_place, restoring
from streams.snapshots.library import Library, Shelf, absolute
from streams.snapshots.manifest import ManifestName
from streams.snapshots.pruning import prune
from streams.snapshots.requests import Created, ask, created
from streams.snapshots.taking import checkpoint, store
from streams.stages.opening import database_path
from streams.topology import STAGES

_OPENING_BYTES = 16 * 1024 * 1024
_TRIES = 3


class Restored(msgspec.Struct, frozen=True):
    """A snapshot that was put in place."""

    stage: str
    partition: int
    epoch: int
    offset: int
    files: int
    bytes: int


def stores_in(state_dir: Path, stage: str | None, partition: int | None) -> list[Shelf]:
    """Stage partitions that have a store in a state directory, of one stage or partition if named."""
    found = [
        Shelf(each.name, int(path.parent.name))
        for each in STAGES
        if each.keeps and stage in (None, each.name)
        for path in (state_dir / each.name).glob("*/CURRENT")
        if path.parent.name.isdigit()
    ]
    return sorted(_of(found, partition), key=lambda shelf: (shelf.stage, shelf.partition))


def shelves_of(library: Library, stage: str | None, partition: int | None) -> list[Shelf]:
    """Stage partitions that have snapshots, of one stage or partition if named."""
    known = {each.name for each in STAGES if each.keeps}
    wanted = known if stage is None else {stage}
    found = [shelf for shelf in library.shelves() if shelf.stage in wanted and library.names(shelf)]
    return _of(found, partition)


def _of(shelves: list[Shelf], partition: int | None) -> list[Shelf]:
    return [shelf for shelf in shelves if partition in (None, shelf.partition)]


def create_or_ask(library: Library, state_dir: Path, shelf: Shelf, *, keep: int) -> Created:
    """Take a snapshot of a store or, where a worker holds it, have the worker take it.

    Raises
    ------
    StateError
        It is damaged, or who holds it does not answer.
    StorageError
        The library cannot be reached, by the worker if that holds the store.
    """
    for _ in range(_TRIES - 1):
        try:
            return create(library, state_dir, shelf, keep=keep)
        except StateLockedError:
            url = absolute(library.storage.url)
            made = ask(state_dir, shelf, url, held=lambda: _in_use(state_dir, shelf))
        if made is not None:
            return made
    return create(library, state_dir, shelf, keep=keep)


def _in_use(state_dir: Path, shelf: Shelf) -> bool:
    path = database_path(state_dir, shelf.stage, shelf.partition)
    try:
        RocksDatabase(path, RocksBudget(_OPENING_BYTES), cache_bytes=1).close()
    except StateLockedError:
        return True
    return False


def create(library: Library, state_dir: Path, shelf: Shelf, *, keep: int) -> Created:
    """Take a snapshot of a store, and drop what is older than the `keep` newest.

    Raises
    ------
    StateLockedError
        A worker holds it.
    StateError
        It is damaged.
    """
    path = database_path(state_dir, shelf.stage, shelf.partition)
    database = RocksDatabase(path, RocksBudget(_OPENING_BYTES), cache_bytes=1)
    try:
        taken = checkpoint(database, state_dir)
    finally:
        database.close()
    try:
        stored = store(library, taken, now_ms=time.time_ns() // 1_000_000)
        pruned = prune(library, taken.meta, keep)
    finally:
        taken.discard()
    return created(stored, pruned)


def restore(library: Library, settings: Settings, shelf: Shelf, state_dir: Path) -> Restored:
    """Put the newest whole snapshot of a stage partition that fits the settings into a state directory.

    Where there are snapshots of several logs (a topic that was made anew), those of the log that was
    written to last count. Whether that is the log of the broker, the worker checks when it opens the store.

    Raises
    ------
    StateError
        None fits and is whole; the message says what is wrong with each.
    """
    path = database_path(state_dir, shelf.stage, shelf.partition)
    reasons: list[str] = []
    fitting: list[tuple[ManifestName, SnapshotManifest]] = []
    for name in library.names(shelf):
        try:
            fitting.append((name, _fitting(library, settings, shelf, name)))
        except SnapshotError as error:
            reasons.append(f"{name}: {error}")
    log = max(fitting, key=lambda pair: pair[1].created_at)[0].log if fitting else ""
    for name, manifest in fitting:
        if name.log != log:
            continue
        with restoring(path) as folder:
            try:
                gather(library, manifest, folder, lambda _: None)
            except SnapshotError as error:
                reasons.append(f"{name}: {error}")
                continue
            put_in_place(folder, path)
        return Restored(
            *(shelf.stage, shelf.partition, name.epoch, name.offset, len(manifest.files), manifest.bytes)
        )
    raise StateError(f"no snapshot of {shelf} can be restored ({'; '.join(reasons)})")


def _fitting(library: Library, settings: Settings, shelf: Shelf, name: ManifestName) -> SnapshotManifest:
    """A snapshot whose settings are ours.

    Raises
    ------
    SnapshotError
        It is damaged, or was learned under other settings.
    """
    manifest, _ = library.read(shelf, name)
    origin = manifest.origin
    expected = expected_meta(
        shelf.stage,
        shelf.partition,
        origin.partitions,
        settings,
        source=origin.topic,
        cluster=origin.cluster_id,
        topic_id=origin.topic_id,
        pseudonym_key=pseudonyms_of(settings.privacy).fingerprint,
    )
    different = differences_of(origin, expected)
    if different:
        raise SnapshotError(f"made under other settings: {'; '.join(different)}")
    return manifest
