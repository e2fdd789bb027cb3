"""Compares the house with the library implicit: the temporal protocol of `freshrec evaluate`, one process.

`pip install 'freshrec[peers]'`, then `python -m benchmarks.implicit_peers --format F --events FILE --json
OUT`. Each of the library's models is fitted once, on all that is to be learned, with one thread.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from warnings import catch_warnings, filterwarnings

import click
from rich.console import Console

from benchmarks.library_models import Library, LibraryModel
from online_models.evaluation.catalog import CONTENDERS, Entry, Options
from online_models.evaluation.contract import Contender
from schemas.settings import Settings
from streams.bench.machine import describe
from streams.errors import FreshrecError
from streams.evaluating import options as parameters
from streams.evaluating import screen
from streams.evaluating.document import document, write_json
from streams.evaluating.logs import LogReader
from streams.evaluating.measuring import made, measured
from streams.evaluating.trial import EvaluationError, Request, open_trial, settings_for
from streams.formats import FORMATS

HOUSE = ("blend", "decayed", "popularity")
_FILE = click.Path(dir_okay=False, path_type=Path)
_SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)


def _nearest(name: str) -> Callable[..., Library]:
    def make(**options: Any) -> Library:
        import implicit.nearest_neighbours  # noqa: PLC0415  # an extra

        model: Library = getattr(implicit.nearest_neighbours, name)(num_threads=1, **options)
        return model

    return make


def _als(**options: Any) -> Library:
    from implicit.als import AlternatingLeastSquares  # noqa: PLC0415  # an extra

    model: Library = AlternatingLeastSquares(num_threads=1, use_gpu=False, **options)
    return model


def _bpr(**options: Any) -> Library:
    from implicit.bpr import BayesianPersonalizedRanking  # noqa: PLC0415  # an extra

    model: Library = BayesianPersonalizedRanking(num_threads=1, use_gpu=False, **options)
    return model


def peer(make: Callable[..., Library], options: Options) -> Entry:
    """Return the entry of a library's model; its parameters, with their defaults, are the library's own."""

    def model(settings: Settings, given: Options) -> Contender:
        make(**given)  # What it can't take is said before anything is learned.
        return LibraryModel(lambda: make(**given), settings.weights)

    return Entry(model, MappingProxyType(dict(options)))


PEERS: Final[Mapping[str, Entry]] = MappingProxyType(
    {
        "implicit-cosine": peer(_nearest("CosineRecommender"), {"K": 20}),
        "implicit-tfidf": peer(_nearest("TFIDFRecommender"), {"K": 20}),
        "implicit-bm25": peer(_nearest("BM25Recommender"), {"K": 20, "K1": 1.2, "B": 0.75}),
        "implicit-als": peer(
            _als,
            {"factors": 100, "regularization": 0.01, "alpha": 1.0, "iterations": 15, "random_state": 1},
        ),
        "implicit-bpr": peer(
            _bpr,
            {
                "factors": 100,
                "learning_rate": 0.01,
                "regularization": 0.01,
                "iterations": 100,
                "random_state": 1,
            },
        ),
    }
)
"""By name; every parameter that decides what is learned is written down, with the library's default."""

ENTRIES: Final[Mapping[str, Entry]] = MappingProxyType({**CONTENDERS, **PEERS})


def versions() -> dict[str, str]:
    """Return the versions of what is compared with.

    Raises
    ------
    EvaluationError
        It is not installed.
    """
    try:
        import implicit  # noqa: F401, PLC0415  # an extra
    except ImportError as error:
        raise EvaluationError("implicit is not installed; pip install 'freshrec[peers]'") from error
    return {name: version(name) for name in ("implicit", "scipy")}


def one_thread() -> AbstractContextManager[Any]:
    """Keep linear algebra to one thread, where the library is there: it brings what does that."""
    try:
        import threadpoolctl  # noqa: PLC0415  # comes with an extra
    except ImportError:
        return nullcontext()
    limits: AbstractContextManager[Any] = threadpoolctl.threadpool_limits(1)
    return limits


def compared(
    request: Request, given: parameters.Given, *, seed: int, reference: str, console: Console
) -> tuple[dict[str, Any], list[Any]]:
    """Let models go through the trial that a request asks for.

    Returns
    -------
    (dict, list)
        The document to be written, without what machine it was; tables to show.
    """
    settings = settings_for(request, Settings())
    reader = LogReader(settings)
    trial = open_trial(request, settings, reader)
    contenders = made(ENTRIES, given, settings)
    found = measured(trial, contenders, settings, console, seed=seed, reference=reference)
    results = document(
        trial,
        found,
        request=request,
        options=given,
        seed=seed,
        reference=reference,
        machine={},
        unusable=reader.unusable,
    )
    fits = {name: each.fit_s for name, each in contenders.items() if isinstance(each, LibraryModel)}
    results |= {
        "program": "python -m benchmarks.implicit_peers",
        "fit_s": {name: [float(f"{s:.4g}") for s in taken] for name, taken in fits.items()},
    }
    title = f"temporal, {next(iter(found.values())).queries:,} queries"
    return results, [
        screen.table(found, title=title, k=trial.k),
        screen.comparison(found, reference, k=trial.k),
    ]


@click.command()
@click.option("--format", "format_", type=click.Choice(sorted(FORMATS)), required=True, help="Of the file.")
@click.option("--events", type=_FILE, required=True, help="The file to split.")
@click.option("--train-share", type=_SHARE, default=0.8, show_default=True, help="The share to learn from.")
@click.option("--relevant", default="", metavar="TEXT", help="What counts, as in 'purchase,rating>=4'.")
@click.option(
    "--others",
    type=click.Choice(["learn", "drop"]),
    default="learn",
    show_default=True,
    help="What happens to events that are not relevant.",
)
@click.option("--k", type=click.IntRange(1), default=10, show_default=True, help="Places of a list.")
@click.option(
    "--models",
    default=",".join([*HOUSE, *PEERS]),
    show_default=True,
    help="Names separated by commas.",
)
@click.option("--reference", default=HOUSE[0], show_default=True, help="Compare the others with this one.")
@click.option(
    "--set", "sets", multiple=True, metavar="MODEL.NAME=VALUE", help="A parameter; may be repeated."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the bootstrap and of factors.")
@click.option("--json", "json_file", type=_FILE, required=True, help="Where the results go.")
def main(
    format_: str,
    others: str,
    models: str,
    reference: str,
    sets: tuple[str, ...],
    seed: int,
    json_file: Path,
    **asked: Any,
) -> None:
    """Learn the first part of a file, ask once for everybody who goes on, score what they do later."""
    names = dict.fromkeys(filter(None, (name.strip() for name in models.split(","))))
    try:
        if unknown := names.keys() - ENTRIES.keys():
            raise EvaluationError(
                f"there is no model {min(unknown)!r}; expected some of {', '.join(ENTRIES)}"
            )
        if reference not in names:
            raise EvaluationError(f"{reference!r} is not among the models; add it to --models")
        installed = versions() if names.keys() & PEERS.keys() else {}
        seeds: parameters.Given = {
            name: {"random_state": seed} for name in names if "random_state" in ENTRIES[name].options
        }
        given = parameters.merged(ENTRIES, names, seeds, parameters.from_texts(sets))
        request = Request(
            protocol="temporal", format=format_, drop_others=others == "drop", live=False, **asked
        )
        with one_thread(), catch_warnings():
            filterwarnings("ignore", "Method expects CSR input")  # the library warns of what it does itself
            results, tables = compared(
                request, given, seed=seed, reference=reference, console=Console(stderr=True, markup=False)
            )
        write_json(json_file, results | {"machine": {**describe(), "peers": installed}})
    except FreshrecError as error:
        raise click.ClickException(str(error)) from error
    shown = Console(markup=False)
    for table in tables:
        shown.print(table)
    for name, taken in results["fit_s"].items():
        shown.print(f"{name} was fitted in {sum(taken):.2f} s")
    click.echo(str(json_file))


if __name__ == "__main__":
    main()
