"""Scenario `rules`: rules learned basket by basket, beside mlxtend's FP-growth on the same baskets.

Both have to come to the same rules, to the last count (`streams.verifying`). What is timed is counting: here
of all pairs, there of those with enough support. Learning is timed in tenths, too: what a pair costs must not
grow with what is known already.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from time import process_time

import msgspec
import numpy as np

from streams.bench.figures import Figures, at_least, at_most, figures_of, in_own_process
from streams.verifying import Learning, compare, frequent_sets, read_baskets

NAME = "rules"
BARS = (
    at_least("same_rules", 1),
    at_most("times_mlxtend", 1.2),
    at_most("times_first_tenth", 1.2),
)
PARTS = 10
Baskets = list[list[str]]


class Plan(msgspec.Struct, frozen=True):
    """Which baskets; without a file they are drawn: items by Zipf's law, sizes with a mean of `size`."""

    count: int = 20_000
    items: int = 4_000
    size: float = 15.0
    min_support: float = 0.01
    baskets_file: str | None = None
    baskets_format: str = "online-retail"


def measure(plan: Plan, *, runs: int) -> Figures:
    """Measure some times, each in a process of its own; baskets that are drawn, by seed."""
    taken = [in_own_process(_run, plan, seed) for seed in range(1, runs + 1)]
    return figures_of(NAME, taken, *BARS)


def _run(plan: Plan, seed: int) -> dict[str, float]:
    baskets = baskets_of(plan, seed)
    learning, tenths = Learning(), []
    cuts = [len(baskets) * n // PARTS for n in range(PARTS + 1)]
    for start, end in pairwise(cuts):
        part = baskets[start:end]
        begun = process_time()
        learning.learn(part)
        tenths.append((process_time() - begun, pairs_in(part)))
    begun = process_time()
    frequent = frequent_sets(baskets, plan.min_support)
    batch = process_time() - begun
    ours, pairs = sum(seconds for seconds, _ in tenths), sum(count for _, count in tenths)
    first, last = (1e6 * seconds / count for seconds, count in (tenths[0], tenths[-1]))
    found = compare(baskets, plan.min_support)
    return {
        "learn_seconds": ours,
        "mlxtend_seconds": batch,
        "times_mlxtend": ours / batch,
        "pair_us": 1e6 * ours / pairs,
        "first_tenth_pair_us": first,
        "last_tenth_pair_us": last,
        "times_first_tenth": last / first,
        "same_rules": float(not found.differences),
        "baskets": len(baskets),
        "pair_increments": pairs,
        "pairs": found.pairs,
        "frequent_sets": len(frequent),
        "rules": found.rules_compared,
    }


def pairs_in(baskets: Sequence[Sequence[str]]) -> int:
    """Return how many pairs are counted, each of two items of one basket.

    Examples
    --------
    >>> pairs_in([["tea", "cup", "pot"], ["tea"]])
    3
    """
    return sum(len(basket) * (len(basket) - 1) // 2 for basket in baskets)


def baskets_of(plan: Plan, seed: int) -> Baskets:
    """Return the baskets of the plan's file, or draw them."""
    if plan.baskets_file is not None:
        return read_baskets(Path(plan.baskets_file), plan.baskets_format)
    rng = np.random.default_rng(seed)
    popularity = np.cumsum(np.arange(1, plan.items + 1, dtype=np.float64) ** -1.0)
    sizes = 1 + rng.geometric(1 / plan.size, plan.count)
    drawn = np.searchsorted(popularity, rng.random(int(sizes.sum())) * popularity[-1])
    parts = np.split(drawn, np.cumsum(sizes)[:-1])
    return [list(dict.fromkeys(f"i{item}" for item in part.tolist())) for part in parts]
