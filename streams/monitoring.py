"""Every Prometheus metric in one list, and the typed counters that the code raises.

Serving them is `streams.metrics_server`'s business. All label values are bounded: no customer, item
or order is ever a label.
"""

import platform
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Annotated, NamedTuple, get_type_hints

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from online_models.business_rules import BusinessRules
from online_models.live_quality import WINDOW

Kind = type[Counter] | type[Gauge] | type[Histogram]
Labels = tuple[tuple[str, str], ...]
"""Each label with its possible values, in words."""

_STAGE = (("stage", "a stage of the topology"),)
_SERIES = (("series", "a task of the trees: buys or next"),)
_GROUP = (("group", "a stage group"),)
_EVENT = (
    ("type", "type of the message, or unknown where it cannot be read"),
    ("result", "accepted, duplicate or rejected"),
)

_LIST = (("list", "given, or popular: what was popular everywhere when it was given"),)

_OF = (("of", "lists, or hits: those that had an item that was acted on next"),)

_ARM = (("experiment", "an experiment of the settings"), ("variant", "one of its variants"))

RECORDS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0)
"""Buckets of numbers of records."""

WORK_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Buckets of the time that a piece of work takes, in seconds."""

LATENCY_S = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5),
    *(0.75, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0),
)
"""Buckets of the time from an event to what it causes, in seconds; finest around the promised ones."""


class Says(NamedTuple):
    """Name of a metric, what it tells, its labels and, of a histogram, its buckets."""

    name: str
    help: str
    labels: Labels = ()
    buckets: tuple[float, ...] = ()


class Metric(NamedTuple):
    """One metric and the attribute that holds it."""

    attribute: str
    kind: Kind
    says: Says


class _Registered:
    """A registry of its own with every metric that the class annotates."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        # a `_created` series for each counter would double a scrape and say nothing
        without_created: Callable[[], None] = disable_created_metrics
        without_created()
        self.registry = registry or CollectorRegistry()
        for attribute, kind, says in metrics_of(type(self)):
            setattr(self, attribute, _register(kind, says, self.registry))
        ProcessCollector(registry=self.registry)

    def render(self) -> bytes:
        """All metrics in the Prometheus text format."""
        return generate_latest(self.registry)


class Metrics(_Registered):
    """What one worker process counts.

    Examples
    --------
    >>> metrics = Metrics()
    >>> metrics.events.labels(type="browse", result="accepted").inc(3)
    >>> [line for line in metrics.render().decode().splitlines() if line.startswith("freshrec_events")]
    ['freshrec_events_total{result="accepted",type="browse"} 3.0']
    """

    events: Annotated[
        Counter, Says("freshrec_events_total", "Public records by what became of them.", _EVENT)
    ]
    rejected: Annotated[
        Counter,
        Says("freshrec_rejected_total", "Refused records.", (("reason", "a reason of topic rejected"),)),
    ]
    duplicates: Annotated[Counter, Says("freshrec_duplicates_total", "Events recognised as seen before.")]
    erasures: Annotated[Counter, Says("freshrec_erasures_total", "Requests to be forgotten that were met.")]
    unknown_fields: Annotated[Counter, Says("freshrec_unknown_fields_total", "Fields that were ignored.")]
    batch_records: Annotated[
        Histogram, Says("freshrec_stage_batch_records", "Records handled at once.", _STAGE, RECORDS)
    ]
    batch_seconds: Annotated[
        Histogram, Says("freshrec_stage_batch_seconds", "Time to handle a batch.", _STAGE, WORK_S)
    ]
    flush_seconds: Annotated[
        Histogram,
        Says("freshrec_flush_seconds", "Time from the cut to its write, sends awaited.", _STAGE, WORK_S),
    ]
    rocksdb_bytes: Annotated[Gauge, Says("freshrec_rocksdb_bytes", "Size of stores on disk.", _STAGE)]
    cache_hits: Annotated[
        Counter, Says("freshrec_store_cache_hits_total", "Rows found decoded in memory.", _STAGE)
    ]
    cache_misses: Annotated[
        Counter, Says("freshrec_store_cache_misses_total", "Rows that RocksDB was asked for.", _STAGE)
    ]
    lag: Annotated[
        Gauge,
        Says(
            "freshrec_lag_records",
            "Records not handled yet.",
            (("topic", "a topic of the topology"), ("partition", "number of a partition")),
        ),
    ]
    recommendation_latency: Annotated[
        Histogram,
        Says(
            "freshrec_event_to_recommendation_seconds", "From an event to the list it caused.", (), LATENCY_S
        ),
    ]
    recommendations: Annotated[
        Counter,
        Says("freshrec_recommendations_total", "Recommended items.", (("source", "of the first reason"),)),
    ]
    given_lists: Annotated[
        Counter,
        Says(
            "freshrec_lists_total",
            "Lists, by what they rest on.",
            (("basis", "personal, or popular where nothing else spoke for any of its items"),),
        ),
    ]
    list_queries: Annotated[
        Counter, Says("freshrec_list_queries_total", "Acts of customers and guests who had a list.")
    ]
    list_hits: Annotated[
        Counter, Says("freshrec_list_hits_total", "Acts on an item that was in the list.", _LIST)
    ]
    list_reciprocal_ranks: Annotated[
        Counter,
        Says("freshrec_list_reciprocal_ranks_total", "Sum over these acts of 1 / place of the item.", _LIST),
    ]
    explored: Annotated[
        Counter,
        Says("freshrec_explored_total", "Lists with drawn places that were acted upon, once each.", _OF),
    ]
    explored_weights: Annotated[
        Counter,
        Says("freshrec_explored_weights_total", "Sum over these of what each tells of lists without.", _OF),
    ]
    explored_squared_weights: Annotated[
        Counter, Says("freshrec_explored_squared_weights_total", "Sum of the squares of these weights.", _OF)
    ]
    exposed_items: Annotated[
        Gauge, Says("freshrec_exposed_items", f"Different items in the newest {WINDOW:,} lists.")
    ]
    exposure_gini: Annotated[
        Gauge,
        Says(
            "freshrec_exposure_gini_ratio",
            "How unevenly places of the newest lists are shared among items shown or acted on, 0 to 1.",
        ),
    ]
    popularity_lift: Annotated[
        Gauge,
        Says(
            "freshrec_popularity_lift_ratio",
            "How much more popular items of the newest lists are than those acted on; 0: equally.",
        ),
    ]
    ranker_losses: Annotated[
        Counter,
        Says(
            "freshrec_ranker_losses_total",
            "Log loss of some lessons; that of new ones far above that of learned ones is over-fitting.",
            (("lesson", "new, before it is learned, or learned, some time after"),),
        ),
    ]
    ranker_losses_compared: Annotated[
        Counter, Says("freshrec_ranker_losses_compared_total", "Lessons of either kind in these sums.")
    ]
    segments_compared: Annotated[
        Counter,
        Says("freshrec_segments_compared_total", "Customers with a segment who were looked at again."),
    ]
    segments_kept: Annotated[
        Counter, Says("freshrec_segments_kept_total", "Those of them who are still in the same segment.")
    ]
    density_groups: Annotated[Gauge, Says("freshrec_density_groups", "Groups of customers by density.")]
    buying_answers: Annotated[
        Gauge, Says("freshrec_buying_answers", "Answers from which the chance of buying was learned.")
    ]
    buying_calibration_error: Annotated[
        Gauge,
        Says(
            "freshrec_buying_calibration_error_ratio",
            "Mean distance of chances of buying from what came of them, given before it was known.",
        ),
    ]
    experiment_customers: Annotated[
        Gauge, Says("freshrec_experiment_customers", "Customers who were shown a list.", _ARM)
    ]
    experiment_crossed: Annotated[
        Gauge,
        Says(
            "freshrec_experiment_crossed_customers", "Those of them who were in another variant, too.", _ARM
        ),
    ]
    experiment_lists: Annotated[Gauge, Says("freshrec_experiment_lists", "Lists that were shown.", _ARM)]
    experiment_clicked_lists: Annotated[
        Gauge, Says("freshrec_experiment_clicked_lists", "Those of them that were clicked.", _ARM)
    ]
    experiment_buyers: Annotated[
        Gauge, Says("freshrec_experiment_buyers", "Customers who ordered after their first list.", _ARM)
    ]
    experiment_visits: Annotated[
        Gauge, Says("freshrec_experiment_visits", "Visits from the first list on.", _ARM)
    ]
    experiment_revenue: Annotated[
        Gauge, Says("freshrec_experiment_revenue", "Revenue from the first list on, in the currency.", _ARM)
    ]
    experiment_sample_ratio: Annotated[
        Gauge,
        Says(
            "freshrec_experiment_sample_ratio_p_value",
            "Of the shares of customers being those that are set, at any time; below .001 they are not.",
            (("experiment", "an experiment of the settings"),),
        ),
    ]
    refreshes_coalesced: Annotated[
        Counter, Says("freshrec_refreshes_coalesced_total", "Refreshes that a later one made needless.")
    ]
    refreshes_pending: Annotated[Gauge, Says("freshrec_refreshes_pending", "Customers whose list is owed.")]
    published_rows: Annotated[
        Counter,
        Says("freshrec_published_rows_total", "Rows sent to views.", (("view", "a view of the topology"),)),
    ]
    drifts: Annotated[
        Counter, Says("freshrec_drift_total", "Changes of the mean error that were noticed.", _SERIES)
    ]
    drift_error: Annotated[
        Gauge,
        Says("freshrec_drift_error", "Mean error since the last change, 0 to 1, before learning.", _SERIES),
    ]
    drift_last_at: Annotated[
        Gauge,
        Says("freshrec_drift_last_timestamp_seconds", "Event time of the last change; 0: none.", _SERIES),
    ]
    lists_withdrawn: Annotated[
        Counter,
        Says("freshrec_lists_withdrawn_total", "Lists made again because an item in them was withdrawn."),
    ]
    business_rules: Annotated[
        Gauge, Says("freshrec_business_rules", "Rules of the shop's own file that are in use.")
    ]
    business_rules_faulty: Annotated[
        Gauge,
        Says("freshrec_business_rules_faulty", "1 while that file cannot be used and older rules hold on."),
    ]
    watchdog_age: Annotated[
        Gauge, Says("freshrec_watchdog_age_seconds", "How long there has been lag without progress.")
    ]
    gaps: Annotated[
        Counter, Says("freshrec_gaps_total", "Messages between stages that did not follow the last one.")
    ]
    stage_ready: Annotated[
        Gauge, Says("freshrec_stage_ready", "1 once a stage is at the position of its stores.", _STAGE)
    ]
    snapshots: Annotated[
        Counter,
        Says("freshrec_snapshots_total", "Snapshots of partitions.", (*_STAGE, ("result", "done or failed"))),
    ]
    snapshot_bytes: Annotated[
        Counter, Says("freshrec_snapshot_bytes_total", "Bytes that were new in snapshots.", _STAGE)
    ]
    snapshot_age: Annotated[
        Gauge,
        Says("freshrec_snapshot_age_seconds", "Age of what is not in a snapshot yet, the oldest.", _STAGE),
    ]
    restore_bytes: Annotated[
        Counter, Says("freshrec_restore_bytes_total", "Bytes restored from snapshots.", _STAGE)
    ]
    retention_used: Annotated[
        Gauge,
        Says(
            "freshrec_retention_used_ratio",
            "Age of the oldest record still needed, by the topic's retention; at 1 it is lost.",
            (*_STAGE, ("topic", "a topic that the stage reads")),
        ),
    ]
    build: Annotated[
        Gauge,
        Says("freshrec_build_info", "Always 1.", (("version", "of freshrec"), ("python", "its version"))),
    ]

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        super().__init__(registry)
        self.build.labels(version=version("freshrec"), python=platform.python_version()).set(1)

    def tell_rules(self, rules: BusinessRules, *, faulty: bool) -> None:
        """Note which rules of the shop's file are in use, and whether it has a fault."""
        self.business_rules.set(len(rules.rules))
        self.business_rules_faulty.set(faulty)


class ServeMetrics(_Registered):
    """What `freshrec serve` counts."""

    requests: Annotated[
        Counter,
        Says(
            "freshrec_http_requests_total",
            "Requests that were answered.",
            (("route", "a path of the API, or unknown"), ("status", "of the answer")),
        ),
    ]
    request_seconds: Annotated[
        Histogram,
        Says(
            "freshrec_http_request_seconds",
            "Time to answer, from the head of a request to the body of its answer.",
            (("route", "a path of the API, or unknown"),),
            WORK_S,
        ),
    ]
    lists: Annotated[
        Counter,
        Says(
            "freshrec_http_lists_total",
            "Lists that were given.",
            (("source", "standing, computed or fallback"),),
        ),
    ]
    ready: Annotated[Gauge, Says("freshrec_serve_ready", "1 once the followed topics have been read.")]
    rules_faulty: Annotated[
        Gauge,
        Says("freshrec_serve_business_rules_faulty", "1 while the shop's file of rules cannot be used."),
    ]

    def tell_rules(self, _: BusinessRules, *, faulty: bool) -> None:
        """Note whether the shop's file of rules has a fault."""
        self.rules_faulty.set(faulty)


class SupervisorMetrics(_Registered):
    """What the supervisor counts about its children."""

    child_up: Annotated[
        Gauge, Says("freshrec_child_up", "1 if the group's process answered this scrape.", _GROUP)
    ]
    child_restarts: Annotated[
        Counter, Says("freshrec_child_restarts_total", "Processes started again after they ended.", _GROUP)
    ]


def metrics_of(holder: type[_Registered]) -> Iterator[Metric]:
    """Metrics that a class annotates, in its order."""
    for attribute, annotation in get_type_hints(holder, include_extras=True).items():
        yield Metric(attribute, annotation.__origin__, annotation.__metadata__[0])


METRICS = [*metrics_of(Metrics), *metrics_of(SupervisorMetrics), *metrics_of(ServeMetrics)]
"""All of them, those of the worker processes first."""


def _register(kind: Kind, says: Says, registry: CollectorRegistry) -> Counter | Gauge | Histogram:
    labels = tuple(label for label, _ in says.labels)
    if kind is Histogram:
        return Histogram(says.name, says.help, labels, registry=registry, buckets=says.buckets)
    return kind(says.name, says.help, labels, registry=registry)


def document() -> str:
    """Text of docs/metrics.md."""
    lines = [
        "# Metrics",
        "",
        "`freshrec worker` serves them on `metrics.host`:`metrics.port` under `/metrics`, beside",
        "Prometheus's own `process_*`. Each bears the label `group`: the stage group whose process",
        "counted it, or `supervisor`. `freshrec serve` serves its own, `freshrec_http_*` and",
        "`freshrec_serve_*`, on `serve.host`:`serve.port`, without that label.",
        "This page is generated: `python -m streams.monitoring > docs/metrics.md`.",
        "",
        "| metric | kind | labels | meaning |",
        "|---|---|---|---|",
    ]
    for _, kind, says in METRICS:
        labels = "; ".join(f"`{label}`: {values}" for label, values in says.labels)
        lines.append(f"| `{says.name}` | {kind.__name__.lower()} | {labels} | {says.help} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(document(), end="")
