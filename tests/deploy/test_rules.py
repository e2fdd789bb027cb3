"""Alerts, their runbooks and their tests belong together; promtool itself is asked in test_promtool.py."""

import json
import re

import pytest
import yaml

from streams.monitoring import LATENCY_S, METRICS
from tests.deploy.rules import ALERTS, RULES, TEST_FILES, Rule, metrics_in
from tests.markdown_pages import ROOT, read

OPERATING = read(ROOT / "docs" / "operating.md")
SUFFIXES = ("", "_bucket", "_sum", "_count")
ASKED_OF_THE_PROCESS = {"process_open_fds", "process_max_fds"}

every_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda rule: rule.name)
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


def known_series() -> set[str]:
    own = {metric.says.name + suffix for metric in METRICS for suffix in SUFFIXES}
    return own | {rule.name for rule in RULES if not rule.alert} | ASKED_OF_THE_PROCESS


@every_rule
def test_a_rule_asks_for_series_that_exist(rule: Rule) -> None:
    asked = metrics_in(rule.expression)
    assert asked - known_series() == set()
    assert asked or "up{" in rule.expression


def test_a_series_that_is_not_there_would_be_seen() -> None:
    assert metrics_in('rate(freshrec_gone_total{topic="x"}[5m])') == {"freshrec_gone_total"}
    assert "freshrec_gone_total" not in known_series()


def test_names_are_given_once() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES) > 30


@every_alert
def test_an_alert_says_how_grave_it_is_in_a_sentence_with_a_runbook(alert: Rule) -> None:
    assert re.fullmatch(r"Freshrec([A-Z][a-z]+)+", alert.name)
    assert alert.labels["severity"] in {"page", "ticket"}
    assert alert.annotations["runbook_url"] == f"docs/operating.md#{alert.name.lower()}"
    assert set(alert.annotations) == {"summary", "runbook_url"}


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    section = OPERATING.section("Runbooks").text
    assert sorted(re.findall(r"^### (.+)$", section, re.M)) == sorted(alert.name for alert in ALERTS)


@every_alert
def test_a_runbook_says_what_to_do_in_steps_and_what_ends_the_alert(alert: Rule) -> None:
    section = OPERATING.section("Runbooks").text
    (runbook,) = re.findall(rf"^### {alert.name}\n(.*?)(?=^### |\Z)", section, re.M | re.S)
    meaning, *_ = runbook.strip().split("\n\n")
    assert len(meaning) > 60
    assert re.search(r"^1\. |```sh|See the runbook|Read the runbook|see \[Freshrec", runbook, re.M)
    assert re.search(r"^Gone ", runbook, re.M)


def test_freshness_is_measured_at_a_bucket_that_exists() -> None:
    asked = {found for rule in RULES for found in re.findall(r'le="([^"]+)"', rule.expression)}
    assert asked == {"1.0"}
    assert asked <= {str(bound) for bound in LATENCY_S}


def test_every_alert_is_tested_to_fire_and_to_be_silent() -> None:
    fires: set[str] = set()
    silent: set[str] = set()
    for path in TEST_FILES:
        for test in yaml.safe_load(path.read_text())["tests"]:
            for each in test.get("alert_rule_test", ()):
                (fires if each["exp_alerts"] else silent).add(each["alertname"])
    assert fires == silent == {alert.name for alert in ALERTS}


@pytest.mark.parametrize("scenario", ["e2e-learn", "e2e-refresh", "e2e-latency"])
def test_the_sizing_table_is_what_was_measured(scenario: str) -> None:
    measured = json.loads((ROOT / "benchmarks" / "results" / f"{scenario}.json").read_text())["result"]
    cores = sum(share for name, share in measured["cpu_share"].items() if name != "broker")
    learned = measured["learned_per_s"]
    (row,) = (line for line in OPERATING.text.splitlines() if f"(`{scenario}`)" in line)
    events, _, used, each = (cell.strip().replace(",", "") for cell in row.strip("|").split("|")[1:])
    assert (float(events), float(used)) == (round(learned), round(cores, 2))
    assert float(each) == round(learned / cores)
