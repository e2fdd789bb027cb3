"""`freshrec verify-rules`: rules learned event by event, compared with a batch count. Reads one file only."""

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from streams.formats import FORMATS
from streams.verifying import TOLERANCE, Comparison, compare, read_baskets

SHOWN_DIFFERENCES = 20


@click.command("verify-rules")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--format", "format_", type=click.Choice(sorted(FORMATS)), required=True, help="What FILE holds."
)
@click.option(
    "--min-support",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.01,
    show_default=True,
    help="Pairs in a smaller share of all purchases are learned, but not compared.",
)
@click.pass_context
def verify_rules(ctx: click.Context, *, file: Path, format_: str, min_support: float) -> None:
    """Compare rules learned from the purchases of FILE with those that mlxtend mines.

    Bounds and decay are off. Counts have to be the same, measures equal to 1e-9; exit code 1 when anything
    differs. Needs mlxtend.
    """
    found = compare(read_baskets(file, format_), min_support)
    console = Console(markup=False, highlight=False)
    console.print(_table(found))
    for difference in found.differences[:SHOWN_DIFFERENCES]:
        console.print(difference)
    if found.differences:
        console.print(f"{len(found.differences)} differences")
        ctx.exit(1)
    console.print("equal")


def _table(found: Comparison) -> Table:
    table = Table(box=None, show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    for name, value in (
        ("purchases", f"{found.baskets:,}"),
        ("items learned", f"{found.items:,}"),
        ("pairs learned", f"{found.pairs:,}"),
        ("frequent items and pairs compared", f"{found.counts_compared:,}"),
        ("rules compared", f"{found.rules_compared:,}"),
        ("largest difference of a measure", f"{found.largest_difference:.1e} (allowed {TOLERANCE:.0e})"),
        ("seconds, event by event", f"{found.learn_seconds:.2f}"),
        ("seconds, mlxtend", f"{found.batch_seconds:.2f}"),
    ):
        table.add_row(name, value)
    return table
