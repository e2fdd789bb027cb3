"""The analysis of all customers as one web page: no script, no font and no picture from anywhere else."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape

from streams.analysis import Analysis, Rising

Titles = Mapping[str, str]
"""Title of each item by its id."""

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem;color:#1b1f24}"
    "table{border-collapse:collapse;width:100%;margin:.5rem 0 2rem}"
    "th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #d9dee3}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}"
    "@media(prefers-color-scheme:dark){body{background:#14171a;color:#e3e6e8}th,td{border-color:#353b41}}"
)


def page(found: Analysis, titles: Titles) -> str:
    """Write the page.

    Examples
    --------
    >>> from streams.analysis import NeedsOfAll, Trends
    >>> nothing = Analysis(0, 0, 0, [], None, [], Trends(60, [], [], [], []),
    ...                    NeedsOfAll(60, [], None, None, None, None))
    >>> print(page(nothing, {})[:38])
    <!doctype html>
    <html lang="en"><head>
    """
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><title>Customers</title>',
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>',
        f"<h1>Customers</h1><p>{found.customers:,} customers, as of {_day(found.at)} UTC.</p>",
        *_segments(found),
        *_needs(found),
        *_rules(found, titles),
        *_trends(found, titles),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _segments(found: Analysis) -> Iterable[str]:
    yield "<h2>Segments</h2>"
    rows = [
        (
            *(each.segment, f"{each.size:,}", days(each.recency_s), f"{each.frequency:.1f}"),
            *(f"{each.monetary:.2f}", ", ".join(each.top_categories)),
        )
        for each in found.segments
    ]
    yield _table(("segment", "customers", "last seen", "orders", "spent", "categories"), rows, "1234")
    if found.stability is not None:
        told = found.stability
        yield (
            f"<p>{told.kept_share:.1%} of {told.customers:,} customers are where they were last told to be "
            f"(adjusted Rand index {told.adjusted_rand:.2f}).</p>"
        )


def _needs(found: Analysis) -> Iterable[str]:
    needs = found.needs
    yield f"<h2>Needs of {found.looked_at:,} customers</h2>"
    if needs.buyers is not None:
        yield (
            f"<p>Within {days(needs.horizon_s)} {needs.buyers:,.0f} are expected to buy, for "
            f"{needs.spending:,.2f}; {needs.at_risk:,} who came often are likelier lost than not.</p>"
        )
    rows = [(each.category, f"{each.customers:,.1f}") for each in needs.next_categories]
    yield _table(("next category", "customers"), rows, "1")


def _rules(found: Analysis, titles: Titles) -> Iterable[str]:
    yield "<h2>Strongest rules</h2>"
    rows = [
        (
            *(each.scope, name(each.item_id, titles), name(each.rule.item_id, titles)),
            *(f"{each.rule.count:g}", f"{each.rule.lift:.1f}", f"{each.rule.llr:.1f}"),
        )
        for each in found.rules
    ]
    yield _table(("in", "item", "goes with", "count", "lift", "log likelihood ratio"), rows, "345")


def _trends(found: Analysis, titles: Titles) -> Iterable[str]:
    trends = found.trends
    yield f"<h2>Trends within {days(trends.window_s)}</h2>"
    for what, rising in (
        ("rising categories", trends.rising_categories),
        ("falling categories", trends.falling_categories),
        ("rising items", trends.rising_items),
        ("falling items", trends.falling_items),
    ):
        rows = [trend_row(each, titles) for each in rising]
        yield _table((what, "before", "of late", "share"), rows, "123")


def trend_row(each: Rising, titles: Titles) -> tuple[str, str, str, str]:
    """One line of a table of trends."""
    return name(each.name, titles), f"{each.older:,}", f"{each.newer:,}", f"{each.growth:+.2%}"


def name(item: str, titles: Titles) -> str:
    """An item with its title."""
    return f"{item} {titles[item]}" if titles.get(item) else item


def days(seconds: float) -> str:
    """A span of time in the unit that reads best.

    Examples
    --------
    >>> days(604_800), days(7_200), days(90)
    ('7.0 days', '2.0 hours', '90 seconds')
    """
    if seconds >= 86_400:
        return f"{seconds / 86_400:.1f} days"
    return f"{seconds / 3_600:.1f} hours" if seconds >= 3_600 else f"{seconds:.0f} seconds"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]], numbers: str) -> str:
    """A table; `numbers` are the places of the columns with numbers."""
    classes = ['class="n"' if str(place) in numbers else "" for place in range(len(heads))]
    head = "".join(f"<th {how}>{escape(each)}</th>" for each, how in zip(heads, classes, strict=True))
    body = "".join(
        "<tr>"
        + "".join(f"<td {how}>{escape(each)}</td>" for each, how in zip(row, classes, strict=True))
        + "</tr>\n"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table>"


def _day(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M}"
