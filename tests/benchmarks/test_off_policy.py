"""The benchmark of off-policy estimates, from files to results, on logs whose answer is known."""

import csv
import gzip
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.off_policy import ITEMS, POLICIES, main, read_policy


def write_log(folder: Path, name: str, chances: list[float], rows: int = 4_000) -> None:
    """Item 0 is clicked by every second one, others by nobody; the first items have these chances."""
    rng = np.random.default_rng(POLICIES.index(name))
    path = folder / "obd" / name / "women.csv.gz"
    path.parent.mkdir(parents=True)
    with gzip.open(path, "wt", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["item_id", "position", "click", "propensity_score"])
        for item in rng.choice(len(chances), rows, p=chances):
            click = int(item == 0 and rng.random() < 0.5)
            out.writerow([item, rng.integers(1, 4), click, chances[item]])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_log(tmp_path, "random", [1 / ITEMS] * ITEMS)
    write_log(tmp_path, "bts", [0.5, *[0.5 / (ITEMS - 1)] * (ITEMS - 1)])
    return tmp_path


def test_a_policy_is_judged_from_the_other_one_s_log(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    done = CliRunner().invoke(main, [str(data), "--out", str(out)])
    assert done.exit_code == 0, done.output
    results = msgspec.json.decode(out.read_bytes())["results"]
    for label, truth in (("bts from random", 0.25), ("random from bts", 0.5 / ITEMS)):
        assert results[label]["on_policy"]["value"] == pytest.approx(truth, rel=0.4)
        for name in ("ips", "snips", "dr"):
            found = results[label]["weights as they are"][name]
            assert found["low"] <= truth <= found["high"]


def test_choices_are_shares_of_each_position(data: Path) -> None:
    for name in POLICIES:
        choices = read_policy(name, data).choices
        assert choices.shape == (3, ITEMS)
        assert choices.sum(axis=1) == pytest.approx(np.ones(3))
    assert read_policy("bts", data).choices[:, 0] == pytest.approx(np.full(3, 0.5), abs=0.05)


def test_absent_data_is_said(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, [str(tmp_path)])
    assert done.exit_code == 1
    assert "DATA is the folder that has obd/random" in done.output
