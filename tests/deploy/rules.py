"""The rules of deploy/prometheus as data: alerts, what they ask for, and what their tests say."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.markdown_pages import ROOT

PROMETHEUS = ROOT / "deploy" / "prometheus"
RULE_FILES = sorted((PROMETHEUS / "rules").glob("*.yml"))
TEST_FILES = sorted((PROMETHEUS / "tests").glob("*.yml"))


class Rule(NamedTuple):
    """An alert, or a series that is recorded."""

    file: str
    name: str
    expression: str
    alert: bool
    labels: dict[str, str]
    annotations: dict[str, str]


def _rules(path: Path) -> list[Rule]:
    groups = yaml.safe_load(path.read_text())["groups"]
    return [_rule(path.name, each) for group in groups for each in group["rules"]]


def _rule(file: str, each: dict[str, Any]) -> Rule:
    name, alert = each.get("alert") or each["record"], "alert" in each
    return Rule(file, name, each["expr"], alert, each.get("labels", {}), each.get("annotations", {}))


RULES = [rule for path in RULE_FILES for rule in _rules(path)]
ALERTS = [rule for rule in RULES if rule.alert]


def metrics_in(expression: str) -> set[str]:
    """Names of series that an expression asks for: freshrec's own, of the process, and recorded ones.

    >>> sorted(metrics_in('sum(freshrec_lag_records{topic="freshrec_x"}) > freshrec:lists:rate5m'))
    ['freshrec:lists:rate5m', 'freshrec_lag_records']
    """
    bare = re.sub(r'"[^"]*"', '""', expression)
    return set(re.findall(r"(?<![\w:])(?:\w+:)?(?:freshrec|process)[_:][\w:]+", bare))
