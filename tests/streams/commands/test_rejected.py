"""`freshrec rejected list` of a replay's state directory."""

import base64
import json
from pathlib import Path

import msgspec
import pytest

from schemas.recommendations import Rejection
from streams.cli import run
from streams.commands.rejected import SHOWN_CHARACTERS, beginning

RAW = '{"type":"glance [/b]", "\x1b[2J": "für"}'.encode()


def rejection(raw: bytes, at: int = 1_736_121_600_000) -> Rejection:
    return Rejection("unknown_type", "'glance [/b]'", "browses", 2, 17, at, base64.b64encode(raw).decode())


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "200")
    lines = [msgspec.json.encode(rejection(RAW, at)) + b"\n" for at in (1, 2, 1_736_121_600_000)]
    (tmp_path / "rejected.jsonl").write_bytes(b"".join(lines))
    return tmp_path


def test_it_shows_when_why_where_and_how_the_record_begins(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["rejected", "list", "--state", str(state), "--limit", "1"]) == 0

    header, line = capsys.readouterr().out.splitlines()
    assert header.split()[:3] == ["at", "(UTC)", "reason"]
    for shown in ("2025-01-06 00:00:00", "unknown_type", "browses/2 17", "'glance [/b]'"):
        assert shown in line
    assert r'{"type":"glance [/b]", "\x1b[2J": "für"}' in line


def test_json_holds_the_messages_as_they_are(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rejected", "list", "--state", str(state), "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert [each["at"] for each in found] == [1, 2, 1_736_121_600_000]
    assert base64.b64decode(found[0]["raw_base64"]) == RAW


def test_nothing_rejected_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rejected.jsonl").touch()
    assert run(["rejected", "list", "--state", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "nothing was rejected\n"


def test_a_folder_without_rejections_ends_with_3(tmp_path: Path) -> None:
    assert run(["rejected", "list", "--state", str(tmp_path)]) == 3


def test_a_long_record_is_cut_and_bytes_that_are_no_text_are_escaped() -> None:
    assert beginning(rejection(b"x" * 1_000)) == "x" * SHOWN_CHARACTERS + "…"
    assert beginning(rejection(b"\xff\x00")) == r"\xff\x00"
    assert beginning(Rejection("bad_value", "", "browses", 0, 0, 0, "no base64!")) == ""
