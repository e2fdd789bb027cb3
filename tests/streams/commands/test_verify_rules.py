from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.commands.verify_rules import verify_rules
from streams.verifying import Comparison


@pytest.fixture
def baskets(tmp_path: Path) -> Path:
    file = tmp_path / "baskets.csv"
    file.write_text("tea,cup\ntea,cup,pot\ntea,pot\ncup\n")
    return file


def test_equal_rules_are_told_with_what_was_compared(baskets: Path) -> None:
    told = CliRunner().invoke(verify_rules, [str(baskets), "--format", "baskets", "--min-support", "0.1"])
    assert told.exit_code == 0
    lines = {" ".join(line.split()) for line in told.stdout.splitlines()}
    assert {"purchases 4", "items learned 3", "pairs learned 3", "rules compared 6", "equal"} <= lines


def test_a_difference_is_told_and_exits_with_1(baskets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def differing(baskets: list[list[str]], min_support: float) -> Comparison:
        assert (len(baskets), min_support) == (4, 0.01)
        return Comparison(differences=[f"count of item {n}: learned 1, mlxtend 2" for n in range(30)])

    monkeypatch.setattr("streams.commands.verify_rules.compare", differing)
    told = CliRunner().invoke(verify_rules, [str(baskets), "--format", "baskets"])
    assert told.exit_code == 1
    assert "count of item 0: learned 1, mlxtend 2" in told.stdout
    assert "count of item 20" not in told.stdout
    assert told.stdout.splitlines()[-1] == "30 differences"


@pytest.mark.parametrize(
    "arguments", [["--format", "parquet"], ["--min-support", "0.1"], ["--min-support", "0"]]
)
def test_wrong_usage_exits_with_2(baskets: Path, arguments: list[str]) -> None:
    assert CliRunner().invoke(verify_rules, [str(baskets), *arguments]).exit_code == 2
