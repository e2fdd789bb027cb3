"""`freshrec evaluate`: how good models are on a file, by a protocol that others use, too."""

from pathlib import Path

import click
from rich.console import Console

from online_models.evaluation.catalog import CONTENDERS, names_of
from schemas.settings import Settings
from streams.bench.machine import describe
from streams.commands.context import pass_settings
from streams.evaluating import advising, classifying, plot, screen
from streams.evaluating import options as parameters
from streams.evaluating.document import document, write_json, write_text
from streams.evaluating.logs import LogReader
from streams.evaluating.measuring import made, measured
from streams.evaluating.trial import EvaluationError, Request, Trial, open_trial, settings_for
from streams.evaluating.tuning import OBJECTIVE, tune
from streams.formats import FORMATS

_FILE = click.Path(dir_okay=False, path_type=Path)
_SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)


@click.command()
@click.option(
    "--protocol",
    type=click.Choice(["sessions", "prequential", "temporal", "classify"]),
    help="sessions: next items of test sessions; prequential: predict, then learn; temporal: the last part; "
    "classify: what comes of sessions, as the trees say it, before they learn it.",
)
@click.option("--advise", is_flag=True, help="Only say which models suit the data, and why.")
@click.option("--format", "format_", type=click.Choice(sorted(FORMATS)), required=True, help="Of the files.")
@click.option("--events", type=_FILE, help="The file to split.")
@click.option("--train", type=_FILE, help="Sessions to learn from.")
@click.option("--test", type=_FILE, help="Sessions to be asked about.")
@click.option("--test-share", type=_SHARE, help="Split one file: the last share of it is the test.")
@click.option(
    "--train-share", type=_SHARE, default=0.8, show_default=True, help="temporal: the share to learn from."
)
@click.option(
    "--warmup",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.3,
    show_default=True,
    help="prequential: the share that is only learned.",
)
@click.option("--k", type=click.IntRange(1), default=10, show_default=True, help="Places of a list.")
@click.option(
    "--live/--frozen",
    default=True,
    show_default=True,
    help="sessions: learn each event once it was scored, or keep models as trained.",
)
@click.option(
    "--relevant",
    default="",
    metavar="TEXT",
    help="What counts as a right answer, as in 'purchase,rating>=4'; every action by default.",
)
@click.option(
    "--others",
    type=click.Choice(["learn", "drop"]),
    default="learn",
    show_default=True,
    help="What happens to events that are not relevant; drop: before the split, as some publish.",
)
@click.option(
    "--only-new",
    is_flag=True,
    help="Only items that nobody had acted upon before the test are ranked, and right.",
)
@click.option("--repeats", is_flag=True, help="What somebody has already may be recommended again.")
@click.option(
    "--models",
    default="blend,popularity",
    show_default=True,
    help="Names separated by commas; all: each that needs no extra.",
)
@click.option("--reference", metavar="MODEL", help="Compare the others with this one, query by query.")
@click.option(
    "--set", "sets", multiple=True, metavar="MODEL.NAME=VALUE", help="A parameter; may be repeated."
)
@click.option("--options", "options_file", type=_FILE, help="Parameters as TOML, a table per model.")
@click.option("--tune", "runs", type=click.IntRange(1), help="Search parameters on the tail of train first.")
@click.option(
    "--tuned",
    type=_FILE,
    default=Path("tuned.toml"),
    show_default=True,
    help="Where the parameters found go.",
)
@click.option("--limit", type=click.IntRange(1), help="Stop after so many queries.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the bootstrap and the search.")
@click.option("--json", "json_file", type=_FILE, help="Where the results go, as JSON.")
@click.option("--plot", "plot_file", type=_FILE, help="Where curves over time go, as an HTML page.")
@pass_settings
def evaluate(
    settings: Settings,
    /,
    advise: bool,
    protocol: str | None,
    models: str,
    others: str,
    format_: str,
    reference: str | None,
    sets: tuple[str, ...],
    options_file: Path | None,
    runs: int | None,
    tuned: Path,
    seed: int,
    json_file: Path | None,
    plot_file: Path | None,
    **asked: object,
) -> None:
    """Measure how good models are on files: rankings, catalogue, costs, with intervals; or advise on them."""
    console = Console(stderr=True, markup=False)
    if protocol is None and not advise:
        raise click.UsageError("names no protocol; expected --protocol NAME, or --advise")
    request = Request(protocol=protocol or "--advise", format=format_, drop_others=others == "drop", **asked)  # type: ignore[arg-type]  # click checked them
    if advise:
        _advise(request, settings, console, json_file=json_file)
        return
    if request.protocol == "classify":
        _classify(request, settings, console, seed=seed, json_file=json_file)
        return
    names = _names(models, reference)
    settings = settings_for(request, settings)
    reader = LogReader(settings)
    with console.status("reading and splitting"):
        trial = open_trial(request, settings, reader)
    if reader.unusable:
        console.print(f"left out, by reason: {dict(reader.unusable)}")
    from_file = parameters.from_file(options_file) if options_file is not None else {}
    given = parameters.merged(CONTENDERS, names, from_file, parameters.from_texts(sets))
    if runs is not None:
        given = _tuned(given, trial, settings, console, runs=runs, seed=seed, path=tuned)
    contenders = made(CONTENDERS, given, settings)
    found = measured(trial, contenders, settings, console, seed=seed, reference=reference)
    title = f"{trial.protocol}, {trial.mode}, {next(iter(found.values())).queries:,} queries"
    shown = Console(markup=False)
    shown.print(screen.table(found, title=title, k=trial.k))
    if reference is not None:
        shown.print(screen.comparison(found, reference, k=trial.k))
    if json_file is not None:
        results = document(
            trial,
            found,
            request=request,
            options=given,
            seed=seed,
            reference=reference,
            machine=describe(),
            unusable=reader.unusable,
        )
        write_json(json_file, results)
    if plot_file is not None:
        write_text(plot_file, plot.page(found, title=title, k=trial.k))


def _advise(request: Request, settings: Settings, console: Console, *, json_file: Path | None) -> None:
    found = advising.advised(request, settings, console)
    advising.shown(found, Console(markup=False))
    if json_file is not None:
        write_json(json_file, advising.document(found))


def _classify(
    request: Request, settings: Settings, console: Console, *, seed: int, json_file: Path | None
) -> None:
    found = classifying.classified(request, settings, console, seed=seed)
    shown = Console(markup=False)
    for table in classifying.tables(found):
        shown.print(table)
    if json_file is not None:
        write_json(json_file, classifying.document(found, request, settings, seed=seed))


def _names(models: str, reference: str | None) -> list[str]:
    try:
        names = names_of(filter(None, (name.strip() for name in models.split(","))))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--models") from error
    if not names:
        raise click.BadParameter("names no model; expected one at least, or all", param_hint="--models")
    if reference is not None and reference not in names:
        raise click.BadParameter(
            f"{reference!r} is not among the models {', '.join(names)}; add it to --models",
            param_hint="--reference",
        )
    return names


def _tuned(
    given: parameters.Given,
    trial: Trial,
    settings: Settings,
    console: Console,
    *,
    runs: int,
    seed: int,
    path: Path,
) -> parameters.Given:
    found: parameters.Given = {}
    validation = trial.validation(settings)
    for name, options in given.items():
        if not CONTENDERS[name].space:
            continue
        with screen.progress(console, f"tuning {name}", runs) as update:
            found[name], value = tune(
                name,
                CONTENDERS[name],
                validation,
                settings,
                runs=runs,
                seed=seed,
                start=options,
                told=lambda number, _best, update=update: update(number),  # type: ignore[misc]
            )
        console.print(f"{name}: best {OBJECTIVE} {value:.4f} on the validation tail")
    if not found:
        raise EvaluationError(f"none of {', '.join(given)} has parameters to tune; name one that has")
    write_text(path, parameters.to_toml(found))
    console.print(f"parameters: {path}")
    return {**given, **found}
