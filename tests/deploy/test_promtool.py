"""Prometheus's own tool reads the rules and runs their tests."""

import subprocess
from pathlib import Path

import pytest

from tests.deploy.rules import PROMETHEUS, RULE_FILES, TEST_FILES
from tests.tools.debian import program

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def promtool() -> Path:
    return program("prometheus", "promtool")


def ran(promtool: Path, *arguments: str | Path) -> str:
    done = subprocess.run(  # noqa: S603  # a command of our own
        [promtool, *arguments], capture_output=True, text=True, cwd=PROMETHEUS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_rules_are_read(promtool: Path) -> None:
    assert ran(promtool, "check", "rules", *RULE_FILES).count("SUCCESS") == len(RULE_FILES) >= 3


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should_and_not_when_they_should_not(promtool: Path, path: Path) -> None:
    assert "SUCCESS" in ran(promtool, "test", "rules", path)
