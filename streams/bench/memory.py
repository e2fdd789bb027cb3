"""Scenario `memory`: bytes of state by customer, item and session, and whether a process stops growing.

The first is bench-1, learned in one process: what its stores have on disk once RocksDB has put them in order,
and what indexes in memory hold. The second is a small shop in which every bound is reached early; the
resident memory of its process is looked at while it goes on.
"""

import gc
import os
import tempfile
from pathlib import Path

import msgspec
import numpy as np

from streams.bench.alone import LEARN_ALL, dropped, records_of, settings_of
from streams.bench.alone import Plan as Shop
from streams.bench.figures import Figures, at_most, figures_of, in_own_process
from streams.evaluating.state_size import bytes_of
from streams.replay import Replay
from streams.rocks_store import RocksDatabase

NAME = "memory"
BARS = (at_most("times_rss_of_the_middle", 1.05),)
OF_CUSTOMERS = frozenset({"history", "segments", "profiles", "outcomes"})
OF_ITEMS = frozenset({"rules", "popularity"})
LOOKS = 60
SMALL_BOUNDS = {
    "FRESHREC_HISTORY__LINKED_ITEMS": "10",
    "FRESHREC_HISTORY__MAX_ITEMS": "20",
    "FRESHREC_HISTORY__MAX_ORDERS": "3",
    "FRESHREC_HISTORY__MAX_SEEN": "20",
    "FRESHREC_RULES__MAX_ROW": "50",
    "FRESHREC_SESSIONS__HELD": "1000",
    "FRESHREC_STATE__CACHE_BYTES": str(16 * 2**20),
    "FRESHREC_STATE__FLUSH_MAX_BYTES": str(16 * 2**20),
    "FRESHREC_STATE__ROCKSDB_BYTES": str(16 * 2**20),
}
"""What a few thousand events reach."""


class Plan(msgspec.Struct, frozen=True):
    """How many events of bench-1 are learned, and how many of the small shop."""

    items: int = 100_000
    customers: int = 100_000
    past: int = 3_000
    count: int = 40_000
    long_items: int = 2_000
    long_customers: int = 200
    long_count: int = 60_000


def measure(plan: Plan, *, runs: int) -> Figures:
    """Measure some times, each part in a process of its own; events differ from run to run by their seed."""
    taken = [
        in_own_process(sizes, plan, seed) | in_own_process(growth, plan, seed) for seed in range(1, runs + 1)
    ]
    return figures_of(NAME, taken, *BARS)


def sizes(plan: Plan, seed: int) -> dict[str, float]:
    """Learn bench-1; the bytes of what is kept of a customer, an item and a session."""
    shop = Shop(plan.items, plan.customers, past=plan.past, settle=0, count=plan.count)
    catalogue, past, events = records_of(shop, seed)
    with tempfile.TemporaryDirectory(prefix="freshrec-bench-") as folder:
        replay = Replay(settings_of(LEARN_ALL, folder), on_recommendation=dropped, measure=False)
        try:
            for part in (catalogue, past, events):
                replay.feed(part)
            replay.catch_up()
            replay.flush()
            return _sizes(replay)
        finally:
            replay.close()


def _sizes(replay: Replay) -> dict[str, float]:
    stores = [(part.stage, part.database) for part in replay.stages]
    customers = sum(_rows(store, "h") for stage, store in stores if stage == "history")
    items = sum(_rows(store, "r") for stage, store in stores if stage == "rules")
    views = replay.view_databases
    catalogue = _rows(views["item-view"], "v")
    sessions, contents = replay.views.sessions(), replay.views.content()
    found: dict[str, float] = {
        "customers": customers,
        "items": items,
        "customer_bytes": sum(_settled(store) for stage, store in stores if stage in OF_CUSTOMERS)
        / customers,
        "item_bytes": sum(_settled(store) for stage, store in stores if stage in OF_ITEMS) / items,
        "item_views_bytes": sum(map(_settled, views.values())) / catalogue,
        "process_rss_bytes": _resident(),
    }
    # Tables of indexes are as large as they will ever be from the start: by what they can hold.
    if sessions is not None:
        found["session_bytes"] = bytes_of(sessions) / len(sessions.about)
    if contents is not None:
        found["item_content_bytes"] = bytes_of(contents) / max(catalogue, replay.settings.content.held)
    return found


def _rows(store: RocksDatabase, prefix: str) -> int:
    return sum(1 for _ in store.rows(prefix))


def _settled(store: RocksDatabase) -> int:
    """Bytes of a store without what was replaced or deleted."""
    store.rewrite(0)
    return store.size_bytes()


def growth(plan: Plan, seed: int) -> dict[str, float]:
    """Learn a long stream of a small shop; how the memory of the process grows over the second half."""
    shop = Shop(plan.long_items, plan.long_customers, past=0, settle=0, count=plan.long_count)
    catalogue, _, events = records_of(shop, seed)
    resident = []
    with tempfile.TemporaryDirectory(prefix="freshrec-bench-") as folder:
        settings = settings_of(LEARN_ALL, folder, **SMALL_BOUNDS)
        replay = Replay(settings, on_recommendation=dropped, measure=False)
        try:
            replay.feed(catalogue)
            for look in range(LOOKS):
                replay.feed(events[len(events) * look // LOOKS : len(events) * (look + 1) // LOOKS])
                replay.catch_up()
                replay.flush()
                gc.collect()
                resident.append(_resident())
        finally:
            replay.close()
    half = resident[LOOKS // 2 :]
    slope, _ = np.polyfit(np.arange(len(half)) * (len(events) / LOOKS), half, 1)
    tenth = LOOKS // 10
    return {
        "rss_growth_bytes": round(float(slope), 1),
        "times_rss_of_the_middle": sum(half[-tenth:]) / sum(half[:tenth]),
        "long_rss_bytes": half[-1],
    }


def _resident() -> int:
    """Resident memory of this process, in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
