"""`freshrec analyse`: segments, needs, rules and trends over all customers, from a state directory."""

from collections.abc import Iterable
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from schemas.settings import Settings
from streams.analysis import Analysis, analysis
from streams.analysis_page import Titles, days, name, page, trend_row
from streams.commands.answers import answer_options, print_json, stored_views
from streams.commands.context import pass_settings
from streams.stored_views import StoredViews


@click.command()
@click.option(
    "--html",
    "page_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a web page to FILE as well.",
)
@answer_options
@pass_settings
def analyse(settings: Settings, state: Path | None, as_json: bool, page_file: Path | None) -> int:
    """Show segments, expected needs, the strongest rules, and what rises and falls."""
    with stored_views(settings, state) as views:
        found = analysis(views, settings)
        titles = _titles(found, views)
    if page_file is not None:
        page_file.write_text(page(found, titles), encoding="utf-8")
    if as_json:
        print_json(found)
        return 0
    console = Console(markup=False)
    for table in _tables(found, titles):
        console.print(table)
    for line in _lines(found):
        console.print(line)
    return 0


def _titles(found: Analysis, views: StoredViews) -> Titles:
    items = {each.item_id for each in found.rules} | {each.rule.item_id for each in found.rules}
    items |= {each.name for each in (*found.trends.rising_items, *found.trends.falling_items)}
    told = ((item, views.item(item)) for item in sorted(items))
    return {item: facts.title for item, facts in told if facts is not None and facts.title}


def _tables(found: Analysis, titles: Titles) -> Iterable[Table]:
    segments = Table("segment", "customers", "last seen", "orders", "spent", "categories", title="segments")
    for each in found.segments:
        spent, categories = f"{each.monetary:.2f}", ", ".join(each.top_categories)
        last = days(each.recency_s)
        segments.add_row(each.segment, str(each.size), last, f"{each.frequency:.1f}", spent, categories)
    yield segments
    rules = Table("in", "item", "goes with", "count", "lift", title="strongest rules")
    for rule in found.rules:
        pair = name(rule.item_id, titles), name(rule.rule.item_id, titles)
        rules.add_row(rule.scope, *pair, f"{rule.rule.count:g}", f"{rule.rule.lift:.1f}")
    yield rules
    trends = found.trends
    for title, rising in (
        ("rising categories", trends.rising_categories),
        ("rising items", trends.rising_items),
        ("falling items", trends.falling_items),
    ):
        table = Table("what", "before", "of late", "share", title=f"{title}, {days(trends.window_s)}")
        for trend in rising:
            table.add_row(*trend_row(trend, titles))
        yield table
    needs = Table("next category", "customers", title=f"needs of {found.looked_at} customers")
    for demand in found.needs.next_categories:
        needs.add_row(demand.category, f"{demand.customers:.1f}")
    yield needs


def _lines(found: Analysis) -> Iterable[str]:
    needs, stability = found.needs, found.stability
    if needs.buyers is not None:
        within = f"{needs.buyers:.0f} are expected to buy within {days(needs.horizon_s)}"
        yield f"{within}, for {needs.spending:.2f}; {needs.at_risk} who came often are likelier lost than not"
    if stability is not None:
        yield (
            f"{stability.kept_share:.1%} of {stability.customers} customers are in the segment that was told "
            f"of them last (adjusted Rand index {stability.adjusted_rand:.2f})"
        )
