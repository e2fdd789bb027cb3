"""`freshrec worker`: what is refused before any process is started."""

import subprocess
import sys

import pytest

from streams.cli import run


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("URL", "carrier-pigeon://roof", "Use a folder or file://"),
        ("SIGNING_KEY_FILE", "/nowhere/key", "snapshot.signing_key_file cannot be read"),
    ],
)
def test_snapshots_that_cannot_be_kept_are_refused_at_once(
    variable: str,
    value: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FRESHREC_SNAPSHOT__URL", "memory://somewhere")
    monkeypatch.setenv(f"FRESHREC_SNAPSHOT__{variable}", value)
    assert run(["worker"]) == 1
    assert said in capsys.readouterr().err


def test_the_supervisor_is_up_without_faust_and_without_compiled_loops() -> None:
    code = "import sys, streams.commands.worker; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603  # a command of our own
    loaded = set(done.stdout.split())
    assert "streams.supervisor" in loaded
    assert loaded.isdisjoint({"faust", "numba", "aiokafka"})
