"""Dashboard *latency*: how fresh lists are, and where the time goes."""

from typing import Final

from deploy.grafana.panels import Board, Panel, Query
from deploy.grafana.queries import COUNT, LIST_AGE, SECONDS, SHARE, each, level, one, per_second, quantile

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
