"""`freshrec profile`: all that is known of a customer, as of the newest visit of all customers."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from online_models import features
from online_models.profile_answers import profile_of
from schemas.profiles import CustomerProfile, Reason, Share
from schemas.settings import Settings
from streams.commands.answers import answer_options, print_json, stored_views, unknown
from streams.commands.context import pass_settings
from streams.pseudonyms import pseudonyms_of
from streams.small_groups import told_profile
from streams.stored_views import StoredViews

_BARS = " ▁▂▃▄▅▆▇█"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@click.command()
@click.argument("user")
@answer_options
@pass_settings
def profile(settings: Settings, user: str, state: Path | None, as_json: bool) -> int:
    """Show what a customer does, is worth, likes and will need, with the reasons.

    With pseudonyms, USER is the plain id; the answer bears the pseudonym, as the topic does.
    """
    name = pseudonyms_of(settings.privacy).user(user)
    with stored_views(settings, state) as views:
        told = stored_profile(views, settings, name)
        if told is None:
            return unknown("customer", user, as_json=as_json)
        if as_json:
            print_json(told)
            return 0
        Console(markup=False).print(_table(user, told, views))
        return 0


def stored_profile(views: StoredViews, settings: Settings, name: str) -> CustomerProfile | None:
    """Conclude a customer's profile from the stores, as of the newest visit of all; None if not known."""
    row = views.profile_row(f"u:{name}")
    if row is None:
        return None
    history, centroids = views.history(f"u:{name}"), views.centroids()
    if history is not None and history.behaviour.events:
        # What the stage keeps is of the last sample; here there is time for the newest.
        row.features = features.vector(history.behaviour)
    needs, horizon_s = views.needs(), settings.profiles.horizon_s
    now = row.last_at if needs is None else needs.at
    found = profile_of(name, row, needs, centroids, views.density(), now=now, horizon_s=horizon_s)
    return told_profile(found, centroids, settings.privacy.min_customers)


def _table(user: str, told: CustomerProfile, views: StoredViews) -> Table:
    table = Table("what", "", title=f"{user}, as of {_day(told.at)}", show_header=False)
    does, value = told.behaviour, told.value
    table.add_row("does", ", ".join(f"{n} {kind}" for kind, n in does.events.items() if n) or "nothing yet")
    if does.visits:
        table.add_row("known", f"{_day(does.first_at)} to {_day(does.last_at)}, {does.visits} visits")
        table.add_row("hours (UTC)", f"0 {bars(does.hours)} 23")
        days = zip(_DAYS, does.weekdays, strict=True)
        table.add_row("weekdays", "  ".join(f"{day} {n}" for day, n in days if n))
    table.add_row("told", ", ".join(f"{name}: {text}" for name, text in told.attributes.items()) or "nothing")
    table.add_row("worth", f"{value.frequency} orders, {value.spent:.2f} in all, {value.monetary:.2f} each")
    if value.coming_back is not None:
        expected = f"; expected to spend {value.expected_spending:.2f} in {_span(told.buying.horizon_s)}"
        table.add_row("comes back", f"with a chance of {value.coming_back:.0%}{expected}")
    table.add_row("segment", told.segment or "none")
    if told.unusual is not None:
        table.add_row("group", "like hardly anybody" if told.unusual else told.group or "not told")
    table.add_row("categories", _shares(told.categories))
    table.add_row("tags", _shares(told.tags))
    table.add_row(
        "items", ", ".join(f"{_title(views, each.name)} {each.share:.0%}" for each in does.items[:5])
    )
    for each in told.next_categories[:5]:
        why = "; ".join(map(in_words, each.reasons))
        table.add_row("next visit", f"{each.category} {each.chance:.0%} ({why})")
    table.add_row(f"buys in {_span(told.buying.horizon_s)}", _buying(told))
    return table


def in_words(reason: Reason) -> str:
    """A reason for a category, as a person reads it.

    Examples
    --------
    >>> in_words({"source": "others", "chance": 0.21, "after": "teas", "count": 40})
    '40 visits of others after teas: 21%'
    """
    source, chance = reason["source"], f"{reason['chance']:.0%}"
    if source == "others":
        return f"{reason['count']} visits of others after {reason['after']}: {chance}"
    words = {"interests": "own interests", "last visit": "the last visit", "popular": "liked by all"}
    return f"{words[source]}: {chance}"


def _buying(told: CustomerProfile) -> str:
    buying = told.buying
    if buying.chance is None:
        return "not known yet: it takes some weeks of orders"
    why = "; ".join(_effect(each) for each in buying.reasons)
    return f"{buying.chance:.0%} ({why})"


def _effect(reason: Reason) -> str:
    side = "for it" if reason["effect"] > 0 else "against it"
    level: Any = reason["deviations"]
    return f"{reason['source']} {'above' if level > 0 else 'below'} others' speaks {side}"


def bars(counts: list[int]) -> str:
    """Numbers as bars of one character each.

    Examples
    --------
    >>> bars([0, 1, 8, 4])
    ' ▁█▄'
    """
    most = max([*counts, 1])
    return "".join(_BARS[-(-n * 8 // most)] for n in counts)


def _shares(shares: list[Share]) -> str:
    return ", ".join(f"{each.name} {each.share:.0%}" for each in shares) or "none yet"


def _title(views: StoredViews, item: str) -> str:
    facts = views.item(item)
    return facts.title if facts and facts.title else item


def _day(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M}"


def _span(seconds: int) -> str:
    days = seconds / 86_400
    return f"{days:g} days" if days >= 1 else f"{seconds / 3_600:g} hours"
