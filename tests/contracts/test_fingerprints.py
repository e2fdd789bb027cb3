"""Whatever setting changes what a stage learns is in the fingerprint of its store."""

from typing import Any

import msgspec
import pytest

from online_models.catalog import STEPS
from online_models.checks import digest
from schemas.settings import Settings
from streams.identity import expected_meta, learning_settings
from tests.contracts.event_logs import COUNT, TIGHT, log_for

SECTIONS = (
    "weights",
    "history",
    "attribution",
    "rules",
    "popularity",
    "segments",
    "density",
    "profiles",
    "sessions",
    "ranker",
    "trees",
    "recommend",
)
TREE: dict[str, dict[str, Any]] = msgspec.to_builtins(TIGHT)
NAMES = [(section, name) for section in SECTIONS for name in TREE[section]]


def changed(section: str, name: str) -> Settings:
    """The tight settings with another value in one place."""
    old = TREE[section][name]
    if isinstance(old, str):
        new: Any = {"entropy": "gini", "keep": "exclude", "": "rules.toml"}[old]
    else:
        new = not old if isinstance(old, bool) else old * 2 + 1 if isinstance(old, int) else old / 2
    return msgspec.convert(TREE | {section: TREE[section] | {name: new}}, Settings)


def fingerprint(stage: str, settings: Settings) -> str:
    return expected_meta(
        stage, 0, 1, settings, source="x", cluster="c", topic_id="t", pseudonym_key=""
    ).fingerprint


@pytest.mark.parametrize("stage", STEPS)
def test_a_setting_that_changes_what_is_learned_changes_the_fingerprint(stage: str) -> None:
    log = log_for(stage, "demo", COUNT, TIGHT)
    before = digest(STEPS[stage], log, TIGHT)
    deciding = {
        f"{section}.{name}"
        for section, name in NAMES
        if digest(STEPS[stage], log, changed(section, name)) != before
    }
    assert deciding <= set(learning_settings(stage, TIGHT))


@pytest.mark.parametrize("stage", STEPS)
def test_the_fingerprint_changes_with_exactly_what_it_names(stage: str) -> None:
    named = set(learning_settings(stage, TIGHT))
    differing = {
        f"{section}.{name}"
        for section, name in NAMES
        if fingerprint(stage, changed(section, name)) != fingerprint(stage, TIGHT)
    }
    assert differing == named
