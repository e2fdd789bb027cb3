"""`freshrec bench`: measure throughput and latency, end to end or in one process; results go to files."""

import shutil
import tempfile
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from streams.bench import alone, catalog
from streams.bench.compare import compare as compared
from streams.bench.figures import Figures, Spread
from streams.bench.machine import describe
from streams.bench.report import page, results_of
from streams.bench.scenarios import ENVIRONMENT, SCENARIOS, Result, run
from streams.errors import FreshrecError
from streams.evaluating.document import write_text
from streams.formats import FORMATS
from streams.interrupts import interruptible

RESULTS = Path("benchmarks/results")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
END_TO_END = tuple(scenario.name for scenario in SCENARIOS)


@click.group(invoke_without_command=True)
@click.option(
    "--scenario",
    "names",
    type=click.Choice([*END_TO_END, *alone.NAMES, *catalog.NAMES]),
    multiple=True,
    help="What is measured; may be repeated, all by default.",
)
@click.option(
    "--events",
    type=click.IntRange(1),
    help="Events, lists, queries, baskets or starts; by default each scenario's own number.",
)
@click.option(
    "--items",
    type=click.IntRange(2_000),
    multiple=True,
    help="Items of the catalogue, in one process; scale-items takes several.",
)
@click.option("--sessions", type=click.IntRange(10), help="Sessions that session-query holds.")
@click.option(
    "--sessions-file", type=_FILE, help="Sessions for session-query; they are drawn without a file."
)
@click.option(
    "--sessions-format",
    type=click.Choice(sorted(FORMATS)),
    default="session-lists",
    show_default=True,
    help="What that file holds.",
)
@click.option("--baskets-file", type=_FILE, help="Baskets for rules; they are drawn without a file.")
@click.option(
    "--baskets-format",
    type=click.Choice(sorted(FORMATS)),
    default="online-retail",
    show_default=True,
    help="What that file holds.",
)
@click.option(
    "--past", type=click.IntRange(-1), default=0, help="Customers with a past, end to end: 0 all, -1 none."
)
@click.option(
    "--partitions",
    type=click.IntRange(1),
    default=4,
    show_default=True,
    help="Partitions of each keyed topic.",
)
@click.option(
    "--runs", type=click.IntRange(1), default=3, show_default=True, help="How often, in one process."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=RESULTS,
    show_default=True,
    help="Folder of the results, one file for each scenario.",
)
@click.pass_context
def bench(
    ctx: click.Context,
    names: tuple[str, ...],
    events: int | None,
    items: tuple[int, ...],
    sessions: int | None,
    sessions_file: Path | None,
    sessions_format: str,
    baskets_file: Path | None,
    baskets_format: str,
    past: int,
    partitions: int,
    runs: int,
    out: Path,
) -> None:
    """Measure bench-1: on a real Kafka, with a worker and a producer on this machine; and in one process.

    Only the scenarios whose names begin with e2e need a broker; the others count processor time, but for
    start and restore. What is measured of a file has a results file of its own.
    """
    if ctx.invoked_subcommand is not None:
        return
    console = Console(stderr=True)
    out.mkdir(parents=True, exist_ok=True)
    for name in alone.NAMES:
        if not names or name in names:
            _alone(name, catalog.planned(alone.Plan, count=events, items=items), runs, out, console)
    for name in catalog.NAMES:
        if not names or name in names:
            plan = catalog.plan_of(
                name,
                count=events,
                items=items,
                sizes=items,
                sessions=sessions,
                sessions_file=sessions_file,
                sessions_format=sessions_format,
                baskets_file=baskets_file,
                baskets_format=baskets_format,
            )
            _figures(name, plan, runs, out, console)
    chosen = [each for each in SCENARIOS if not names or each.name in names]
    if not chosen:
        return
    if events is not None:
        chosen = [msgspec.structs.replace(each, events=events) for each in chosen]
    folder = Path(tempfile.mkdtemp(prefix="freshrec-bench-"))
    console.print("warming up: a fresh Kafka, a worker, the catalogue and the customers' past")
    try:
        # However it is ended, its broker and its worker end with it.
        with interruptible():
            results = run(chosen, folder, partitions=partitions, past=past)
            for scenario, result in zip(chosen, results, strict=True):
                settings = msgspec.to_builtins(scenario) | {"partitions": partitions, "past": past}
                path = _written(out, scenario.name, settings, result)
                _show(result, console)
                click.echo(str(path))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _alone(name: str, plan: alone.Plan, runs: int, out: Path, console: Console) -> None:
    with console.status(f"{name}: {runs} runs"):
        result = alone.measure(name, plan, runs=runs)
    path = _written(out, name, msgspec.to_builtins(plan) | {"runs": runs}, result)
    table = Table("figure", "min", "median", "max", title=name)
    what = "lists" if name == alone.REFRESH else "events"
    rows = {f"{what} per second of a core": result.per_s}
    rows |= {f"us, {part}": spread for part, spread in result.us.items()}
    if result.times_plain is not None:
        rows["times as long as plain dicts"] = result.times_plain
    for label, spread in rows.items():
        table.add_row(label, *_cells(spread))
    console.print(table)
    click.echo(str(path))


def _figures(name: str, plan: msgspec.Struct, runs: int, out: Path, console: Console) -> None:
    with console.status(f"{name}: {runs} runs"):
        result = catalog.measure(name, plan, runs=runs)
    path = _written(out, result.scenario, catalog.told(plan) | {"runs": runs}, result)
    table = Table("figure", "min", "median", "max", "bar", title=result.scenario)
    bars = {bar.figure: bar for bar in result.bars}
    for figure, spread in result.figures.items():
        bar = bars.get(figure)
        told = (
            "" if bar is None else f"{'<=' if bar.at_most else '>='} {bar.value:,g}{'' if bar.met else ' !'}"
        )
        table.add_row(figure, *_cells(spread), told)
    console.print(table)
    click.echo(str(path))


def _cells(spread: Spread) -> list[str]:
    return [f"{each:,.6g}" for each in (spread.min, spread.median, spread.max)]


def _written(
    out: Path, name: str, settings: dict[str, object], result: Result | alone.Alone | Figures
) -> Path:
    document = {
        "settings": settings,
        "environment": ENVIRONMENT,
        "machine": describe(),
        "result": msgspec.to_builtins(result),
    }
    path = out / f"{name}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")
    return path


@bench.command()
@click.argument("before", type=click.Path(exists=True, path_type=Path))
@click.argument("after", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--most-worse",
    type=click.FloatRange(0, min_open=True),
    metavar="SHARE",
    help="Fail where a figure is worse by more than this share, as in 0.3.",
)
def compare(before: Path, after: Path, most_worse: float | None) -> None:
    """Hold two results files, or two folders of them, against each other.

    Ratios mean something where both were measured on one machine.
    """
    table = Table("scenario", "figure", "before", "after", "times as good")
    worse = 0
    for each in compared(before, after):
        bad = most_worse is not None and each.better is not None and each.better < 1 / (1 + most_worse)
        worse += bad
        told = "" if each.better is None else f"{each.better:.2f}{' !' if bad else ''}"
        table.add_row(each.scenario, each.figure, f"{each.before:,g}", f"{each.after:,g}", told)
    Console().print(table)
    if worse:
        raise WorseError(f"{worse} figures are worse by more than {most_worse:.0%}; they are marked !")


@bench.command()
@click.argument("results", type=click.Path(exists=True, path_type=Path), default=RESULTS)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=RESULTS / "report.html",
    show_default=True,
    help="The page.",
)
def report(results: Path, out: Path) -> None:
    """Write one page of the results in a folder or file: each figure, and what it has to reach."""
    write_text(out, page(results_of(results)))
    click.echo(str(out))


class WorseError(FreshrecError):
    """A benchmark got worse by more than was allowed."""


def _show(result: Result, console: Console) -> None:
    table = Table("figure", "value", title=result.scenario)
    table.add_row("learned per second", f"{result.learned_per_s:,.0f}")
    table.add_row("sent per second", f"{result.sent_per_s:,.0f}")
    table.add_row("warm-up, s", f"{result.warm_up_s:.0f}")
    for role, share in sorted(result.cpu_share.items()):
        table.add_row(f"CPU of {role}", f"{share:.0%}")
    if result.lists is not None:
        table.add_row("customers refreshed per second", f"{result.lists.customers_per_s:,.0f}")
        table.add_row(
            "latency p50 / p95 / p99, ms",
            f"{result.lists.p50_ms} / {result.lists.p95_ms} / {result.lists.p99_ms}",
        )
    console.print(table)
