"""Scenario `scale-items`: what learning an event and making a list cost in catalogues of several sizes.

The whole topology in one process, as `learn-all` and `refresh` have it; what each model costs by itself,
`python -m benchmarks.model_costs` tells. Ratios are to the smallest catalogue of the same run.
"""

import tempfile
from time import process_time

import msgspec

from streams.bench.alone import LEARN_ALL, dropped, lists, rank, records_of, settings_of
from streams.bench.alone import Plan as Shop
from streams.bench.figures import Figures, at_most, figures_of, in_own_process, share_of
from streams.replay import Replay

NAME = "scale-items"
TIMES = 3.0
"""Learning and making lists may cost so many times what they cost in the smallest catalogue."""


class Plan(msgspec.Struct, frozen=True):
    """Which sizes; as much is learned before anything is measured in each, `count` events, then `lists`."""

    sizes: tuple[int, ...] = (10_000, 100_000)
    past: int = 3_000
    settle: int = 5_000
    count: int = 5_000
    lists: int = 2_000


def measure(plan: Plan, *, runs: int) -> Figures:
    """Measure some times, each size in a process of its own; events differ from run to run by their seed."""
    sizes = sorted(plan.sizes)
    taken = []
    for seed in range(1, runs + 1):
        by_size = {size: in_own_process(_run, plan, size, seed) for size in sizes}
        found = {f"{size}.{name}": value for size, each in by_size.items() for name, value in each.items()}
        for size in sizes[1:]:
            for name, value in by_size[size].items():
                found[f"{size}.times_smallest_{name.removesuffix('_us')}"] = value / by_size[sizes[0]][name]
        taken.append(found)
    largest = sizes[-1]
    bars = [at_most(f"{largest}.times_smallest_{what}", TIMES) for what in ("learn", "list_p50", "list_p90")]
    return figures_of(NAME, taken, *bars)


def _run(plan: Plan, items: int, seed: int) -> dict[str, float]:
    shop = Shop(items=items, past=plan.past, settle=plan.settle, count=plan.count)
    catalogue, past, events = records_of(shop, seed)
    with tempfile.TemporaryDirectory(prefix="freshrec-bench-") as folder:
        replay = Replay(settings_of(LEARN_ALL, folder), on_recommendation=dropped, measure=False)
        try:
            replay.feed(catalogue)
            replay.feed(past)
            replay.catch_up()
            begun = process_time()
            replay.feed(events)
            replay.catch_up()
            learned = process_time() - begun
            replay.flush()
            rank(replay)
            made = lists(replay, plan.lists)
        finally:
            replay.close()
    return {
        "learn_us": 1e6 * learned / len(events),
        "list_p50_us": 1e6 * share_of(made, 0.5),
        "list_p90_us": 1e6 * share_of(made, 0.9),
        "list_mean_us": 1e6 * sum(made) / len(made),
    }
