"""`freshrec topics` without a broker; with one, see the integration tests."""

import json
import re
import socket

import pytest

from streams.cli import run


@pytest.mark.parametrize("command", ["create", "list"])
def test_without_a_broker_it_fails_and_says_what_to_do(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        monkeypatch.setenv("FRESHREC_KAFKA__BOOTSTRAP_SERVERS", address)
        assert run(["topics", command]) == 1

    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"no Kafka broker answers at {address}" in captured.err
    assert "freshrec kafka up" in captured.err


def test_acls_are_printed_for_people_and_as_json_without_a_broker(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FRESHREC_KAFKA__TOPIC_PREFIX", "shop-")
    monkeypatch.setenv("FRESHREC_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1")
    assert run(["topics", "acls", "--worker", "User:CN=w"]) == 0
    said = capsys.readouterr().out
    assert "User:CN=w: freshrec worker" in said
    assert re.search(r"group +shop-freshrec-rules\* +READ", said)
    assert run(["topics", "acls", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {
        "role": "reader",
        "principal": "User:reader",
        "resource": "topic",
        "name": "shop-recommendations",
        "pattern": "literal",
        "operations": ["READ"],
    } in found
