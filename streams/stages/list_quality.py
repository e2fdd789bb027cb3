"""What a worker measures of the lists that it gives: hits, what they rest on, and exposure."""

from collections import Counter
from collections.abc import Sequence

from prometheus_client import Counter as Counted

from online_models.live_quality import LiveQuality
from online_models.protocols import Answer, Views
from schemas.messages import Event
from streams.monitoring import Metrics

MEASURE_INTERVAL_MS = 10_000
_ALL = "all"
_POPULARITY = "popularity"


class ListQuality:
    """Counts what becomes of lists.

    Parameters
    ----------
    quality : LiveQuality
        Shared by the partitions of a process.
    views : Views
        Tells what is popular.
    metrics : Metrics
        Those of the process.
    """

    def __init__(self, quality: LiveQuality, views: Views, metrics: Metrics) -> None:
        self._quality, self._views, self._metrics = quality, views, metrics
        # A metric is looked up by its labels once: that takes longer than to count.
        self._by_source: dict[str, Counted] = {}
        self._personal, self._plain = (
            metrics.given_lists.labels(basis=basis) for basis in ("personal", "popular")
        )
        self._leaders: tuple[Sequence[tuple[str, float]], list[str]] = ((), [])
        self._measured_at = 0

    def act(self, event: Event) -> None:
        """Compare what a customer does with the list they have."""
        places = self._quality.act(event.key, [line.item for line in event.lines])
        if places is None:
            return
        self._metrics.list_queries.inc()
        for name, place in zip(("given", "popular"), places, strict=True):
            if place:
                self._metrics.list_hits.labels(list=name).inc()
                self._metrics.list_reciprocal_ranks.labels(list=name).inc(1 / place)

    def give(self, key: str, answer: Answer) -> None:
        """Note a list that is given."""
        self._quality.give(key, [item.item_id for item in answer.items], popular=self._popular())
        sources = Counter([item.reasons[0]["source"] for item in answer.items])
        for source, count in sources.items():
            given = self._by_source.get(source)
            if given is None:
                given = self._by_source[source] = self._metrics.recommendations.labels(source=source)
            given.inc(count)
        (self._personal if sources.keys() - {_POPULARITY} else self._plain).inc()

    def forget(self, key: str) -> None:
        """Let the list of somebody who is forgotten go."""
        self._quality.forget(key)

    def measure_when_due(self, now: int) -> None:
        """Measure exposure, now and then; `now` in epoch ms."""
        if now - self._measured_at < MEASURE_INTERVAL_MS:
            return
        self._measured_at = now
        found = self._quality.exposure()
        if found is not None:
            self._metrics.exposed_items.set(found.items)
            self._metrics.exposure_gini.set(found.gini)
            self._metrics.popularity_lift.set(found.lift)

    def _popular(self) -> list[str]:
        leaders = self._views.popular(_ALL)
        if leaders is not self._leaders[0]:
            self._leaders = leaders, [item for item, _ in leaders]
        return self._leaders[1]
