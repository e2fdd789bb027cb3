"""Proving stores: each is counted again from the log on Kafka, and compared row by row.

Reads only, also beside a running worker: what is compared is its last flush. The log up to the offset in the
store is recounted in a folder of its own: from where the store began or, where the log does not reach back
so far, from the oldest snapshot that it does reach.
"""

import tempfile
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from time import perf_counter
from typing import Final

import msgspec

from schemas.settings import Settings
from schemas.state import MetaRow, ProgressRow
from streams.errors import GapError, StateError, StorageError
from streams.identity import differences_of
from streams.offsets import offset_ranges
from streams.rocks_store import RocksBudget, RocksDatabase
from streams.snapshots.library import open_library
from streams.stages.opening import database_path
from streams.stages.partition import KeptPartition
from streams.state.base import put_base
from streams.state.compare import RowPair, pairs, progress_differences, same
from streams.state.recorded import records_of
from streams.state.recount import CACHE_BYTES, recount
from streams.state.stores import Cluster, StorePlace, open_to_read

SHOWN: Final = 10
"""Rows that differ which are named; all are counted."""


class Difference(msgspec.Struct, frozen=True):
    """A row, or the progress, that is not what the log makes it; digests, since rows are personal data."""

    key: str
    expected: str | None
    found: str | None


class Verified(msgspec.Struct, kw_only=True):
    """What was found of one store; `problem` says why it could not be recounted, if so.

    `base` is the offset of the snapshot that was counted on from; what it holds was taken as it is.
    """

    stage: str
    partition: int
    epoch: int = 0
    begins_at: int = 0
    base: int | None = None
    upto: int = 0
    rows: int = 0
    differing: int = 0
    differences: list[Difference] = []
    problem: str | None = None
    seconds: float = 0.0

    @property
    def well(self) -> bool:
        """Whether the store is proven to be what its input makes it."""
        return not self.differing and self.problem is None


class Verification:
    """Recounts stores of one state directory.

    Parameters
    ----------
    settings : Settings
        Those of the worker: broker, state.dir and what decides what is learned.
    cluster : Cluster
        Ids of the Kafka cluster and of its topics.
    scratch : Path or None
        Where there is as much room as the largest store takes; by default where temporary files are.
    show_keys : bool
        Name rows by their keys, which hold ids of customers; else by a digest.
    """

    def __init__(
        self,
        settings: Settings,
        cluster: Cluster,
        scratch: Path | None = None,
        *,
        url: str | None = None,
        show_keys: bool = False,
    ) -> None:
        self._settings, self._cluster, self._scratch, self._url = settings, cluster, scratch, url
        self._show_keys = show_keys
        self._budget = RocksBudget(settings.state.rocksdb_bytes)

    def verify(self, place: StorePlace) -> Verified:
        """Recount one store and compare it."""
        started = perf_counter()
        path = database_path(Path(self._settings.state.dir), *place)
        done = Verified(stage=place.stage, partition=place.partition)
        with closing(open_to_read(path, self._budget, cache_bytes=CACHE_BYTES)) as stored:
            try:
                self._verify(stored, done)
            except (GapError, CannotRecountError, StorageError) as error:
                done.problem = str(error)
        done.seconds = round(perf_counter() - started, 3)
        return done

    def _verify(self, stored: RocksDatabase, done: Verified) -> None:
        meta, progress = stored.meta(), stored.progress()
        if meta is None:
            raise CannotRecountError("it was never stamped: nothing was learned here")
        done.epoch, done.begins_at, done.upto = meta.epoch, meta.begins_at, progress.next_offset
        self._check_identity(meta)
        reason, first = self._check_log(meta, progress)
        with tempfile.TemporaryDirectory(prefix="freshrec-verify-", dir=self._scratch) as folder:
            if reason is not None:
                done.base = self._put_base(meta, Path(folder), first, progress.next_offset, reason)
            begin = meta.begins_at if done.base is None else done.base
            records = records_of(
                self._settings.kafka, meta.topic, meta.partition, first=begin, end=progress.next_offset
            )
            part = recount(meta, records, self._settings, Path(folder), self._budget)
            with closing(part.database):
                self._compare(part, stored, progress, done)

    def _put_base(self, meta: MetaRow, folder: Path, first: int, upto: int, reason: str) -> int:
        """Begin with a snapshot; its offset."""
        library = open_library(self._settings, self._url)
        path = database_path(folder, meta.stage, meta.partition)
        base = put_base(library, meta, path, first=first, upto=upto)
        if base is None:
            raise CannotRecountError(
                f"{reason}. A snapshot at an offset from {first} to {upto} would do to count on from; there "
                f"is none that is whole at {library.storage.url} (`freshrec snapshot create` takes one)"
            )
        return base

    def _check_identity(self, meta: MetaRow) -> None:
        expected = self._cluster.meta_of(StorePlace(meta.stage, meta.partition), self._settings)
        differences = differences_of(meta, expected)
        if differences:
            raise CannotRecountError(f"the settings or the cluster are not its own: {'; '.join(differences)}")

    def _check_log(self, meta: MetaRow, progress: ProgressRow) -> tuple[str | None, int]:
        """Why it can't be counted from its beginning, if so, and from which offset on it can."""
        topic = self._settings.kafka.topic_prefix + meta.topic
        ranges = offset_ranges(self._settings.kafka, {topic: meta.partitions})
        first, end = ranges[topic, meta.partition]
        if end < progress.next_offset:
            raise CannotRecountError(
                f"{topic}/{meta.partition} ends at offset {end}, but the store has read up to "
                f"{progress.next_offset}: the topic lost records, or is another one"
            )
        migrated_at = meta.migrated_at or 0
        if migrated_at > max(first, meta.begins_at):
            return (
                f"up to offset {migrated_at} it was learned under other settings (freshrec migrate), which "
                f"are not known any more; freshrec reset {meta.stage} begins anew"
            ), migrated_at
        if first > meta.begins_at and progress.next_offset > meta.begins_at:
            return (
                f"{topic}/{meta.partition} begins at offset {first} now and the store at {meta.begins_at}: "
                f"retention removed what lies between, so it cannot be recounted from there; a longer "
                f"kafka.retention_hours keeps more"
            ), first
        return None, first

    def _compare(
        self, part: KeptPartition, stored: RocksDatabase, progress: ProgressRow, done: Verified
    ) -> None:
        for text in progress_differences(part.progress, progress):
            done.differing += 1
            done.differences.append(Difference(f"progress: {text}", None, None))
        for pair in pairs(part.database, stored):
            done.rows += 1
            if not same(part.database, pair):
                done.differing += 1
                if len(done.differences) < SHOWN:
                    done.differences.append(self._named(pair))

    def _named(self, pair: RowPair) -> Difference:
        key = pair.key.decode(errors="backslashreplace") if self._show_keys else _digest(pair.key)
        return Difference(key or "", _digest(pair.expected), _digest(pair.found))


class CannotRecountError(StateError):
    """The log, or what the store says of itself, does not allow it to be counted again."""


def _digest(raw: bytes | None) -> str | None:
    return None if raw is None else blake2b(raw, digest_size=8).hexdigest()
