"""Dashboard *flow*: what comes in, what goes out, what waits."""

from typing import Final

from deploy.grafana.panels import Board, Panel, Query
from deploy.grafana.queries import COUNT, LIST_AGE, RATE, SHARE, each, level, one, per_second

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
