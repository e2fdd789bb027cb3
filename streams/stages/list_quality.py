"""What a worker measures of the lists that it gives: hits, what they rest on, and exposure."""

from collections import Counter
from collections.abc import Sequence

from prometheus_client import Counter as Counted

from online_models.experiments.unexplored import MOST_EXPLORED, weight_unexplored
from online_models.experiments.variants import changed
from online_models.live_quality import LiveQuality
from online_models.protocols import Answer, Views
from schemas.messages import Event
from schemas.settings import Settings
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
    settings : Settings
        How much of lists is drawn, in experiments, too.
    """

    def __init__(self, quality: LiveQuality, views: Views, metrics: Metrics, settings: Settings) -> None:
        self._quality, self._views, self._metrics = quality, views, metrics
        self._weighs = most_explored(settings) <= MOST_EXPLORED
        # A metric is looked up by its labels once: that takes longer than to count.
        self._by_source: dict[str, Counted] = {}
        self._personal, self._plain = (
            metrics.given_lists.labels(basis=basis) for basis in ("personal", "popular")
        )
        sums = (metrics.explored, metrics.explored_weights, metrics.explored_squared_weights)
        self._of_lists, self._of_hits = ([each.labels(of=of) for each in sums] for of in ("lists", "hits"))
        self._leaders: tuple[Sequence[tuple[str, float]], list[str]] = ((), [])
        self._measured_at = 0

    def act(self, event: Event) -> None:
        """Compare what a customer does with the list they have."""
        places = self._quality.act(event.key, [line.item for line in event.lines])
        if places is None:
            return
        self._metrics.list_queries.inc()
        for name, place in (("given", places.in_list), ("popular", places.in_popular)):
            if place:
                self._metrics.list_hits.labels(list=name).inc()
                self._metrics.list_reciprocal_ranks.labels(list=name).inc(1 / place)
        if places.weight is not None:
            self._weigh(places.weight, hit=bool(places.in_list))

    def give(self, key: str, answer: Answer) -> None:
        """Note a list that is given."""
        ranked = [item.item_id for item in answer.items]
        weight = weight_unexplored(item.propensity for item in answer.items) if self._weighs else None
        self._quality.give(key, ranked, popular=self._popular(), weight=weight)
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

    def _weigh(self, weight: float, *, hit: bool) -> None:
        """Count a list with drawn places, from which those without are judged."""
        for sums in (self._of_lists, self._of_hits) if hit else (self._of_lists,):
            for each, power in zip(sums, (1.0, weight, weight * weight), strict=True):
                each.inc(power)

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


def most_explored(settings: Settings) -> float:
    """Return the largest `recommend.explore` that lists are made by, those of variants among them."""
    variants = (variant for experiment in settings.experiments for variant in experiment.variants)
    ways = [settings, *(changed(settings, variant.changes) for variant in variants)]
    return max(way.recommend.explore for way in ways)
