"""Off-policy estimates on the Open Bandit data: each of two policies judged from the other one's log.

`python -m benchmarks.off_policy DATA` wants the folder of the public data sets, with `obd` in it. What the
estimates are held against is what the judged policy earned itself, in the same week.
"""

import csv
import gzip
import math
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import msgspec
import numpy as np

from online_models.experiments.estimates import wilson
from online_models.experiments.off_policy import FOLDS, Floats, Log, Value, off_policy
from streams.bench.machine import describe

RESULTS: Final = Path("benchmarks/results/off-policy.json")
POLICIES: Final = ("random", "bts")
ITEMS: Final = 46
POSITIONS: Final = 3
WEIGHTS: Final = (math.inf, 100.0, 10.0)
"""What weights are cut to; the first is not to cut them."""


class Policy(NamedTuple):
    """A policy's log, and the chance of each item in each position; shape (positions, items)."""

    log: Log
    choices: Floats


def read_policy(name: str, data: Path) -> Policy:
    """Read a log.

    Positions are the contexts. The uniform policy is known. Thompson sampling changed its chances all the
    time: over the week it is the mixture of its choices, which their frequencies tell without its rewards.
    """
    path = data / "obd" / name / "women.csv.gz"
    if not path.exists():
        raise click.ClickException(f"{path} is not there: DATA is the folder that has obd/{name}")
    with gzip.open(path, "rt", newline="") as stream:
        rows = list(csv.DictReader(stream))
    log = Log(
        np.array([int(row["position"]) - 1 for row in rows], np.intp),
        np.array([int(row["item_id"]) for row in rows], np.intp),
        np.array([float(row["propensity_score"]) for row in rows]),
        np.array([float(row["click"]) for row in rows]),
    )
    counts = np.zeros((POSITIONS, ITEMS))
    if name == "random":
        counts += 1
    else:
        np.add.at(counts, (log.contexts, log.chosen), 1)
    return Policy(log, counts / counts.sum(axis=1, keepdims=True))


def judged(target: Policy, logged: Policy) -> dict[str, Any]:
    """What the logged policy's log says of the target, beside what the target earned."""
    clicks, shown = int(target.log.rewards.sum()), len(target.log.rewards)
    truth, ends = clicks / shown, wilson(clicks, shown)
    found: dict[str, Any] = {
        "on_policy": {"value": truth, "low": round(ends[0], 6), "high": round(ends[1], 6)}
    }
    for most in WEIGHTS:
        estimates = off_policy(logged.log, target.choices, most_weight=most)
        values = {name: getattr(estimates, name) for name in ("ips", "snips", "dr")}
        label = "weights as they are" if math.isinf(most) else f"weights at most {most:g}"
        found[label] = {name: _shown(value, truth) for name, value in values.items()}
        found[label]["effective_sample"] = round(estimates.effective, 1)
    return found


def _shown(found: Value, truth: float) -> dict[str, float]:
    shown = {name: round(each, 6) for name, each in found._asdict().items()}
    return shown | {"relative_error": round(abs(found.value - truth) / truth, 4)}


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=RESULTS, show_default=True)
def main(data: Path, out: Path) -> None:
    """Judge each policy from the other one's log and write what was found."""
    policies = {name: read_policy(name, data) for name in POLICIES}
    results = {}
    for target, logged in (("bts", "random"), ("random", "bts")):
        label = f"{target} from {logged}"
        results[label] = judged(policies[target], policies[logged])
        click.echo(f"{label}: {msgspec.json.encode(results[label]).decode()}")
    document = {
        "machine": describe(),
        "settings": {
            "items": ITEMS,
            "positions": POSITIONS,
            "folds": FOLDS,
            "reward_model": "mean of an item",
        },
        "seed": None,
        "rows": {name: len(policy.log.rewards) for name, policy in policies.items()},
        "results": results,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")


if __name__ == "__main__":
    main()
