"""How often variants that are alike are told apart by somebody who looks again and again, and what is found.

`python -m benchmarks.peeking` simulates experiments, looks at each after every hundred customers, and writes
how often the sequential test and, for comparison, a test for one look ever said that the arms differ.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click
import msgspec
import numpy as np
from numpy.typing import NDArray

from online_models.experiments.estimates import METRICS, Estimate, Metric, estimate
from online_models.experiments.sequential import TIGHTEST_AT, difference
from online_models.experiments.tallies import (
    AMOUNTS,
    BUYER,
    CLICKS,
    LISTS,
    ORDERS,
    PRODUCTS,
    REVENUE,
    VISITS,
)
from schemas.experiments import ArmTally
from streams.bench.machine import describe

RESULTS: Final = Path("benchmarks/results/peeking.json")
CUSTOMERS: Final = 10_000
"""Of each arm at the last look."""

EVERY: Final = 100
LIFTS: Final = (0.0, 0.1, 0.2)
ALPHA: Final = 0.05

Rows = NDArray[np.int64]
Draw = Callable[[np.random.Generator, float], Rows]


def clicking(rng: np.random.Generator, lift: float) -> Rows:
    """Four lists a customer on average; some click far more often than others, one list in ten is clicked."""
    rows = np.zeros((CUSTOMERS, len(AMOUNTS)), np.int64)
    rows[:, LISTS] = 1 + rng.poisson(3, CUSTOMERS)
    chance = np.minimum(rng.beta(2, 18, CUSTOMERS) * (1 + lift), 1.0)
    rows[:, CLICKS] = rng.binomial(rows[:, LISTS], chance)
    return rows


def buying(rng: np.random.Generator, lift: float) -> Rows:
    """One customer in twenty orders."""
    rows = np.zeros((CUSTOMERS, len(AMOUNTS)), np.int64)
    rows[:, BUYER] = rows[:, ORDERS] = rng.random(CUSTOMERS) < 0.05 * (1 + lift)
    return rows


def spending(rng: np.random.Generator, lift: float) -> Rows:
    """Three visits on average; one customer in twenty orders, for 33 on average, at times for hundreds."""
    rows = buying(rng, lift)
    rows[:, VISITS] = 1 + rng.poisson(2, CUSTOMERS)
    rows[:, REVENUE] = rows[:, BUYER] * np.round(rng.lognormal(3, 1, CUSTOMERS) * 1_000_000)
    return rows


WORLDS: Final[dict[str, Draw]] = {
    "click_through": clicking,
    "conversion": buying,
    "revenue_per_visit": spending,
}


def estimates(rows: Rows, metric: Metric) -> list[Estimate | None]:
    """What is estimated after every hundred customers."""
    sums = rows.cumsum(axis=0)
    # As Python's integers: squares of millionths pass those of numpy.
    products = [np.cumsum(rows[:, i].astype(object) * rows[:, j]) for i, j in PRODUCTS]
    found = []
    for n in range(EVERY, CUSTOMERS + 1, EVERY):
        wide = [int(each[n - 1]).to_bytes(16, "little", signed=True) for each in products]
        found.append(estimate(ArmTally(n, 0, 0, 0, sums[n - 1].tolist(), wide), metric))
    return found


def watched(name: str, lift: float, runs: int, seed: int) -> dict[str, Any]:
    """What somebody who looks after every hundred customers concludes, over many experiments."""
    metric = next(each for each in METRICS if each.name == name)
    rng = np.random.default_rng(seed)
    told, naive, after = 0, 0, list[int]()
    for _ in range(runs):
        arms = (estimates(WORLDS[name](rng, each), metric) for each in (0.0, lift))
        looks = list(zip(*arms, strict=True))
        first = next((n for n, look in enumerate(looks, 1) if _differ(*look)), None)
        naive += any(_differ_for_one_look(*look) for look in looks)
        if first is not None:
            told += 1
            after.append(2 * first * EVERY)
    return {
        "told_apart": round(told / runs, 4),
        "by_a_test_for_one_look": round(naive / runs, 4),
        "median_customers": int(np.median(after)) if after else None,
    }


def _differ(control: Estimate | None, treatment: Estimate | None) -> bool:
    if control is None or treatment is None:
        return False
    return difference(control, treatment, alpha=ALPHA).p_value < ALPHA


def _differ_for_one_look(control: Estimate | None, treatment: Estimate | None) -> bool:
    if control is None or treatment is None:
        return False
    error = math.sqrt(control.variance + treatment.variance)
    return abs(treatment.value - control.value) > 1.96 * error


@click.command()
@click.option("--runs", type=click.IntRange(1), default=400, show_default=True, help="Experiments of a kind.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=RESULTS, show_default=True)
def main(runs: int, seed: int, out: Path) -> None:
    """Simulate experiments and write what was concluded."""
    results: dict[str, dict[str, Any]] = {}
    for name in WORLDS:
        for lift in LIFTS:
            found = results.setdefault(name, {})[f"lift {lift:g}"] = watched(name, lift, runs, seed)
            click.echo(f"{name}, lift {lift:g}: {msgspec.json.encode(found).decode()}")
    document = {
        "machine": describe(),
        "settings": {
            "customers_of_an_arm": CUSTOMERS,
            "look_every": EVERY,
            "alpha": ALPHA,
            "tightest_at": TIGHTEST_AT,
        },
        "runs": runs,
        "seed": seed,
        "results": results,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")


if __name__ == "__main__":
    main()
