"""Simulated experiments: a difference that is there is found, and results have what the page says."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from benchmarks.peeking import WORLDS, main, watched


def test_a_large_difference_is_found_early_and_none_is_not() -> None:
    found = watched("click_through", 1.0, runs=2, seed=1)
    assert found["told_apart"] == 1.0
    assert found["median_customers"] < 2_000


@pytest.mark.slow
def test_results_are_written_for_every_metric_with_settings_and_seed(tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    done = CliRunner().invoke(main, ["--runs", "1", "--seed", "3", "--out", str(out)])
    assert done.exit_code == 0, done.output
    document = msgspec.json.decode(out.read_bytes())
    assert set(document["results"]) == set(WORLDS)
    assert (document["runs"], document["seed"], document["settings"]["alpha"]) == (1, 3, 0.05)
