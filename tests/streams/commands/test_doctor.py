"""`freshrec doctor`: what it prints and its exit code, where there is no broker."""

import json
import socket
from pathlib import Path

import pytest

from streams.cli import run


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("FRESHREC_KAFKA__BOOTSTRAP_SERVERS", address)
    return address


def test_what_is_wrong_makes_it_exit_with_1_and_stands_with_what_to_do(
    no_broker: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["doctor", "--state", str(tmp_path / "[bold]")]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ok    disk  ")
    assert lines[1] == f"WRONG state   there are no stores in {tmp_path}/[bold]"
    assert lines[2].strip().startswith("→ run 'freshrec worker'")
    assert lines[3].startswith("ok    erasure no trace")
    assert lines[4].startswith(f"WRONG broker  no Kafka broker answers at {no_broker}")


def test_json_holds_every_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json", "--state", str(tmp_path)]) == 1

    told = json.loads(capsys.readouterr().out)
    assert not told["ok"]
    assert [(each["name"], each["ok"]) for each in told["findings"]] == [
        ("disk", True),
        ("state", False),
        ("erasure", True),
        ("broker", False),
    ]
    assert set(told["findings"][0]) == {"name", "ok", "cause", "what_to_do"}
