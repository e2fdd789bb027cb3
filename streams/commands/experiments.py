"""`freshrec experiments`: what came of each variant, and what follows from it now. Reads, changes nothing."""

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from online_models.experiments.report import report
from online_models.experiments.tallies import merged
from schemas.experiments import ArmReport, ExperimentReport, MetricReport
from schemas.settings import Settings
from streams.commands.answers import NOT_FOUND, answer_options, print_json, stored_views
from streams.commands.context import pass_settings
from streams.errors import NotFoundError

_PER_CENT = frozenset({"click_through", "list_conversion", "conversion", "repeat_purchase", "satisfaction"})


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
            figures.add_row(*_row(metric.metric, arm, arm.metrics[place]))
    console.print(figures)
    ratio = found.sample_ratio
    judged = "MISMATCH: find out why before anything else" if ratio.mismatch else "as set"
    console.print(f"shares of customers: {judged} (p {ratio.p_value:.3g})")
    for arm in found.arms:
        if arm.variant != found.control:
            console.print(f"{arm.variant}: {arm.verdict}")


def _row(name: str, arm: ArmReport, metric: MetricReport) -> tuple[str, ...]:
    if metric.value is None or metric.low is None or metric.high is None:
        return name, arm.variant, "", "", "", "", ""
    shown = (name, arm.variant, _figure(name, metric.value), _ends(name, metric.low, metric.high))
    compared = metric.against_control
    if compared is None:
        return *shown, "", "", ""
    relative = "" if compared.relative is None else f" ({compared.relative:+.1%})"
    gained = f"{_figure(name, compared.difference, sign='+')}{relative}"
    return *shown, gained, _ends(name, compared.low, compared.high, sign="+"), f"{compared.p_value:.3g}"


def _figure(name: str, value: float, *, sign: str = "") -> str:
    return format(value, f"{sign}.2%" if name in _PER_CENT else f"{sign}.3f")


def _ends(name: str, low: float, high: float, *, sign: str = "") -> str:
    return f"{_figure(name, low, sign=sign)} to {_figure(name, high, sign=sign)}"
