"""The dashboards: what each panel asks for. How they look is in `panels`.

Every metric is one of docs/metrics.md, a recorded one of deploy/prometheus/rules, or of the process.
"""

from typing import Final

from deploy.grafana.panels import Board, Panel, Query

HERE: Final = 'instance=~"$instance"'
OVER: Final = "[$__rate_interval]"


def per_second(metric: str, *by: str) -> str:
    """Rate of a counter, summed over all but some labels.

    Examples
    --------
    >>> per_second("freshrec_rejected_total", "reason")
    'sum by (reason) (rate(freshrec_rejected_total{instance=~"$instance"}[$__rate_interval]))'
    """
    return f"sum by ({', '.join(by)}) (rate({metric}{{{HERE}}}{OVER}))"


def quantile(share: float, histogram: str, *by: str) -> str:
    """Quantile of a histogram, for each value of some labels."""
    return f"histogram_quantile({share:g}, {per_second(f'{histogram}_bucket', *by, 'le')})"


def level(metric: str, *by: str, how: str = "sum") -> str:
    """A gauge, summed (or as `how` says) over all but some labels."""
    return f"{how} by ({', '.join(by)}) ({metric}{{{HERE}}})"


def one(title: str, unit: str, reading: str, expression: str, limit: float | None = None) -> Panel:
    """A panel with one number."""
    return Panel(title, unit, reading, (Query(expression),), kind="stat", width=6, limit=limit)


def each(
    title: str, unit: str, reading: str, expression: str, legend: str, *, stacked: bool = False, **more: float
) -> Panel:
    """A panel with a line for each value of a label."""
    limit = more.get("limit")
    return Panel(title, unit, reading, (Query(expression, legend),), stacked=stacked, limit=limit)


LIST_AGE: Final = "freshrec_event_to_recommendation_seconds"
LEARNED_FROM: Final = ".*(item-deltas|facts|samples|learning)"
RATE, SECONDS, SHARE, BYTES, COUNT = "ops", "s", "percentunit", "bytes", "short"

FLOW: Final = Board(
    "flow",
    "flow",
    (
        one("Events", RATE, "Accepted, in a second.", 'sum(freshrec:events:rate5m{result="accepted"})'),
        one("Lists", RATE, "Refreshed, in a second.", "freshrec:lists:rate5m"),
        one(
            "Waiting", COUNT, "Records that no stage has handled yet.", "sum(topic:freshrec_lag_records:sum)"
        ),
        one("Available", SHARE, "Workers whose processes answer and are ready.", "freshrec:available:avg"),
        each(
            "Events by type",
            RATE,
            "Accepted, duplicate, rejected.",
            per_second("freshrec_events_total", "type", "result"),
            "{{type}}, {{result}}",
            stacked=True,
        ),
        each(
            "Refused by reason",
            RATE,
            "Reasons of topic rejected; `freshrec rejected list` shows the records.",
            per_second("freshrec_rejected_total", "reason"),
            "{{reason}}",
            stacked=True,
        ),
        each(
            "Waiting by topic",
            COUNT,
            "Lag. Above 10,000 and not falling is an alert.",
            level("freshrec_lag_records", "topic"),
            "{{topic}}",
            limit=10_000,
        ),
        each(
            "Handled by stage",
            RATE,
            "Records; of stages that read the same topic all should be alike.",
            per_second("freshrec_stage_batch_records_sum", "stage"),
            "{{stage}}",
        ),
        Panel(
            "Lists",
            RATE,
            "Coalesced: a later event came before the list was made.",
            (
                Query(per_second(f"{LIST_AGE}_count"), "made"),
                Query(per_second("freshrec_refreshes_coalesced_total"), "coalesced"),
                Query(level("freshrec_refreshes_pending"), "owed now"),
            ),
        ),
        each(
            "Processor by process",
            SHARE,
            "1 is a core. customers is the first to be full.",
            per_second("process_cpu_seconds_total", "group"),
            "{{group}}",
            limit=1,
        ),
        Panel(
            "Seen before, unknown, forgotten",
            RATE,
            "Duplicates, ignored fields, erasures.",
            (
                Query(per_second("freshrec_duplicates_total"), "duplicates"),
                Query(per_second("freshrec_unknown_fields_total"), "unknown fields"),
                Query(per_second("freshrec_erasures_total"), "erasures"),
            ),
        ),
        each(
            "Batch",
            COUNT,
            "Records handled at once, the mean: large under load, small when all is calm.",
            per_second("freshrec_stage_batch_records_sum", "stage")
            + " / "
            + per_second("freshrec_stage_batch_records_count", "stage"),
            "{{stage}}",
        ),
    ),
)

LATENCY: Final = Board(
    "latency",
    "latency",
    (
        one("Half of the lists within", SECONDS, "p50 of 5 minutes.", "freshrec:freshness_seconds:p50_5m", 1),
        one("99 % of the lists within", SECONDS, "p99 of 5 minutes.", "freshrec:freshness_seconds:p99_5m", 1),
        one(
            "Freshness: budget burnt in 3 days",
            SHARE,
            "Of 1 % of the lists; above 1 it is used up.",
            "freshrec:freshness_late:ratio_rate3d / 0.01",
            1,
        ),
        one(
            "Availability: budget burnt in 3 days",
            SHARE,
            "Of 0.1 % of the time; above 1 it is used up.",
            "freshrec:unavailable:ratio_avg3d / 0.001",
            1,
        ),
        Panel(
            "From an event to its list",
            SECONDS,
            "From when Kafka got the event.",
            tuple(Query(quantile(share, LIST_AGE), f"p{100 * share:g}") for share in (0.5, 0.95, 0.99)),
            limit=1,
        ),
        Panel(
            "From an event to its list, all",
            SECONDS,
            "A second cloud is a second cause.",
            (Query(per_second(f"{LIST_AGE}_bucket", "le"), "{{le}}"),),
            kind="heatmap",
        ),
        Panel(
            "Error budgets, how fast they burn",
            COUNT,
            "1 uses up the budget in 30 days; alerts at 14.4, 6, 3 and 1.",
            (
                Query("freshrec:freshness_late:ratio_rate1h / 0.01", "freshness, 1 h"),
                Query("freshrec:freshness_late:ratio_rate6h / 0.01", "freshness, 6 h"),
                Query("freshrec:unavailable:ratio_avg1h / 0.001", "availability, 1 h"),
                Query("freshrec:unavailable:ratio_avg6h / 0.001", "availability, 6 h"),
            ),
            limit=1,
        ),
        each(
            "Batch of a stage, p99",
            SECONDS,
            "Time to handle what was fetched at once.",
            quantile(0.99, "freshrec_stage_batch_seconds", "stage"),
            "{{stage}}",
        ),
        each(
            "Flush of a stage, p99",
            SECONDS,
            "Until the broker has acknowledged and RocksDB has written.",
            quantile(0.99, "freshrec_flush_seconds", "stage"),
            "{{stage}}",
            limit=5,
        ),
        each(
            "Standing still",
            SECONDS,
            "Records wait and none is read; at 60 s the process ends itself.",
            level("freshrec_watchdog_age_seconds", "group", how="max"),
            "{{group}}",
            limit=30,
        ),
    ),
)

MODELS: Final = Board(
    "models",
    "models",
    (
        each(
            "What lists are made of",
            SHARE,
            "Recommended items by the source of their first reason.",
            per_second("freshrec_recommendations_total", "source")
            + " / ignoring (source) group_left () "
            + f"sum (rate(freshrec_recommendations_total{{{HERE}}}{OVER}))",
            "{{source}}",
            stacked=True,
        ),
        each(
            "Items recommended",
            RATE,
            "By the source of their first reason.",
            per_second("freshrec_recommendations_total", "source"),
            "{{source}}",
            stacked=True,
        ),
        each(
            "Rows published",
            RATE,
            "What models tell: views that lists are made from, and outputs.",
            per_second("freshrec_published_rows_total", "view"),
            "{{view}}",
        ),
        each(
            "Learned by model",
            RATE,
            "Records of the stages that learn.",
            f"sum by (stage) (rate(freshrec_stage_batch_records_sum{{{HERE},"
            f'stage=~"rules|popularity|segments|clusters|ranker"}}{OVER}))',
            "{{stage}}",
        ),
        each(
            "Still to be learned",
            COUNT,
            "Lag of what models learn from.",
            f'sum by (topic) (freshrec_lag_records{{{HERE},topic=~"{LEARNED_FROM}"}})',
            "{{topic}}",
        ),
        each(
            "Learning takes",
            SHARE,
            "Share of a core that a stage is busy.",
            per_second("freshrec_stage_batch_seconds_sum", "stage"),
            "{{stage}}",
            stacked=True,
        ),
    ),
)

STATE: Final = Board(
    "state",
    "state",
    (
        one("Processes that answer", SHARE, "Of all.", f"avg(freshrec_child_up{{{HERE}}})"),
        one("Stages that are ready", SHARE, "Of all.", f"avg(freshrec_stage_ready{{{HERE}}})"),
        one(
            "Restarts in a day",
            COUNT,
            "Of processes, by their supervisors.",
            f"sum(increase(freshrec_child_restarts_total{{{HERE}}}[1d])) or vector(0)",
        ),
        one("Gaps", COUNT, "Any is an alert.", f"sum(freshrec_gaps_total{{{HERE}}})", 1),
        each(
            "Stores",
            BYTES,
            "RocksDB on disk.",
            level("freshrec_rocksdb_bytes", "stage"),
            "{{stage}}",
            stacked=True,
        ),
        each(
            "Memory",
            BYTES,
            "Resident, of each process.",
            level("process_resident_memory_bytes", "instance", "group"),
            "{{group}} on {{instance}}",
        ),
        each(
            "Rows found in memory",
            SHARE,
            "Of those asked for; a fall means that state.cache_bytes is small.",
            per_second("freshrec_store_cache_hits_total", "stage")
            + " / ("
            + per_second("freshrec_store_cache_hits_total", "stage")
            + " + "
            + per_second("freshrec_store_cache_misses_total", "stage")
            + ")",
            "{{stage}}",
        ),
        each(
            "Retention that is used up",
            SHARE,
            "At 1 records are gone that are still needed.",
            level("freshrec_retention_used_ratio", "stage", "topic", how="max"),
            "{{stage}}: {{topic}}",
            limit=0.5,
        ),
        each(
            "Not in a snapshot for",
            SECONDS,
            "0 where nothing is new, or no snapshots are kept.",
            level("freshrec_snapshot_age_seconds", "stage", how="max"),
            "{{stage}}",
            limit=3600,
        ),
        Panel(
            "Snapshots",
            RATE,
            "Taken and failed.",
            (Query(per_second("freshrec_snapshots_total", "stage", "result"), "{{stage}}, {{result}}"),),
        ),
        Panel(
            "Copied",
            "Bps",
            "New in snapshots, and restored from them.",
            (
                Query(per_second("freshrec_snapshot_bytes_total", "stage"), "{{stage}} taken"),
                Query(per_second("freshrec_restore_bytes_total", "stage"), "{{stage}} restored"),
            ),
        ),
        each(
            "Files that are open",
            SHARE,
            "Of those that may be.",
            f"process_open_fds{{{HERE}}} / process_max_fds{{{HERE}}}",
            "{{group}} on {{instance}}",
            limit=0.8,
        ),
        Panel(
            "Versions",
            COUNT,
            "Of freshrec and Python, by process.",
            (Query(f"freshrec_build_info{{{HERE}}}"),),
            kind="table",
            width=24,
        ),
    ),
)

BOARDS: Final = (FLOW, LATENCY, MODELS, STATE)
