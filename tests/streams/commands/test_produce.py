"""`freshrec produce`: what it refuses before anything is sent; sending is tested on a real broker."""

import socket
from pathlib import Path

import pytest

from streams.cli import run


def test_a_format_must_be_named_and_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "events.csv"
    file.touch()

    assert run(["produce", str(file)]) == 2
    assert run(["produce", str(file), "--format", "csv"]) == 2
    assert "'retailrocket'" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["produce", str(tmp_path / "gone.jsonl"), "--format", "jsonl"]) == 1
    assert "gone.jsonl can't be read" in capsys.readouterr().err


def test_without_a_broker_it_fails_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text('{"type":"erasure","user_id":"u1","at":1}\n')
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("FRESHREC_KAFKA__BOOTSTRAP_SERVERS", f"127.0.0.1:{unused.getsockname()[1]}")
        assert run(["produce", str(file), "--format", "jsonl"]) == 1

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "freshrec kafka up" in captured.err
