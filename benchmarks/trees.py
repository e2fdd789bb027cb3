"""Trees that learn from each outcome, beside scikit-learn's batch tree of the same depth: AUC with intervals.

`python -m benchmarks.trees DATA` wants the folder of the public data sets; `--only` measures some worlds or
sets, and keeps what the results file has of the others. scikit-learn comes with the extra `dev`, pyarrow
with `peers`.
"""

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import click
import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.tree_data import DRIFTS, SETS, WORLDS, drifting, of_set, of_world
from online_models.evaluation.classification import classification
from online_models.evaluation.plain_store import PlainStore
from online_models.evaluation.tree_scores import BLOCK, auc_interval
from online_models.tree_answers import BUYS
from online_models.trees import TreesStep
from schemas.settings import Settings
from schemas.trees import LeafRow, Outcome, TreesRow
from streams.bench.machine import describe

RESULTS: Final = Path("benchmarks/results/trees.json")
CRITERIA: Final = ("entropy", "gini")
TRAINED: Final = 0.6
"""Share of the outcomes that the batch tree is fitted on; all are asked about the rest."""

REFIT: Final = 2_000
"""Outcomes after which the batch tree is fitted anew where things change, on all that it has."""

NEAR: Final = 0.02
WINDOW: Final = 500

Floats = NDArray[np.float64]


def matrix(outcomes: list[Outcome]) -> Floats:
    """What scikit-learn sees: the numbers as they are, and a column for each category in each place."""
    names = sorted({name for x in outcomes for name in x.categories})[:200]
    places = {name: place for place, name in enumerate(names)}
    width = len(outcomes[0].numbers)
    found = np.zeros((len(outcomes), width + len(outcomes[0].categories) * len(names)), np.float32)
    for row, x in zip(found, outcomes, strict=True):
        row[:width] = x.numbers
        for number, name in enumerate(x.categories):
            if name in places:
                row[width + number * len(names) + places[name]] = 1.0
    return found.astype(np.float64)


def settings_with(**trees: Any) -> Settings:
    given = Settings()
    return msgspec.structs.replace(given, trees=msgspec.structs.replace(given.trees, **trees))


def online(outcomes: list[Outcome], start: int, settings: Settings, *, learn: bool) -> tuple[Floats, float]:
    """Chances of the outcomes from `start` on, and the microseconds that an outcome took to be learned."""
    step = TreesStep(PlainStore[TreesRow](), PlainStore[LeafRow](), settings)
    begun = perf_counter()
    for x in outcomes[:start]:
        step.learn_one(x)
    took = 1e6 * (perf_counter() - begun) / max(start, 1)
    chances = []
    for x in outcomes[start:]:
        chances.append(dict(step.answer(x, BUYS)).get("order", 0.5))
        if learn:
            step.learn_one(x)
    return np.array(chances), round(took, 1)


def batch(x: Floats, happened: NDArray[np.bool_], criterion: str, depth: int, seed: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier  # noqa: PLC0415  # not needed by the rest

    return DecisionTreeClassifier(criterion=criterion, max_depth=depth, random_state=seed).fit(x, happened)


def of(happened: NDArray[np.bool_], chances: Floats) -> dict[str, Any]:
    found = msgspec.to_builtins(classification(happened, chances))
    return {name: None if value is None else round(value, 4) for name, value in found.items()}


def compared(outcomes: list[Outcome], seed: int) -> dict[str, Any]:
    """Both kinds of trees on the last part, by criterion; differences are online minus batch, AUC."""
    start, depth = int(TRAINED * len(outcomes)), Settings().trees.depth
    happened = np.array([x.bought for x in outcomes], np.bool_)
    seen = matrix(outcomes)
    found: dict[str, Any] = {
        "outcomes": len(outcomes),
        "asked": len(outcomes) - start,
        "bought": round(float(happened.mean()), 4),
    }
    for criterion in CRITERIA:
        fitted = batch(seen[:start], happened[:start], criterion, depth, seed)
        chances = {"batch": np.asarray(fitted.predict_proba(seen[start:])[:, 1], np.float64)}
        for name in ("adaptive", "plain"):
            using = settings_with(criterion=criterion, adaptive=name == "adaptive")
            chances[name], took = online(outcomes, start, using, learn=True)
            chances[f"{name}, frozen"], _ = online(outcomes, start, using, learn=False)
        intervals = auc_interval(happened[start:], list(chances.values()), seed=seed)
        scores: dict[str, Any] = {name: of(happened[start:], each) for name, each in chances.items()}
        for (name, each), interval in zip(scores.items(), intervals, strict=True):
            key = "auc_interval" if name == "batch" else "minus_batch"
            each[key] = interval
        found[criterion] = scores | {"learn_us": took}
    return found


def recovered(outcomes: list[Outcome], change: int, seed: int) -> dict[str, Any]:
    """Outcomes after a change until the newest are answered as well as by a batch tree of afterwards.

    The batch tree is fitted anew every `REFIT` outcomes on all that there are by then, as a job at night
    would.
    """
    settings, seen = settings_with(), matrix(outcomes)
    happened = np.array([x.bought for x in outcomes], np.bool_)
    step = TreesStep(PlainStore[TreesRow](), PlainStore[LeafRow](), settings)
    half = (change + len(outcomes)) // 2
    best = batch(seen[change:half], happened[change:half], "entropy", settings.trees.depth, seed)
    goal = _loss(happened[half:], best.predict_proba(seen[half:])[:, 1]) + NEAR
    fitted, ours, theirs, drifts = None, list[float](), list[float](), list[int]()
    for number, x in enumerate(outcomes):
        if number and number % REFIT == 0:
            fitted = batch(seen[:number], happened[:number], "entropy", settings.trees.depth, seed)
        ours.append(dict(step.answer(x, BUYS)).get("order", 0.5))
        theirs.append(0.5 if fitted is None else float(fitted.predict_proba(seen[number : number + 1])[0, 1]))
        drifts += [number - change for drift in step.learn_one(x) if drift.task == BUYS]
    found: dict[str, Any] = {"outcomes": len(outcomes), "change_at": change, "goal_brier": round(goal, 4)}
    for name, chances in (("online", ours), ("batch", theirs)):
        errors = (np.array(chances) - happened) ** 2
        found[name] = {
            "brier_before": round(float(errors[change // 2 : change].mean()), 4),
            "brier_after": round(float(errors[change:].mean()), 4),
            "recovered_after": _first_below(errors[change:], goal),
        }
    return found | {
        "noticed_after": [at for at in drifts if at >= 0],
        "false_alarms": sum(at < 0 for at in drifts),
    }


def _loss(happened: NDArray[np.bool_], chances: Floats) -> float:
    return float(np.mean((chances - happened) ** 2))


def _first_below(errors: Floats, goal: float) -> int | None:
    """Outcomes until the mean of the last `WINDOW` errors is at the goal for the first time; None: never."""
    sums = np.cumsum(np.concatenate(([0.0], errors)))
    means = (sums[WINDOW:] - sums[:-WINDOW]) / WINDOW
    there = np.flatnonzero(means <= goal)
    return int(there[0]) + WINDOW if len(there) else None


def measured(name: str, data: Path, seeds: tuple[int, ...], count: int) -> Iterator[tuple[str, Any]]:
    """Results of one world, set or drift, by seed."""
    if name in SETS:
        yield name, compared(of_set(name, data), seeds[0])
        return
    for seed in seeds:
        if name in WORLDS:
            yield f"{name} {seed}", compared(of_world(name, seed, count), seed)
        else:
            yield f"{name} {seed}", recovered(*drifting(name, seed, count), seed)


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--only", type=click.Choice([*WORLDS, *DRIFTS, *SETS]), multiple=True, help="All by default.")
@click.option("--seed", "seeds", type=int, multiple=True, default=(1, 2, 3), show_default=True)
@click.option("--events", type=click.IntRange(1_000), default=40_000, show_default=True, help="Of a world.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=RESULTS, show_default=True)
def main(data: Path, only: tuple[str, ...], seeds: tuple[int, ...], events: int, out: Path) -> None:
    """Measure the trees and write what was found."""
    known = msgspec.json.decode(out.read_bytes()) if out.exists() else {}
    results = known.get("results", {})
    for name in only or (*WORLDS, *DRIFTS, *SETS):
        for label, found in measured(name, data, seeds, events):
            results[label] = found
            click.echo(f"{label}: {msgspec.json.encode(found).decode()}")
    document = {
        "machine": describe(),
        "settings": msgspec.to_builtins(Settings().trees),
        "seeds": list(seeds),
        "events": events,
        "trained_share": TRAINED,
        "refit_every": REFIT,
        "block": BLOCK,
        "results": dict(sorted(results.items())),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")


if __name__ == "__main__":
    main()
