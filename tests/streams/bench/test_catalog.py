"""Scenarios by name, with what was asked for on the command line."""

import json
from pathlib import Path

import pytest

from streams.bench import catalog
from streams.cli import run


def test_what_is_asked_for_is_in_the_plan_where_it_has_such_a_thing() -> None:
    plan = catalog.plan_of("scale-items", count=7, sizes=(2_000, 9_000), items=(2_000, 9_000), sessions=None)
    assert catalog.told(plan)["sizes"] == (2_000, 9_000)
    assert catalog.told(plan)["count"] == 7
    assert catalog.told(catalog.plan_of("start", count=None)) == catalog.told(catalog.plan_of("start"))


@pytest.mark.parametrize("of_file", [False, True])
def test_a_scenario_is_measured_and_written_with_its_settings(
    of_file: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--events", "80", "--runs", "2"]
    if of_file:
        file = tmp_path / "shop" / "baskets.csv"
        file.parent.mkdir()
        file.write_text("\n".join(["tea,cup,pot", "tea,mat"] * 20))
        given += ["--baskets-file", str(file), "--baskets-format", "baskets"]
    assert run(["bench", "--scenario", "rules", *given, "--out", str(tmp_path)]) == 0
    name = "rules-file" if of_file else "rules"
    path = tmp_path / f"{name}.json"
    assert capsys.readouterr().out == f"{path}\n"
    document = json.loads(path.read_text())
    assert document["settings"]["runs"] == document["result"]["runs"] == 2
    assert document["settings"]["baskets_file"] == ("shop/baskets.csv" if of_file else None)
    assert document["result"]["scenario"] == name
    assert document["result"]["figures"]["baskets"]["median"] == (40 if of_file else 80)
    assert document["machine"]["commit"]
