"""Scenario `start`: commands are started in processes of their own, and one that fails is told."""

import pytest

from streams.bench import start
from streams.bench.start import Plan, StartError, measure


def test_what_is_started_takes_longer_than_the_interpreter_alone() -> None:
    found = {name: spread.median for name, spread in measure(Plan(count=1), runs=1).figures.items()}
    for name in ("faust", "worker", "worker_process"):
        assert found[f"{name}_cpu_seconds"] > found["python_cpu_seconds"] > 0
    assert found["help_times_faust"] == pytest.approx(
        found["help_cpu_seconds"] / found["faust_cpu_seconds"], rel=0.01
    )


def test_a_command_that_fails_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "COMMANDS", {"wrong": ("-c", "raise SystemExit('no such shop')")})
    with pytest.raises(StartError, match="no such shop"):
        measure(Plan(count=1), runs=1)
