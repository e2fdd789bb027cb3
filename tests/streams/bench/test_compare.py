"""Two results side by side: which figures are better, and when that is a failure."""

import json
from pathlib import Path
from typing import Any

import pytest

from streams.bench.compare import CompareError, compare
from streams.cli import run


def a_file(folder: Path, scenario: str, **result: Any) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{scenario}.json"
    path.write_text(json.dumps({"machine": {}, "result": {"scenario": scenario, **result}}))
    return path


def spread(value: float) -> dict[str, float]:
    return {"min": value / 2, "median": value, "max": 2 * value}


def test_more_per_second_and_fewer_microseconds_are_better(tmp_path: Path) -> None:
    before = a_file(tmp_path / "a", "refresh", runs=3, per_s=spread(100.0), us={"p99": spread(8.0)})
    after = a_file(tmp_path / "b", "refresh", runs=3, per_s=spread(150.0), us={"p99": spread(16.0)})
    found = {each.figure: (each.before, each.after, each.better) for each in compare(before, after)}
    assert found == {
        "runs": (3.0, 3.0, None),
        "per_s": (100.0, 150.0, 1.5),
        "us.p99": (8.0, 16.0, 0.5),
    }


def test_folders_are_compared_by_the_scenarios_that_are_in_both(tmp_path: Path) -> None:
    for folder, learned in (("a", 10.0), ("b", 20.0)):
        a_file(tmp_path / folder, "e2e-learn", learned_per_s=learned, lists=None)
    a_file(tmp_path / "a", "refresh", per_s=spread(1.0))
    (tmp_path / "b" / "notes.json").write_text("[]")
    (only,) = compare(tmp_path / "a", tmp_path / "b")
    assert (only.scenario, only.figure, only.better) == ("e2e-learn", "learned_per_s", 2.0)


def test_what_is_no_result_is_named(tmp_path: Path) -> None:
    good = a_file(tmp_path / "a", "refresh", per_s=spread(1.0))
    other = a_file(tmp_path / "b", "e2e-learn", learned_per_s=1.0)
    with pytest.raises(CompareError, match="expected a scenario that is in both"):
        compare(good, other)
    other.write_text("{}")
    with pytest.raises(CompareError, match="no result of `freshrec bench`"):
        compare(good, other)


@pytest.mark.parametrize(("allowed", "status"), [("0.3", 1), ("1.5", 0)])
def test_getting_worse_by_more_than_is_allowed_fails(
    allowed: str, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = a_file(tmp_path / "a", "e2e-learn", learned_per_s=200.0)
    after = a_file(tmp_path / "b", "e2e-learn", learned_per_s=100.0)
    assert run(["bench", "compare", str(before), str(after), "--most-worse", allowed]) == status
    shown = capsys.readouterr()
    assert "0.50" in shown.out
    assert ("worse by more than 30%" in shown.err) == (status == 1)
