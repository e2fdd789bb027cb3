"""`freshrec predict` on the state of a replay: chances that add up, paths in words, codes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.cli import run
from tests.streams.commands.test_answers import with_settings

AT, DAY_MS = 1_700_000_000_000, 86_400_000


def messages() -> Iterator[dict[str, Any]]:
    """Each day forty customers look at tea; those with an odd number put it into the cart and buy it."""
    yield {"type": "item", "item_id": "tea", "categories": ["drinks"], "at": AT}
    yield {"type": "item", "item_id": "cup", "categories": ["cups"], "at": AT}
    for visit in range(400):
        at, user = AT + visit % 40 * 60_000 + visit // 40 * DAY_MS, f"u{visit % 40}"
        browse = {"type": "browse", "user_id": user, "session_id": f"s{visit}"}
        acts = [("view", "tea"), ("cart" if visit % 2 else "view", "cup")]
        for number, (action, item) in enumerate(acts):
            told = {"event_id": f"b{visit}-{number}", "item_id": item, "action": action}
            yield browse | told | {"at": at + number * 5_000}
        if visit % 2:
            lines = [{"item_id": "cup", "quantity": 1, "unit_price": 2.5}]
            order = {"type": "purchase", "event_id": f"p{visit}", "order_id": f"o{visit}", "user_id": user}
            yield order | {"session_id": f"s{visit}", "lines": lines, "at": at + 20_000}
    guest = {"type": "browse", "event_id": "g", "session_id": "guest", "item_id": "tea", "action": "view"}
    yield guest | {"at": AT + 10 * DAY_MS}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "events.jsonl").write_text("".join(json.dumps(message) + "\n" for message in messages()))
    with pytest.MonkeyPatch.context() as patch:
        with_settings(patch)
        for name, value in (("WARM_UP", "20"), ("GRACE", "50"), ("DELTA", "0.01"), ("TIE", "0.2")):
            patch.setenv(f"FRESHREC_TREES__{name}", value)
        patch.setenv("FRESHREC_RECOMMEND__ENABLED", "false")
        patch.chdir(folder)
        assert run(["replay", "events.jsonl", "--format", "jsonl", "--state", "state"]) == 0
    return folder


@pytest.fixture(autouse=True)
def in_the_shop(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_settings(monkeypatch)
    monkeypatch.chdir(shop)


def answer(capsys: pytest.CaptureFixture[str], user: str) -> Any:
    assert run(["predict", user, "--state", "state", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def chance_of_an_order(found: Any) -> float:
    (buys, _) = found["predictions"]
    assert buys["task"] == "buys"
    return float({each["outcome"]: each["probability"] for each in buys["answers"]}["order"])


def test_chances_are_those_of_the_leaf_and_the_path_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    often, never = answer(capsys, "u1"), answer(capsys, "u2")
    assert (often["user_id"], often["session_id"]) == ("u1", None)
    assert chance_of_an_order(often) > 0.8
    assert chance_of_an_order(never) < 0.2
    for found in (often, never):
        for each in found["predictions"]:
            assert sum(one["probability"] for one in each["answers"]) == pytest.approx(1.0, abs=1e-5)
            assert each["examples"] > 20
    assert often["predictions"][0]["path"] != never["predictions"][0]["path"]


def test_a_guest_is_known_by_the_session(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    found = answer(capsys, "guest")
    assert (found["user_id"], found["session_id"], found["open"]) == (None, "guest", True)
    assert [each["task"] for each in found["predictions"]] == ["buys", "next"]


def test_the_table_has_the_chance_the_examples_and_the_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["predict", "u1", "--state", "state"]) == 0
    shown = capsys.readouterr().out
    assert "an order in this session" in shown
    assert "the next category: cups" in shown
    assert "because" in shown


def test_who_is_not_known_is_an_empty_object_and_exit_code_3(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["predict", "nobody", "--state", "state", "--json"]) == 3
    assert capsys.readouterr().out == "{}\n"
    assert run(["predict", "nobody", "--state", "state"]) == 3
    assert "'nobody' is not known here" in capsys.readouterr().err
