"""What the deep models are worth, and what they cost: on worlds with a known answer, and on public sets.

`pip install 'freshrec[deep]'`, then `python -m benchmarks.deep DATA`, the folder of the public sets.
With one thread, whatever the machine has.
"""

import csv
import gzip
import os
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, Final

import click
import msgspec
from rich.console import Console

from benchmarks.deep_costs import costs, memory
from online_models.deep.in_worlds import (
    SESSION_MS,
    hits_at_first,
    policy_of,
    teach_sessions,
    teach_slates,
    worth_of_chance,
)
from online_models.deep.settings import SequenceLearning, SequenceShape, SlateLearning, SlateShape
from online_models.evaluation.baselines.markov import Markov
from online_models.evaluation.catalog import CONTENDERS
from online_models.worlds.foresight import Foresight
from online_models.worlds.successions import Successions
from schemas.settings import Settings
from streams.bench.machine import describe
from streams.evaluating.document import write_json
from streams.evaluating.logs import LogReader
from streams.evaluating.measuring import made, measured
from streams.evaluating.trial import Request, open_trial, settings_for

RESULTS = Path("benchmarks/results/deep.json")
MODELS: Final = ("cnn", "dqn", "session-blend", "blend", "popularity", "random")
SETS: Final = {
    "movielens": "ml-latest-small/ratings.csv.gz",
    "retailrocket": "retailrocket/events_sample.csv.gz",
}
"""Format -> place below DATA."""

ONE_THREAD: Final = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false", "OPENBLAS_NUM_THREADS": "1"}
NEVER: Final = 10**9


def on_worlds() -> dict[str, Any]:
    """What chance, a model before and after it learned, and the right answer reach."""
    from online_models.deep.contenders import sequence_model, slate_values  # noqa: PLC0415  # an extra

    ways, patience, sessions = Successions(), Foresight(), 1_000
    order = {"sessions": sessions, "chance": 1 / len(ways.items), "known_answer": 1 - ways.surprise}
    for name, every in (("untrained", NEVER), ("learned", SequenceLearning().every)):
        model = sequence_model(SequenceShape(), SequenceLearning(every=every))
        teach_sessions(model, ways, sessions)
        order[name] = hits_at_first(model, ways)
    markov = Markov()
    teach_sessions(markov, ways, sessions)
    order["markov"] = hits_at_first(markov, ways)
    worth = {
        "sessions": sessions,
        "chance": worth_of_chance(patience),
        "most_at_once": patience.myopic(),
        "known_answer": patience.best(),
    }
    for name, count, most_weight in (
        ("untrained", 0, 1.0),
        ("learned", sessions, SlateLearning().most_weight),
        ("learned_without_propensities", sessions, 1.0),
    ):
        learning = SlateLearning(gap_ms=SESSION_MS // 2, most_weight=most_weight)
        values = slate_values(SlateShape(places=len(patience.items)), learning)
        teach_slates(values, patience, count)
        worth[name] = patience.worth(policy_of(values))
    return {"order: hits at first": order, "patience: worth of a session": worth}


def head(source: Path, folder: Path, most: int) -> Path:
    """Write the first rows by time of a set, and return where."""
    with gzip.open(source, "rt", newline="") as lines:
        names, *rows = csv.reader(lines)
    rows.sort(key=lambda row: int(row[names.index("timestamp")]))
    file = folder / source.name.removesuffix(".gz")
    with file.open("w", newline="") as written:
        csv.writer(written).writerows([names, *rows[:most]])
    return file


def on_set(name: str, source: Path, most: int, seed: int, console: Console) -> dict[str, Any]:
    """Prequential scores on the head of a set, by model."""
    with TemporaryDirectory(prefix="freshrec-deep-") as folder:
        of_ratings = name == "movielens"
        request = Request(
            protocol="prequential",
            format=name,
            k=10,
            events=head(source, Path(folder), most),
            relevant="rating>=4" if of_ratings else "",
            drop_others=of_ratings,
            repeats=not of_ratings,
        )
        settings = settings_for(request, Settings())
        trial = open_trial(request, settings, LogReader(settings))
        contenders = made(CONTENDERS, {model: CONTENDERS[model].options for model in MODELS}, settings)
        found = measured(trial, contenders, settings, console, seed=seed, reference="session-blend")
    kept = ("queries", "recall", "mrr", "coverage", "intervals", "learn_s", "recommend_s", "state_bytes")
    models = {model: msgspec.to_builtins(report) for model, report in found.items()}
    return {
        "file": SETS[name],
        "rows": most,
        "relevant": request.relevant,
        "repeats": request.repeats,
        "models": {model: {key: report[key] for key in kept} for model, report in models.items()},
    }


PARTS: Final[Mapping[str, Callable[[], dict[str, Any]]]] = MappingProxyType(
    {"worlds": on_worlds, "memory": memory, "costs": lambda: costs(200, 50_000, 8_000, 1_000)}
)
"""What is measured without the sets, by the name under which it is written."""


def tables(found: Mapping[str, Any]) -> str:
    """The results as docs/deep.md shows them."""
    lines = []
    for name, each in found["worlds"].items():
        lines += [f"| {name} | |", "|---|---|"]
        lines += [f"| {key.replace('_', ' ')} | {value:.4g} |" for key, value in each.items()]
        lines.append("")
    lines += [
        "| set, model | queries | recall@10 | mrr@10 | learn, us | rank, us |",
        "|---|---|---|---|---|---|",
    ]
    for name, each in found["sets"].items():
        for model, report in each["models"].items():
            cells = [f"{report[key]:.4f}" for key in ("recall", "mrr")]
            times = [f"{1e6 * report[key]['mean']:,.0f}" for key in ("learn_s", "recommend_s")]
            lines.append(
                f"| {name}, {model} | " + " | ".join([f"{report['queries']:,}", *cells, *times]) + " |"
            )
    lines += ["", "| model | learn, us of CPU, p50 | rank, p50 |", "|---|---|---|"]
    for name, each in found["costs"].items():
        if isinstance(each, dict):
            lines.append(f"| {name} | {each['learn_us']['p50']:,.0f} | {each['rank_us']['p50']:,.0f} |")
    lines += [
        "",
        "| model | bytes at the bounds | after ten times as many events | times |",
        "|---|---|---|---|",
    ]
    for name in ("cnn", "dqn"):
        each = found["memory"][name]
        lines.append(f"| {name} | {each['bytes'][0]:,} | {each['bytes'][1]:,} | {each['times']:.4f} |")
    return "\n".join(lines) + "\n"


@click.command()
@click.argument("data", type=click.Path(file_okay=False, path_type=Path), required=False)
@click.option("--table", is_flag=True, help="Only print what is in the file as docs/deep.md shows it.")
@click.option("--only", type=click.Choice([*SETS, *PARTS]), multiple=True, help="Keep the rest of the file.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=RESULTS, show_default=True)
@click.option("--rows", type=click.IntRange(1_000), default=12_000, show_default=True, help="Of each set.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the bootstrap.")
def main(data: Path | None, table: bool, only: tuple[str, ...], out: Path, rows: int, seed: int) -> None:
    """Measure the deep models; the public sets are below DATA."""
    if table:
        click.echo(tables(msgspec.json.decode(out.read_bytes())), nl=False)
        return
    wanted = only or (*SETS, *PARTS)
    if data is None and SETS.keys() & set(wanted):
        raise click.UsageError(f"name the folder that holds the sets, or --only {' --only '.join(PARTS)}")
    os.environ.update(ONE_THREAD)
    console = Console(stderr=True, markup=False)
    document: dict[str, Any] = msgspec.json.decode(out.read_bytes()) if only and out.exists() else {}
    document |= {
        "program": "python -m benchmarks.deep",
        "seed": seed,
        "settings": {
            type(each).__name__: msgspec.to_builtins(each)
            for each in (SequenceShape(), SequenceLearning(), SlateShape(), SlateLearning())
        },
        "machine": describe() | {"deep": {name: version(name) for name in ("jax", "optax", "equinox")}},
    }
    for name in wanted:
        if name in PARTS:
            document[name] = PARTS[name]()
        else:
            source = Path(data or ".") / SETS[name]
            document.setdefault("sets", {})[name] = on_set(name, source, rows, seed, console)
        write_json(out, document)
        click.echo(name, err=True)
    click.echo(str(out))


if __name__ == "__main__":
    main()
