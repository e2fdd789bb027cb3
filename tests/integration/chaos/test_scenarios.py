"""Short forms of the fault scenarios; `make chaos` runs the long ones. A failure says what runs the same."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.integration.chaos import scenarios
from tests.integration.chaos.outcome import Results, Run, add, read
from tests.integration.chaos.scenarios import SCENARIOS

QUICK = {"flush": 1}
"""The most telling one: a power cut at chosen steps of a flush."""

SLOW = {
    "kill": 6,
    "flush": 16,
    "taking": 20,
    "reset": 9,
    "scale": 1,
    "apart": 1,
    "disk": 2,
    "snapshot": 4,
    "older": 3,
    "slow": 2,
    "duplicates": 2,
    "poison": 20_000,
    "topics": 4,
    "send": 1,
    "broker": 1,
}

MOUNTING = {"full": 2}
"""A command of its own, which may mount a disk whoever runs it."""


def prove(name: str, kills: int, folder: Path, kafka: str) -> Run:
    run = scenarios.carry_out(name, folder, seed=kills, kills=kills, kafka=kafka)
    assert run.well, "\n".join([run.summary(), *run.faults, run.command])
    return run


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_after_a_few_faults_nothing_differs(name: str, kafka: str, tmp_path: Path) -> None:
    assert prove(name, QUICK[name], tmp_path, kafka).keys > 500


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_after_many_faults_nothing_differs(name: str, kafka: str, tmp_path: Path) -> None:
    assert prove(name, SLOW[name], tmp_path, kafka).keys > 500


@pytest.mark.kafka
@pytest.mark.slow
def test_after_disks_were_full_nothing_differs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.integration.chaos", "full", "--kills", str(MOUNTING["full"])]
    command += ["--out", str(tmp_path / "chaos.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own
    assert done.returncode == 0, done.stdout + done.stderr
    assert read(tmp_path / "chaos.json").runs[0].keys > 1_000


def test_every_scenario_but_the_long_one_has_a_short_form() -> None:
    assert {*QUICK, *SLOW, *MOUNTING} == set(SCENARIOS) - {"soak"}


def test_a_run_is_well_only_if_something_was_compared_and_nothing_differs() -> None:
    assert Run(scenario="kill", seed=1, kills=2, keys=10).well
    for wrong in ({"keys": 0}, {"differing": 1}, {"lost": 1}, {"faults": ["a worker ended with 1"]}):
        run = msgspec.convert({"scenario": "kill", "seed": 1, "kills": 2, "keys": 10, **wrong}, Run)
        assert not run.well
        assert run.summary().startswith("FAILED kill: seed 1, 2 faults")
    assert run.command == "make chaos SCENARIO=kill KILLS=2 SEED=1"


def test_runs_accumulate_with_commit_and_machine(tmp_path: Path) -> None:
    file = tmp_path / "results" / "chaos.json"
    assert read(file) == Results()
    for seed in (1, 2):
        add(Run(scenario="kill", seed=seed, kills=2, keys=10), file)
    first, second = read(file).runs
    assert (first.seed, second.seed) == (1, 2)
    assert first.commit and "Python" in first.machine
