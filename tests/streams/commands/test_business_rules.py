"""`freshrec business-rules`: what a file says, in a table or as JSON, and what is wrong with it."""

import json
import re
from pathlib import Path

import pytest

from streams.cli import run
from tests.streams.test_rules_file import GOOD

PINNED = """
[[rule]]
name = "of the week"
action = "pin"
items = ["a", "b", "c", "d"]
position = 1
locations = ["DE"]
price_from = 1.5
price_to = 9
"""


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "rules.toml").write_text(GOOD + PINNED)
    return tmp_path / "rules.toml"


def test_a_good_file_is_shown_as_it_is_understood(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["business-rules", rules.name]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for part in (
        "no knives exclude categories knives everybody always",
        "boost by 2 tags advent everybody from 2026-11-30",
        "pin at 1",
        "items a, b, c and 1 more",
        "3 rules; nothing is wrong with rules.toml",
    ):
        assert part in shown


def test_the_file_of_the_settings_is_checked_by_default(
    rules: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["business-rules"]) == 1
    assert "there is no file to check" in capsys.readouterr().err
    monkeypatch.setenv("FRESHREC_RECOMMEND__RULES_FILE", rules.name)
    assert run(["business-rules", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [rule["name"] for rule in told] == ["no knives", "advent", "of the week"]
    assert told[1]["from"] == "2026-12-01T00:00:00+01:00"


def test_a_fault_is_named_with_its_line(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules.write_text(GOOD.replace("factor = 2", "factor = 0"))
    assert run(["business-rules", rules.name]) == 1
    assert "rules.toml, line 6: rule advent: Expected `float` > 0.0" in capsys.readouterr().err


def test_the_page_shows_what_the_command_prints_of_its_file(
    rules: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[3] / "docs" / "fitting-in.md").read_text()
    (text,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (shown,) = re.findall(
        r"```sh\nfreshrec business-rules rules.toml\n```\n\n```text\n(.*?)```", page, re.DOTALL
    )
    rules.write_text(text)
    monkeypatch.setenv("COLUMNS", "110")
    assert run(["business-rules", "rules.toml"]) == 0
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == shown.splitlines()
