"""`freshrec bench`: measure throughput and latency end to end; results go to a file."""

import shutil
import tempfile
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from streams.bench.machine import describe
from streams.bench.scenarios import ENVIRONMENT, SCENARIOS, Result, run

RESULTS = Path("benchmarks/results")
NAMES = tuple(scenario.name for scenario in SCENARIOS)


@click.command()
@click.option(
    "--scenario",
    "names",
    type=click.Choice(NAMES),
    multiple=True,
    help="What is measured; may be repeated, all by default.",
)
@click.option(
    "--events", type=click.IntRange(1), help="Events to send; each scenario's own number by default."
)
@click.option("--past", type=click.IntRange(-1), default=0, help="Customers with a past: 0 all, -1 none.")
@click.option(
    "--partitions",
    type=click.IntRange(1),
    default=4,
    show_default=True,
    help="Partitions of each keyed topic.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=RESULTS,
    show_default=True,
    help="Folder of the results, one file for each scenario.",
)
def bench(names: tuple[str, ...], events: int | None, past: int, partitions: int, out: Path) -> None:
    """Measure bench-1 on a real Kafka, with a worker and a producer on this machine."""
    console = Console(stderr=True)
    out.mkdir(parents=True, exist_ok=True)
    chosen = [each for each in SCENARIOS if not names or each.name in names]
    if events is not None:
        chosen = [msgspec.structs.replace(each, events=events) for each in chosen]
    folder = Path(tempfile.mkdtemp(prefix="freshrec-bench-"))
    console.print("warming up: a fresh Kafka, a worker, the catalogue and the customers' past")
    try:
        results = run(chosen, folder, partitions=partitions, past=past)
        for scenario, result in zip(chosen, results, strict=True):
            document = {
                "settings": msgspec.to_builtins(scenario) | {"partitions": partitions, "past": past},
                "environment": ENVIRONMENT,
                "machine": describe(),
                "result": msgspec.to_builtins(result),
            }
            path = out / f"{scenario.name}.json"
            path.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")
            _show(result, console)
            click.echo(str(path))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
