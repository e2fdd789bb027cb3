"""What the deep models are worth, and what they cost: on worlds with a known answer, and on public sets.

`pip install 'freshrec[deep]'`, then `python -m benchmarks.deep DATA`, the folder of the public sets.
With one thread.
"""

import csv
import gzip
import os
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any, Final

import click
import msgspec
import numpy as np
from rich.console import Console

from online_models.deep.in_worlds import (
    SESSION_MS,
    hits_at_first,
    policy_of,
    teach_sessions,
    teach_slates,
    worth_of_chance,
)
from online_models.deep.open_slates import Shown
from online_models.deep.settings import SequenceLearning, SequenceShape, SlateLearning, SlateShape
from online_models.evaluation.baselines.markov import Markov
from online_models.evaluation.catalog import CONTENDERS
from online_models.evaluation.contract import Query
from online_models.worlds.foresight import Foresight
from online_models.worlds.successions import Successions
from schemas.messages import Event, Line
from schemas.settings import Settings
from streams.bench.machine import describe
from streams.evaluating.document import write_json
from streams.evaluating.logs import LogReader
from streams.evaluating.measuring import made, measured
from streams.evaluating.state_size import bytes_of
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
BOUND: Final = 500
"""Items, examples and sessions where memory is looked at."""

_TIMES: Final = 10


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


def views(items: int, seed: int) -> Iterator[Event]:
    """Sessions of five views without end, of items that are drawn evenly."""
    rng, n = np.random.default_rng(seed), 0
    while True:
        for item in rng.integers(0, items, 1_000).tolist():
            at = n * 1_000
            yield Event(f"s:{n // 5}", "view", at, "browses", 0, n, at, at, lines=[Line(f"i{item}", [])])
            n += 1


class _OfSequences:
    """The sequence recommender: learns a view, ranks for who did it."""

    def __init__(self, learning: SequenceLearning) -> None:
        from online_models.deep.contenders import sequence_model  # noqa: PLC0415

        self.model = sequence_model(SequenceShape(), learning)

    def learn(self, x: Event) -> None:
        self.model.learn_one(x)

    def rank(self, x: Event) -> object:
        return self.model.rank(Query(key=x.key, now=x.at, k=10, session=[x.lines[0].item]))


class _OfSlates:
    """The Q-network alone: learns that a slate was shown and one of its items viewed, ranks another one."""

    def __init__(self, learning: SlateLearning) -> None:
        from online_models.deep.contenders import slate_values  # noqa: PLC0415

        self.model = slate_values(SlateShape(), learning)
        self._newest: list[str] = []

    def learn(self, x: Event) -> None:
        item = x.lines[0].item
        self._newest = [item, *self._newest][: SlateShape().places]
        self.model.show(x.key, None, [Shown(each) for each in self._newest], x.at)
        self.model.act(x.key, None, item, 1.0, x.at)

    def rank(self, _: Event) -> object:
        return self.model.values(self._newest[:5], [Shown(each) for each in self._newest])


_Model = _OfSequences | _OfSlates


def _models(bound: int, *, every: int | None = None) -> dict[str, Callable[[], _Model]]:
    steps = {} if every is None else {"every": every}
    sequence = msgspec.structs.replace(SequenceLearning(items=bound, examples=bound), **steps)
    slates = msgspec.structs.replace(SlateLearning(items=bound, examples=bound, open_slates=bound), **steps)
    return {"cnn": lambda: _OfSequences(sequence), "dqn": lambda: _OfSlates(slates)}


def costs(few: int, many: int, warm_up: int, measured_: int) -> dict[str, Any]:
    """CPU time of learning an event and of ranking once, in a stream of few items and one of many."""
    found: dict[str, Any] = {"bound": many // 10, "events_before": warm_up, "events": measured_}
    for name, make in _models(many // 10).items():
        for items in (few, many):
            model, stream = make(), views(items, seed=1)
            for event in islice(stream, warm_up):
                model.learn(event)
            learned: list[float] = []
            ranked: list[float] = []
            for event in islice(stream, measured_):
                for taken, act in ((learned, model.learn), (ranked, model.rank)):
                    begun = process_time()
                    act(event)
                    taken.append(1e6 * (process_time() - begun))
            found[f"{name}, {items} items"] = {
                "learn_us": {"mean": float(np.mean(learned)), "p50": float(np.median(learned))},
                "rank_us": {"mean": float(np.mean(ranked)), "p50": float(np.median(ranked))},
            }
    return found


def memory() -> dict[str, Any]:
    """Bytes held once all bounds are reached, and after ten times as many events, always of new items."""
    found: dict[str, Any] = {"bound": BOUND, "events": [5 * BOUND, 5 * BOUND * _TIMES]}
    for name, make in _models(BOUND, every=50).items():
        model, stream, sizes = make(), views(10**9, seed=1), []
        for upto in (5 * BOUND, 5 * BOUND * (_TIMES - 1)):
            for event in islice(stream, upto):
                model.learn(event)
            sizes.append(bytes_of(model))
        found[name] = {"bytes": sizes, "times": sizes[1] / sizes[0], "held": list(model.model.held())}
    return found


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
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=RESULTS, show_default=True)
@click.option("--rows", type=click.IntRange(1_000), default=12_000, show_default=True, help="Of each set.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the bootstrap.")
def main(data: Path | None, table: bool, out: Path, rows: int, seed: int) -> None:
    """Measure the deep models, on the sets below DATA, too, where it is named."""
    if table:
        click.echo(tables(msgspec.json.decode(out.read_bytes())), nl=False)
        return
    os.environ.update(ONE_THREAD)
    console = Console(stderr=True, markup=False)
    document: dict[str, Any] = {
        "program": "python -m benchmarks.deep",
        "seed": seed,
        "settings": {
            type(each).__name__: msgspec.to_builtins(each)
            for each in (SequenceShape(), SequenceLearning(), SlateShape(), SlateLearning())
        },
        "machine": describe() | {"deep": {name: version(name) for name in ("jax", "optax", "equinox")}},
        "sets": {},
    }
    for name, place in SETS.items() if data is not None else ():
        document["sets"][name] = on_set(name, Path(data or ".") / place, rows, seed, console)
        write_json(out, document)
    for part, measure in (
        ("worlds", on_worlds),
        ("memory", memory),
        ("costs", lambda: costs(200, 50_000, 8_000, 1_000)),
    ):
        with console.status(part):
            document[part] = measure()
        write_json(out, document)
    click.echo(str(out))


if __name__ == "__main__":
    main()
