"""`freshrec experiments` on the state of a replay: figures, words and codes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from online_models.experiments.assignment import Assignment
from streams.cli import run
from streams.config import load

AT = 1_700_000_000_000
SETTINGS = """
[kafka]
partitions = 1

[experiments.length]
goal = "conversion"
ends_at = 2099-01-01T00:00:00Z

[experiments.length.variants.control]
share = 0.5

[experiments.length.variants.long]
share = 0.5
recommend.k = 20

[experiments.quiet]
starts_at = 2100-01-01T00:00:00Z

[experiments.quiet.variants.control]
share = 0.5

[experiments.quiet.variants.other]
share = 0.5
"""


def messages() -> Iterator[dict[str, Any]]:
    """Two hundred customers are shown a list; all of the longer ones, and hardly anybody else, then order."""
    assignment = Assignment(load(Path("freshrec.toml"), {}).settings.experiments)
    for n in range(200):
        user, at = f"c-{n}", AT + n * 10_000
        arm = assignment.arm_of(f"u:{user}", at)
        person: dict[str, Any] = {"user_id": user, "at": at}
        yield {"type": "browse", "event_id": f"b-{n}", "item_id": "tea", **person}
        shown = {"recommendation_id": f"r-{n}", "items": ["tea", "cup"]}
        yield {"type": "impression", "event_id": f"v-{n}", **shown, **person}
        if arm == "length:long" or n % 10 == 0:
            lines = [{"item_id": "tea", "quantity": 1, "unit_price": 2.5}]
            yield {"type": "purchase", "order_id": f"o-{n}", "lines": lines, **person}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("freshrec.toml").write_text(SETTINGS)
        Path("events.jsonl").write_text("".join(json.dumps(each) + "\n" for each in messages()))
        assert run(["replay", "events.jsonl", "--format", "jsonl", "--state", "state", "--out", "lists"]) == 0
    return folder


@pytest.fixture(autouse=True)
def in_the_shop(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop)
    monkeypatch.setenv("COLUMNS", "200")


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run(["experiments", *arguments, "--state", "state", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_figures_are_those_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = answer(capsys, "length")
    control, longer = found["arms"]
    events = [json.loads(line) for line in Path("events.jsonl").read_text().splitlines()]
    orders = sum(each["type"] == "purchase" for each in events)
    assert control["customers"] + longer["customers"] == control["lists"] + longer["lists"] == 200
    assert longer["buyers"] == longer["customers"]
    assert control["buyers"] + longer["buyers"] == control["orders"] + longer["orders"] == orders
    assert control["revenue"] + longer["revenue"] == 2.5 * orders
    assert found["sample_ratio"]["mismatch"] is False


def test_a_difference_that_large_has_a_verdict_and_one_that_nobody_saw_has_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    length, quiet = answer(capsys)
    assert [arm["verdict"] for arm in length["arms"]] == ["the control", "better than the control"]
    assert [arm["verdict"] for arm in quiet["arms"]] == ["the control", "too early to tell"]
    assert [arm["customers"] for arm in quiet["arms"]] == [0, 0]


def test_the_table_says_it_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["experiments", "--state", "state"]) == 0
    shown = capsys.readouterr().out
    assert "length: decided by conversion" in shown
    assert "long: better than the control" in shown
    assert "other: too early to tell" in shown
    assert "shares of customers: as set" in shown


def test_a_list_from_the_state_is_that_of_the_variant(capsys: pytest.CaptureFixture[str]) -> None:
    given = [json.loads(line) for line in Path("lists").read_text().splitlines()]
    assert {each["variant"] for each in given} == {"length:control", "length:long"}
    newest = given[-1]
    assert run(["recommend", newest["user_id"], "--state", "state", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["variant"] == newest["variant"]


def test_an_unknown_experiment_is_not_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["experiments", "none", "--state", "state"]) == 3
    assert "there is no experiment 'none'" in capsys.readouterr().err
    assert run(["experiments", "none", "--state", "state", "--json"]) == 3
    assert json.loads(capsys.readouterr().out) == []


def test_the_settings_are_shown_with_all_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["experiments.length.goal"]["value"] == "conversion"
    assert told["experiments.length.variants.long.recommend.k"]["value"] == 20
