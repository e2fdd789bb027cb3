"""Scenario `restore`: how long a state takes to come back, by reading the log again and from a snapshot.

The snapshot is in a folder, taken and put back as `freshrec snapshot create` and `restore` do it: every file
is read and its digest compared. Times are those of the clock, as a disk is part of it.
"""

import tempfile
from pathlib import Path
from time import perf_counter

import msgspec

from streams.bench.alone import LEARN_ALL, dropped, records_of, settings_of
from streams.bench.alone import Plan as Shop
from streams.bench.figures import Figures, figures_of, in_own_process
from streams.replay import Replay
from streams.snapshots import by_hand
from streams.snapshots.library import open_library

NAME = "restore"


class Plan(msgspec.Struct, frozen=True):
    """How many events of bench-1 the state is made of, beside orders of the past."""

    items: int = 100_000
    past: int = 3_000
    count: int = 20_000


def measure(plan: Plan, *, runs: int) -> Figures:
    """Measure some times, each in a process of its own; events differ from run to run by their seed."""
    return figures_of(NAME, [in_own_process(_run, plan, seed) for seed in range(1, runs + 1)])


def _run(plan: Plan, seed: int) -> dict[str, float]:
    catalogue, past, events = records_of(Shop(plan.items, past=plan.past, settle=0, count=plan.count), seed)
    with tempfile.TemporaryDirectory(prefix="freshrec-bench-") as name:
        folder = Path(name)
        settings = settings_of(LEARN_ALL, str(folder / "state"))
        replay = Replay(settings, on_recommendation=dropped, measure=False)
        began = perf_counter()
        try:
            for part in (catalogue, past):
                replay.feed(part)
            replay.catch_up()
            replay.flush()
            begun = perf_counter()
            replay.feed(events)
            replay.catch_up()
            replay.flush()
            learned = perf_counter() - begun
        finally:
            replay.close()
        replayed = perf_counter() - began
        library = open_library(settings, str(folder / "snapshots"))
        begun = perf_counter()
        taken = [
            by_hand.create(library, folder / "state", store, keep=1)
            for store in by_hand.stores_in(folder / "state", None, None)
        ]
        stored = perf_counter() - begun
        begun = perf_counter()
        put_back = [
            by_hand.restore(library, settings, shelf, folder / "restored")
            for shelf in by_hand.shelves_of(library, None, None)
        ]
        restored = perf_counter() - begun
    size = sum(each.bytes for each in put_back)
    return {
        "replay_events_per_s": len(events) / learned,
        "replay_seconds": replayed,
        "snapshot_bytes_per_s": sum(each.bytes for each in taken) / stored,
        "restore_bytes_per_s": size / restored,
        "restore_seconds": restored,
        "stores_of_the_state": len(put_back),
        "state_size_bytes": size,
        "times_as_fast_as_replay": replayed / restored,
    }
