"""Watching that what arrives is applied: lag that does not move ends the process with a reason."""

import asyncio
import logging
from collections.abc import Iterator
from time import monotonic

from prometheus_client import Counter

from streams.errors import FreshrecError
from streams.hosted import Hosted
from streams.monitoring import Metrics
from streams.runtime import Runtime
from streams.stages.history import HistoryPartition

logger = logging.getLogger(__name__)
CHECK_INTERVAL_S = 1.0
BROKER_WAIT_S = 5.0


class StuckError(FreshrecError):
    """Nothing was applied for too long although records wait."""


class Watchdog:
    """Compares where the stages stand with where their sources end.

    Parameters
    ----------
    runtime : Runtime
        The stage partitions of this process.
    metrics : Metrics
        Lag, sizes and the age of the last progress are kept there.
    limit_s : float
        How long lag may stand still.
    """

    def __init__(self, runtime: Runtime, metrics: Metrics, limit_s: float) -> None:
        self._runtime, self._metrics, self._limit = runtime, metrics, limit_s
        self._moved_at = monotonic()
        self._sum = -1
        self._lag = 0
        self._places: set[tuple[str, str]] = set()

    @property
    def age_s(self) -> float:
        """Seconds since anything moved while records wait; 0 when none wait."""
        return monotonic() - self._moved_at if self._lag else 0.0

    @property
    def live(self) -> bool:
        """Whether the process does what it is there for."""
        return self.age_s < self._limit

    def reasons(self) -> Iterator[str]:
        """Why the process is not live, in words."""
        if not self.live:
            yield f"{self._lag} records wait and none was applied for {self.age_s:.0f} s"

    async def run(self) -> None:
        """Look every second, for ever.

        Raises
        ------
        StuckError
            Lag stood still for longer than the limit.
        """
        while True:
            await asyncio.sleep(CHECK_INTERVAL_S)
            await self._look_at_ends()
            self._measure()
            if not self.live:
                raise StuckError(
                    f"{self._lag} records wait and none was applied for {self.age_s:.0f} s "
                    f"(metrics.watchdog_s is {self._limit:.0f}): ending, so that a fresh process reads on"
                )

    async def _look_at_ends(self) -> None:
        """Ask the broker where the sources end; a broker that is away says nothing about us."""
        consumer = self._runtime.consumer
        hosted = dict(self._runtime.hosted)
        if consumer is None or not hosted:
            return
        places = {consumer._new_topicpartition(tp.topic, tp.partition): tp for tp in hosted}
        try:
            ends = await asyncio.wait_for(consumer.highwaters(*places), timeout=BROKER_WAIT_S)
        except Exception as error:
            logger.warning("the broker did not say where topics end: %s", error)
            return
        for place, tp in places.items():
            hosted[tp].high = max(hosted[tp].high, ends.get(place) or 0)

    def _measure(self) -> None:
        hosted = list(self._runtime.hosted.values())
        metrics = self._metrics
        self._lag = sum(each.lag for each in hosted)
        # While a snapshot is being restored nothing else is applied; that it arrives is progress too.
        total = sum(each.next_offset for each in hosted) + self._runtime.relocation.bytes_restored
        if total != self._sum or not self._lag:
            self._sum, self._moved_at = total, monotonic()
        metrics.watchdog_age.set(self.age_s)
        histories = [each.part for each in hosted if isinstance(each.part, HistoryPartition)]
        metrics.refreshes_pending.set(sum(len(part.progress.pending) for part in histories))
        _raise_to(metrics.refreshes_coalesced, sum(part.refreshes.coalesced for part in histories))
        sizes: dict[str, list[int]] = {}
        self._measure_lag(hosted)
        for each in hosted:
            if each.database is not None:
                known = sizes.setdefault(each.part.stage, [0, 0, 0])
                hits, misses = each.database.cache_counts()
                known[0] += each.database.size_bytes()
                known[1] += hits
                known[2] += misses
        for stage, (size, hits, misses) in sizes.items():
            metrics.rocksdb_bytes.labels(stage=stage).set(size)
            _raise_to(metrics.cache_hits.labels(stage=stage), hits)
            _raise_to(metrics.cache_misses.labels(stage=stage), misses)

    def _measure_lag(self, hosted: list[Hosted]) -> None:
        """Lag of the partitions that are held now, and of no other; a stage is ready if all of its are."""
        metrics, lags = self._metrics, {(each.topic, str(each.partition)): each.lag for each in hosted}
        for place in self._places - lags.keys():
            metrics.lag.remove(*place)
        self._places = set(lags)
        for (topic, partition), lag in lags.items():
            metrics.lag.labels(topic=topic, partition=partition).set(lag)
        ready: dict[str, bool] = {}
        for each in hosted:
            here = each.generation >= 0 and not self._runtime.relocation.catching_up(each)
            ready[each.part.stage] = ready.get(each.part.stage, True) and here
        for stage, is_ready in ready.items():
            metrics.stage_ready.labels(stage=stage).set(int(is_ready))


def _raise_to(counter: Counter, total: int) -> None:
    """Bring a counter to a total that is kept elsewhere; one that was reset goes on from where it was."""
    behind = total - counter._value.get()
    if behind > 0:
        counter.inc(behind)
