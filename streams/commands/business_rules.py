"""`freshrec business-rules`: check a file of the shop's own rules before anything goes by it. Reads only."""

from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from schemas.business_rules import BusinessRule
from schemas.settings import Settings
from streams.commands.answers import print_json
from streams.commands.context import pass_settings
from streams.errors import SettingsError
from streams.rules_file import RulesFile

_ALWAYS = "always"
_CONDITIONS = ("items", "categories", "brands", "tags")
_PEOPLE = ("segments", "locations", "age_bands")
_NAMED = 3
"""Values of a condition that are shown."""


@click.command("business-rules")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of the rules instead of a table.")
@pass_settings
def business_rules(settings: Settings, file: Path | None, as_json: bool) -> None:
    """Check a file of the shop's own rules, and show what it says.

    FILE is recommend.rules_file by default. A file with a fault is exit code 1; the fault is named with its
    line. (Association rules are another thing: `freshrec rules`.)
    """
    path = str(file) if file is not None else settings.recommend.rules_file
    if not path:
        raise SettingsError("there is no file to check: name one, or set recommend.rules_file")
    rules = RulesFile(path).rules.rules
    if as_json:
        print_json(rules)
        return
    table = Table("rule", "does", "to", "for", "when", box=None, header_style="bold")
    for rule in rules:
        table.add_row(rule.name, _does(rule), _about(rule), _whom(rule), _when(rule))
    console = Console(markup=False, highlight=False)
    console.print(table)
    console.print(f"{len(rules)} rules; nothing is wrong with {path}")


def _does(rule: BusinessRule) -> str:
    if rule.position is not None:
        return f"pin at {rule.position}"
    return rule.action if rule.factor is None else f"{rule.action} by {rule.factor:g}"


def _about(rule: BusinessRule) -> str:
    found = _named(rule, _CONDITIONS)
    if rule.price_from is not None:
        found.append(f"price from {rule.price_from:g}")
    if rule.price_to is not None:
        found.append(f"price to {rule.price_to:g}")
    return "; ".join(found)


def _whom(rule: BusinessRule) -> str:
    return "; ".join(_named(rule, _PEOPLE)) or "everybody"


def _named(rule: BusinessRule, conditions: tuple[str, ...]) -> list[str]:
    found = []
    for condition in conditions:
        names = getattr(rule, condition)
        if names:
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            found.append(f"{condition} {', '.join(names[:_NAMED])}{more}")
    return found


def _when(rule: BusinessRule) -> str:
    first, after = rule.window()
    parts = [] if first is None else [f"from {_time(first)}"]
    return " ".join(parts if after is None else [*parts, f"until {_time(after)}"]) or _ALWAYS


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
