"""Snapshots by a running worker: every interval of what moved, of all that moved when it stops, when asked.

Delivery: each belongs to the offset flushed last; before one that is due is taken, its store is flushed.
One at a time in a process, copied in a thread; one that fails is logged, counted and tried again, and never
holds up what is learned.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import msgspec

from schemas.state import MetaRow
from streams.errors import SnapshotError
from streams.hosted import Hosted
from streams.rocks_store import RocksDatabase
from streams.runtime import Runtime
from streams.snapshots.library import Library, Shelf, absolute, open_library
from streams.snapshots.manifest import learning_of, log_of
from streams.snapshots.pruning import Pruned, prune
from streams.snapshots.requests import Answer, Created, Request, answer, created, pending, taken
from streams.snapshots.taking import Checkpointed, Digests, Stored, store
from streams.stages.partition import StageContext

logger = logging.getLogger(__name__)
CHECK_INTERVAL_S = 0.5
RETRY_S = 30.0
SHUTDOWN_S = 4.0
"""A worker has to be gone in under 10 s, whatever it could not copy."""


class Known(msgspec.Struct):
    """What is known of a store's snapshots: positions (epoch, offset), the newest first, and when it was."""

    kept: list[tuple[int, int]]
    taken_at: int
    not_before: float = 0.0

    def moved(self, position: tuple[int, int]) -> bool:
        """Whether a store at this position has what no snapshot has."""
        return position > (self.kept[0] if self.kept else (0, 0))


class _Held(NamedTuple):
    """A hosted stage partition with a store."""

    hosted: Hosted
    database: RocksDatabase
    meta: MetaRow

    @property
    def position(self) -> tuple[int, int]:
        return self.meta.epoch, self.hosted.next_offset

    @property
    def shelf(self) -> Shelf:
        return Shelf(self.meta.stage, self.meta.partition)


class Snapshotter:
    """Takes the snapshots of a worker process.

    Parameters
    ----------
    runtime : Runtime
        Its stage partitions.
    library : Library or None
        Where to; None takes only what is asked for.
    context : StageContext
        Settings, clock and metrics.
    """

    def __init__(self, runtime: Runtime, library: Library | None, context: StageContext) -> None:
        self._runtime, self._library, self._metrics = runtime, library, context.metrics
        self._settings, self._now_ms = context.settings, context.now_ms
        self._state_dir = Path(context.settings.state.dir)
        self._known: dict[Hosted, Known] = {}
        self._digests = Digests()
        self._one_at_a_time = asyncio.Lock()
        # Not the loop's own threads: those are waited for when a worker is told to stop.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="snapshots")

    async def run(self) -> None:
        """Take what is asked for and what is due, for ever."""
        while True:
            await asyncio.sleep(CHECK_INTERVAL_S)
            await self.take_requested()
            await self.take_due()

    async def take_requested(self) -> None:
        """Take what `freshrec snapshot create` asks for, of the stores of this process."""
        for path, request in list(pending(self._state_dir)):
            asked = Shelf(request.stage, request.partition)
            for held in self._held():
                if held.shelf == asked:
                    with taken(path) as ours:
                        if ours:
                            answer(path, await self._answer(held, request))

    async def _answer(self, held: _Held, request: Request) -> Answer:
        own = self._library
        try:
            if own is None or absolute(own.storage.url) != request.url:
                own = open_library(self._settings, request.url)
            await self._runtime.flush(held.hosted)
            created = await self._copy(held, own)
        except Exception as error:
            text = "a snapshot of %s that was asked for failed: %s"
            logger.warning(text, held.shelf, error, extra=held.shelf.place)
            self._metrics.snapshots.labels(stage=held.meta.stage, result="failed").inc()
            return Answer(error=str(error))
        return Answer(created, None if created else "its partition was moved to another worker just now")

    async def take_due(self) -> None:
        """Take what is due now, one after the other."""
        if self._library is None:
            return
        for held in self._held():
            if await self._due(held):
                await self._take(held)
        self._measure()

    async def at_shutdown(self) -> None:
        """Take all that moved, as far as there is time."""
        if self._library is None or not self._settings.snapshot.at_shutdown:
            return
        try:
            await asyncio.wait_for(self._take_all(), timeout=SHUTDOWN_S)
        except TimeoutError:
            logger.warning("stopping before all snapshots were copied: %.0f s are over", SHUTDOWN_S)

    async def _take_all(self) -> None:
        for held in self._held():
            known = await self._look(held)
            if known is None or known.moved(held.position):
                await self._take(held)

    def oldest_offset(self, hosted: Hosted) -> int | None:
        """Where the oldest snapshot kept of this epoch reads on; None if there is none, or not known yet."""
        known = self._known.get(hosted)
        if known is None or not known.kept:
            return None
        epoch = known.kept[0][0]
        return min(offset for each, offset in known.kept if each == epoch)

    def _held(self) -> list[_Held]:
        hosted = [each for each in self._runtime.hosted.values() if each.database is not None]
        for gone in self._known.keys() - set(hosted):
            del self._known[gone]
        found = ((each, each.database, each.database.meta()) for each in hosted if each.database is not None)
        return [_Held(each, database, meta) for each, database, meta in found if meta is not None]

    async def _due(self, held: _Held) -> bool:
        known = await self._look(held)
        if known is None or not known.moved(held.position) or monotonic() < known.not_before:
            return False
        new_epoch = not known.kept or held.meta.epoch > known.kept[0][0]
        return new_epoch or self._now_ms() - known.taken_at >= self._settings.snapshot.interval_s * 1000

    async def _look(self, held: _Held) -> Known | None:
        """What is known of a store's snapshots, asked once; None while the library cannot be reached."""
        known = self._known.get(held.hosted)
        if known is not None or self._library is None:
            return known
        loop = asyncio.get_running_loop()
        try:
            known = await loop.run_in_executor(self._thread, _known, self._library, held.meta)
        except Exception as error:
            self._failed(held, error)
            return None
        self._known[held.hosted] = known
        return known

    async def _take(self, held: _Held) -> None:
        if self._library is None:
            return
        try:
            await self._runtime.flush(held.hosted)
            await self._copy(held, self._library)
        except Exception as error:
            self._failed(held, error)

    async def _copy(self, held: _Held, library: Library) -> Created | None:
        """Take a snapshot of what was flushed last; None if the partition is no longer held."""
        async with self._one_at_a_time:
            loop = asyncio.get_running_loop()
            started = monotonic()
            checkpointed = await self._runtime.checkpoint(held.hosted)
            if checkpointed is None:
                return None
            stored, pruned = await loop.run_in_executor(self._thread, self._store, library, checkpointed)
            if library is self._library:
                kept = [name[:2] for name in pruned.left]
                self._known[held.hosted] = Known(kept, stored.manifest.created_at)
            stage = held.meta.stage
            self._metrics.snapshots.labels(stage=stage, result="done").inc()
            self._metrics.snapshot_bytes.labels(stage=stage).inc(stored.new_bytes)
            logger.info(
                "snapshot of %s at epoch %d, offset %d: %d of %d files were new, %d bytes, %.1f s",
                *(held.shelf, held.meta.epoch, checkpointed.next_offset, stored.new_files),
                *(len(stored.manifest.files), stored.new_bytes, monotonic() - started),
                extra=held.shelf.place,
            )
            return created(stored, pruned)

    def _store(self, library: Library, checkpointed: Checkpointed) -> tuple[Stored, Pruned]:
        """Copy a checkpoint and drop what is too old. In the thread."""
        try:
            stored = store(library, checkpointed, now_ms=self._now_ms(), digests=self._digests)
            return stored, prune(library, checkpointed.meta, self._settings.snapshot.keep)
        finally:
            checkpointed.discard()

    def _failed(self, held: _Held, error: Exception) -> None:
        """Whatever went wrong, learning goes on; the log of the source is still there."""
        text = "no snapshot of %s could be taken, trying again: %s"
        logger.warning(text, held.shelf, error, extra=held.shelf.place)
        self._metrics.snapshots.labels(stage=held.meta.stage, result="failed").inc()
        known = self._known.setdefault(held.hosted, Known([], 0))
        known.not_before = monotonic() + RETRY_S

    def _measure(self) -> None:
        ages: dict[str, float] = {}
        for held in self._held():
            known = self._known.get(held.hosted)
            moved = known is not None and known.taken_at and known.moved(held.position)
            age = (self._now_ms() - known.taken_at) / 1000 if known is not None and moved else 0.0
            ages[held.meta.stage] = max(age, ages.get(held.meta.stage, 0.0))
        for stage, age in ages.items():
            self._metrics.snapshot_age.labels(stage=stage).set(age)


def _known(library: Library, meta: MetaRow) -> Known:
    """The snapshots of a store that is opened, by their names; when the newest that can be read was taken."""
    shelf = Shelf(meta.stage, meta.partition)
    wanted = (log_of(meta), learning_of(meta))
    names = [name for name in library.names(shelf) if name[2:] == wanted]
    for name in names:
        try:
            return Known([each[:2] for each in names], library.read(shelf, name)[0].created_at)
        except SnapshotError as error:
            logger.warning("snapshot %s of %s cannot be read: %s", name, shelf, error, extra=shelf.place)
    return Known([], 0)
