"""Restoring in a running worker: in a thread, with progress for logs, metrics and readiness.

A worker is ready once each partition that it restored has read on to the end of its log.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from faust.types import TP

from schemas.snapshots import SnapshotManifest
from streams.hosted import Hosted
from streams.monitoring import Metrics
from streams.snapshots.fetching import Progress
from streams.snapshots.library import Library
from streams.snapshots.restoring import Wanted, prepare

logger = logging.getLogger(__name__)
TELL_EVERY_S = 5.0


class Relocation:
    """Brings state to where a partition is now.

    Parameters
    ----------
    library : Library or None
        Where snapshots are; None restores nothing.
    metrics : Metrics
        Counts what is restored.
    """

    def __init__(self, library: Library | None, metrics: Metrics) -> None:
        self.library, self._metrics = library, metrics
        self.bytes_restored = 0
        self._now: str | None = None
        self._behind: set[tuple[str, int]] = set()
        # Not the loop's own threads: those are waited for when a worker is told to stop.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="restore")

    async def prepare(self, tp: TP, wanted: Wanted) -> None:
        """See `streams.snapshots.restoring.prepare`."""
        if self.library is None:
            return
        loop = asyncio.get_running_loop()
        try:
            restored = await loop.run_in_executor(
                self._thread, prepare, self.library, wanted, self._begin_telling
            )
        finally:
            self._now = None
        if restored is not None:
            text = "restored %s; it reads on at offset %d"
            logger.info(text, wanted.shelf, restored.next_offset, extra=wanted.shelf.place)
            self._behind.add((tp.topic, tp.partition))

    def _begin_telling(self, manifest: SnapshotManifest) -> Progress:
        """Tell that a snapshot is being restored, and every few seconds how much of it is here."""
        place, files, total = f"{manifest.stage}/{manifest.partition}", len(manifest.files), manifest.bytes
        logger.info(
            "restoring %s from epoch %d, offset %d: %d files, %d bytes",
            *(place, manifest.epoch, manifest.next_offset, files, total),
        )
        counter = self._metrics.restore_bytes.labels(stage=manifest.stage)
        arrived, many, told = 0, 0, monotonic()
        self._now = f"restoring {place}, {total} bytes"

        def progress(size: int) -> None:
            nonlocal arrived, many, told
            arrived, many = arrived + size, many + 1
            counter.inc(size)
            self.bytes_restored += size
            self._now = f"restoring {place}, {arrived} of {total} bytes are here"
            if monotonic() - told >= TELL_EVERY_S:
                told = monotonic()
                logger.info("%s, %d of %d files", self._now, many, files)

        return progress

    def catching_up(self, hosted: Hosted) -> bool:
        """Whether a partition was restored and has not been at the end of its log since."""
        place = (hosted.topic, hosted.partition)
        if place in self._behind and hosted.generation >= 0 and not hosted.lag:
            self._behind.discard(place)
        return place in self._behind

    def reasons(self, hosted: Iterable[Hosted]) -> Iterator[str]:
        """Why the process is not ready, in words."""
        if self._now is not None:
            yield self._now
        for each in hosted:
            if self.catching_up(each):
                yield f"{each.part.stage}/{each.partition} was restored and has {each.lag} records to read"
