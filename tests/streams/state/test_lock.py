"""Workers share a state directory; a command that changes stores has it alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from streams.errors import StateError
from streams.state.lock import exclusive, shared


def test_workers_share_a_state_directory(tmp_path: Path) -> None:
    with shared(tmp_path / "state"), shared(tmp_path / "state"):
        assert (tmp_path / "state").is_dir()


def test_beside_a_worker_nothing_is_changed(tmp_path: Path) -> None:
    with shared(tmp_path), pytest.raises(StateError, match="stop every worker first"), exclusive(tmp_path):
        pass
    with exclusive(tmp_path):
        pass


def test_while_stores_are_changed_no_worker_starts(tmp_path: Path) -> None:
    with exclusive(tmp_path), pytest.raises(StateError, match="is changing the stores"), shared(tmp_path):
        pass


def test_the_lock_ends_with_the_process_that_had_it(tmp_path: Path) -> None:
    hold = "import sys, time, pathlib; from streams.state.lock import exclusive\n"
    hold += "with exclusive(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"
    command = [sys.executable, "-c", hold, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:  # noqa: S603  # our own interpreter
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(StateError), exclusive(tmp_path):
            pass
        other.kill()
    with exclusive(tmp_path):
        pass
