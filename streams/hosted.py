"""One stage in one partition as a worker hosts it: where it stands, and when it was flushed."""

from time import perf_counter

import msgspec

from schemas.settings import StateSettings
from streams.rocks_store import Frozen, RocksDatabase
from streams.stages.partition import StagePartition

WORK_WINDOW_S = 1.0


class Hosted:
    """A stage partition under a worker's care.

    Parameters
    ----------
    part : StagePartition
        The stage.
    database : RocksDatabase or None
        Its store; None for a stage without state.
    topic : str
        Source topic with prefix.
    partition : int
        Its partition.
    next_offset : int
        Where to read on.
    calm_ms : int
        Without input for so long, it is idle.
    """

    def __init__(
        self,
        part: StagePartition,
        database: RocksDatabase | None,
        topic: str,
        partition: int,
        next_offset: int,
        *,
        calm_ms: int,
    ) -> None:
        self.part, self.database, self._calm_s = part, database, calm_ms / 1000
        self.topic, self.partition = topic, partition
        self.generation = -1
        self.flushed = next_offset
        self.high = next_offset
        part.progress.next_offset = next_offset
        self.applied_at = self._flushed_at = perf_counter()
        self._flush_s = 0.0
        self._worked_s = 0.0
        self._work_since = self.applied_at

    @property
    def next_offset(self) -> int:
        """Offset of the next record to apply."""
        return self.part.progress.next_offset

    @property
    def lag(self) -> int:
        """Records of the source that are not applied yet, as far as is known."""
        return max(0, self.high - self.next_offset)

    @property
    def idle(self) -> bool:
        """Whether no input waits and none came for a moment: time to look for what is stale."""
        return not self.lag and perf_counter() - self.applied_at >= self._calm_s

    def may_work(self, share: float) -> bool:
        """Whether publishing took less than its share of the time of late; idle, it may always."""
        elapsed = perf_counter() - self._work_since
        if elapsed > WORK_WINDOW_S:
            self._work_since, self._worked_s = perf_counter(), self._worked_s - share * elapsed
            self._worked_s = max(0.0, self._worked_s)
            elapsed = 0.0
        return self._worked_s <= share * elapsed or self.idle

    def worked(self, seconds: float) -> None:
        """Note time that was spent on publishing."""
        self._worked_s += seconds

    def flush_due(self, settings: StateSettings, *, among: int) -> bool:
        """Whether a cut is due: after the interval, stretched so that flushing takes a bounded share.

        `among` is how many stores the process flushes, which have that share together. Where nothing comes
        in, flushing is in nobody's way: then the interval is not stretched.

        A stage whose rows are large then flushes less often under load; it re-reads more of its input
        after a crash, and counts exactly the same.
        """
        dirty = self.database.dirty if self.database else 0
        if not dirty and self.next_offset == self.flushed:
            return False
        if self.overfull(settings, among=among):
            return True
        interval = settings.flush_interval_ms / 1000
        if not self.idle:
            interval = max(interval, self._flush_s * among / settings.flush_max_share)
        return perf_counter() - self._flushed_at >= min(interval, settings.flush_max_interval_ms / 1000)

    def overfull(self, settings: StateSettings, *, among: int) -> bool:
        """Whether so much changed that nothing more may be learned before it is on disk."""
        database = self.database
        return database is not None and (
            database.dirty > settings.flush_max_rows
            or database.dirty_bytes > settings.flush_max_bytes // among
        )

    def cut(self) -> tuple[Frozen | None, int]:
        """Seal outputs and freeze state and progress, in one synchronous step."""
        self.part.end_batch()
        return self.part.freeze(), self.next_offset

    def flushed_up_to(self, offset: int, *, started: float) -> float:
        """Note that everything up to `offset` is on disk; how long that took, in seconds."""
        if self.database is not None:
            self.database.thaw()
        self.flushed = offset
        self._flushed_at = perf_counter()
        self._flush_s = self._flushed_at - started
        return self._flush_s

    def close(self) -> None:
        """Let go of the store."""
        self.generation = -1
        if self.database is not None:
            self.database.close()


class Slice(msgspec.Struct):
    """A bounded piece of CPU time between two yields to the event loop."""

    ends: float

    @classmethod
    def of(cls, seconds: float) -> "Slice":
        """A slice that begins now."""
        return cls(perf_counter() + seconds)

    @property
    def over(self) -> bool:
        """Whether it is time to yield."""
        return perf_counter() >= self.ends
