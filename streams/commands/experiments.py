"""`freshrec experiments`: what came of each variant, and what follows from it now. Reads, changes nothing."""

from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from online_models.experiments.report import report
from online_models.experiments.tallies import merged
from schemas.experiments import ExperimentReport
from schemas.settings import Settings
from streams.commands.answers import NOT_FOUND, answer_options, print_json, stored_views
from streams.commands.context import pass_settings
from streams.errors import NotFoundError
from streams.experiment_words import metric_in_words, sentences


@click.command()
@click.argument("name", required=False)
@answer_options
@pass_settings
def experiments(settings: Settings, name: str | None, state: Path | None, as_json: bool) -> int:
    """Compare the variants of the experiments that the settings name, or of the one with NAME.

    Intervals of differences and their p-values hold at any time: look as often as you like. JSON is an array.
    """
    chosen = [each for each in settings.experiments if name in (None, each.name)]
    if name is not None and not chosen:
        if as_json:
            print_json([])
            return NOT_FOUND
        raise NotFoundError(f"there is no experiment {name!r} in the settings; `freshrec config` lists them")
    with stored_views(settings, state) as views:
        arms = merged(views.arm_tallies())
    reports = [report(each, arms) for each in chosen]
    if as_json:
        print_json(reports)
        return 0
    console = Console(markup=False, highlight=False)
    if not reports:
        console.print("no experiment is set: docs/experiments.md says how one is")
    for each in reports:
        _print(each, console)
    return 0


def _print(found: ExperimentReport, console: Console) -> None:
    counts = Table(
        "variant", "share", "customers", "lists", "clicked", "visits", "buyers", "orders", "revenue"
    )
    counts.title = f"{found.experiment}: decided by {found.goal}"
    for arm in found.arms:
        share = f"{found.sample_ratio.shares[arm.variant]:.0%}"
        numbers = (arm.customers, arm.lists, arm.clicked_lists, arm.visits, arm.buyers, arm.orders)
        counts.add_row(arm.variant, share, *(f"{n:,}" for n in numbers), f"{arm.revenue:,.2f}")
    console.print(counts)
    figures = Table("metric", "variant", "value", "95 %", "minus control", "at any time", "p")
    for place, metric in enumerate(found.arms[0].metrics):
        for arm in found.arms:
            told = metric_in_words(arm.metrics[place])
            figures.add_row(metric.metric, arm.variant, *msgspec.structs.astuple(told))
    console.print(figures)
    for about, words, _ in sentences(found):
        console.print(f"{about}: {words}")
