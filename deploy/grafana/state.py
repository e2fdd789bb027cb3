"""Dashboard *state*: processes, stores, snapshots, what topics still hold."""

from typing import Final

from deploy.grafana.panels import Board, Panel, Query
from deploy.grafana.queries import BYTES, COUNT, HERE, RATE, SECONDS, SHARE, each, level, one, per_second

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
