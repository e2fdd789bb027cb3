"""What other tools say of deploy/: hadolint of the Dockerfile, the compose specification of the services."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.markdown_pages import ROOT

pytestmark = pytest.mark.slow

BIN = Path(sys.executable).parent


def ran(*arguments: str) -> "subprocess.CompletedProcess[str]":
    assert (BIN / arguments[0]).exists(), f"{arguments[0]} is missing: pip install 'freshrec[deploy]'"
    return subprocess.run(  # noqa: S603  # a command of our own
        [BIN / arguments[0], *arguments[1:]], capture_output=True, text=True, cwd=ROOT, check=False
    )


def test_hadolint_has_nothing_against_the_dockerfile() -> None:
    done = ran("hadolint", "--failure-threshold", "info", "deploy/Dockerfile")
    assert (done.returncode, done.stdout) == (0, "")


def test_hadolint_would_say_so(tmp_path: Path) -> None:
    wrong = tmp_path / "Dockerfile"
    wrong.write_text("FROM debian\nRUN cd /tmp && sudo true\n")
    assert ran("hadolint", str(wrong)).returncode != 0


@pytest.mark.parametrize("name", ["docker-compose.yml", "deploy/three-brokers.yml"])
def test_services_are_written_as_the_compose_specification_has_it(name: str) -> None:
    done = ran("check-jsonschema", "--builtin-schema", "vendor.compose-spec", name)
    assert done.returncode == 0, done.stdout


def test_a_service_that_is_not_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "compose.yml"
    wrong.write_text("services: {kafka: {imagge: apache/kafka}}\n")
    assert ran("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(wrong)).returncode != 0
