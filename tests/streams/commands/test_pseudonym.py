"""`freshrec pseudonym`, and how plain ids find what is kept under pseudonyms."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from streams.cli import run
from streams.pseudonyms import Pseudonyms
from streams.secrets import Hidden

WORD = "0123456789abcdef0123456789abcdef"
PSEUDONYMS = Pseudonyms(Hidden(WORD))
AT = 1_700_000_000_000


@pytest.fixture(autouse=True)
def with_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("FRESHREC_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key").write_text(WORD)
    monkeypatch.setenv("FRESHREC_PRIVACY__PSEUDONYM_KEY_FILE", "key")
    monkeypatch.setenv("FRESHREC_KAFKA__PARTITIONS", "1")
    monkeypatch.setenv("FRESHREC_SEGMENTS__CLUSTERS", "1")
    monkeypatch.setenv("FRESHREC_SEGMENTS__WARMUP_SAMPLES", "2")


def test_it_prints_what_the_topics_know_somebody_by(capsys: pytest.CaptureFixture[str]) -> None:
    for options, expected in (
        ([], PSEUDONYMS.user("anna")),
        (["--session"], PSEUDONYMS.session("anna")),
        (["--order"], PSEUDONYMS.order("anna")),
    ):
        assert run(["pseudonym", "anna", *options]) == 0
        assert capsys.readouterr().out == f"{expected}\n"


def test_without_a_key_it_says_how_to_set_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FRESHREC_PRIVACY__PSEUDONYM_KEY_FILE")
    assert run(["pseudonym", "anna"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "privacy.pseudonym_key_file" in captured.err and "FRESHREC_PRIVACY__PSEUDONYM_KEY" in captured.err


def _replayed() -> None:
    visits = [
        ("tea", {"user_id": "anna", "session_id": "cookie-a"}),
        ("cup", {"user_id": "anna", "session_id": "cookie-a"}),
        ("tea", {"user_id": "ben", "session_id": "cookie-b"}),
        ("tea", {"session_id": "cookie-c"}),
    ]
    events = [
        {"type": "browse", "event_id": f"b-{n}", "item_id": item, "at": AT + n * 1_000} | who
        for n, (item, who) in enumerate(visits)
    ]
    Path("shop.jsonl").write_text("".join(json.dumps(each) + "\n" for each in events))
    assert run(["replay", "shop.jsonl", "--format", "jsonl", "--state", "state", "--out", "lists"]) == 0


def test_plain_ids_find_what_a_replay_keeps_and_publishes_under_pseudonyms(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _replayed()
    capsys.readouterr()

    def answer(*arguments: str) -> Any:
        assert run([*arguments, "--state", "state", "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    anna, session = PSEUDONYMS.user("anna"), PSEUDONYMS.session("cookie-a")
    found = answer("recommend", "anna")
    assert (found["user_id"], found["session_id"]) == (anna, session)
    assert answer("segment", "anna")["user_id"] == anna
    guest = answer("recommend", "cookie-c")
    assert (guest["user_id"], guest["session_id"]) == (None, PSEUDONYMS.session("cookie-c"))
    lists = Path("lists").read_text()
    assert anna in lists
    assert not [name for name in ("anna", "ben", "cookie-") if name in lists]
    assert run(["recommend", anna, "--state", "state", "--json"]) == 3


def test_another_key_finds_nobody_and_is_refused_where_it_would_write(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _replayed()
    monkeypatch.setenv("FRESHREC_PRIVACY__PSEUDONYM_KEY", WORD[::-1])
    assert run(["recommend", "anna", "--state", "state", "--json"]) == 3
    assert run(["replay", "shop.jsonl", "--format", "jsonl", "--state", "state"]) == 1
    said = capsys.readouterr().err
    assert "privacy.pseudonym_key was" in said
    assert WORD not in said and WORD[::-1] not in said
