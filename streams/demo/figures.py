"""The figures of a demo, and how they read. Pure."""

from collections.abc import Mapping, Sequence
from math import ceil

import msgspec

from streams.demo.house import Counts
from streams.demo.watcher import Watcher
from streams.demo.words import duration


class Parting(msgspec.Struct, frozen=True):
    """How two customers' lists came to differ: in so many of k places, so long after they acted apart."""

    first: str
    second: str
    places: int
    k: int
    after_s: float

    def __str__(self) -> str:
        return (
            f"{self.first}'s and {self.second}'s lists differ in {self.places} of {self.k} places, "
            f"{duration(self.after_s)} after"
        )


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a demo measured."""

    sent: int
    catalogue: int
    counts: Counts
    lists: int
    latency_ms: tuple[float, float, float]
    """p50, p95 and p99."""
    rejected: Mapping[str, int]
    queries: int
    hit_rate: float
    popular_hit_rate: float
    k: int
    seconds: float
    parting: Parting | None


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """Return the smallest value that so large a share of all is not above; 0 when there is none.

    Examples
    --------
    >>> [percentile([1.0, 2.0, 3.0, 4.0], share) for share in (0.5, 0.95)], percentile([], 0.5)
    ([2.0, 4.0], 0.0)
    """
    if not sorted_values:
        return 0.0
    return sorted_values[max(0, ceil(share * len(sorted_values)) - 1)]


def figures_of(
    watcher: Watcher, counts: Counts, *, catalogue: int, seconds: float, parting: Parting | None
) -> Figures:
    """Sum up what was watched and what the stages counted."""
    latencies = sorted(watcher.latencies_ms)
    hits = watcher.rates.hits
    return Figures(
        sent=watcher.sent,
        catalogue=catalogue,
        counts=counts,
        lists=watcher.lists,
        latency_ms=(percentile(latencies, 0.5), percentile(latencies, 0.95), percentile(latencies, 0.99)),
        rejected=dict(watcher.rejected),
        queries=hits.queries,
        hit_rate=hits.hit_rate,
        popular_hit_rate=hits.popular_hit_rate,
        k=hits.k,
        seconds=seconds,
        parting=parting,
    )


def rows(figures: Figures) -> list[tuple[str, str]]:
    """Name and value of each figure, in the order in which they are shown."""
    counts, (p50, p95, p99) = figures.counts, figures.latency_ms
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(figures.rejected.items()))
    shown = [
        (
            "events sent",
            f"{figures.sent:,} in {figures.seconds:.0f} s, after {figures.catalogue:,} messages "
            "about items and customers",
        ),
        (
            "events accepted",
            f"{counts.accepted:,}, of which {counts.duplicates:,} duplicates changed nothing",
        ),
        ("events rejected", f"{counts.rejected:,}" + (f" ({reasons})" if reasons else "")),
        ("recommendations out", f"{figures.lists:,} lists of {figures.k} items"),
        ("event to recommendation", f"p50 {p50:,.1f} ms, p95 {p95:,.1f} ms, p99 {p99:,.1f} ms"),
        (
            f"hit rate at {figures.k}",
            f"lists {figures.hit_rate:.3f}, popularity {figures.popular_hit_rate:.3f} "
            f"({figures.queries:,} acts of customers who had a list)",
        ),
    ]
    if figures.parting is not None:
        shown.append(("one past, two ways", str(figures.parting)))
    if counts.restarts:
        shown.append(("processes restarted", f"{counts.restarts}: see the worker's log"))
    return shown
