"""`freshrec profile` and `analyse` on the state of a replay of a simulated shop."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from schemas.profiles import CustomerProfile
from streams.cli import run
from streams.commands.profile import in_words

SETTINGS = {
    "KAFKA__PARTITIONS": "2",
    "RECOMMEND__ENABLED": "false",
    "PROFILES__HORIZON_S": "3600",
    "PROFILES__TRENDS_S": "10000",
    "SEGMENTS__WARMUP_SAMPLES": "20",
}
STATE = ("--state", "state")


def with_settings(patch: pytest.MonkeyPatch, **more: str) -> None:
    for name in [name for name in os.environ if name.upper().startswith("FRESHREC_")]:
        patch.delenv(name)
    for name, value in (SETTINGS | more).items():
        patch.setenv(f"FRESHREC_{name}", value)
    patch.setenv("COLUMNS", "200")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patch:
        with_settings(patch)
        patch.chdir(folder)
        simulate = ("simulate", "--rate", "0.1", "--events", "4000", "--out", "shop.jsonl", "--json")
        assert run(simulate) == 0
        assert run(["replay", "shop.jsonl", "--format", "jsonl", *STATE, "--out", "lists"]) == 0
    return folder


@pytest.fixture(autouse=True)
def in_the_shop(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_settings(monkeypatch)
    monkeypatch.chdir(shop)


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run([*arguments, *STATE, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def messages() -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path("shop.jsonl").read_text().splitlines()]


def busiest() -> str:
    users = Counter(each["user_id"] for each in messages() if each.get("user_id") and "event_id" in each)
    return str(users.most_common(1)[0][0])


def test_a_profile_counts_what_was_sent(capsys: pytest.CaptureFixture[str]) -> None:
    user = busiest()
    told = answer(capsys, "profile", user)
    assert list(told) == list(CustomerProfile.__struct_fields__)
    unique = {
        each["event_id"]: each for each in messages() if each.get("user_id") == user and "event_id" in each
    }
    kinds = Counter(
        {"browse": each.get("action") or "view"}.get(each["type"], each["type"]) for each in unique.values()
    )
    does = told["behaviour"]
    assert does["events"] == {kind: kinds[kind] for kind in ("view", "cart", "purchase", "rating")}
    assert sum(does["hours"]) == sum(does["weekdays"]) == sum(does["events"].values())
    spent = sum(
        line["quantity"] * line["unit_price"]
        for each in unique.values()
        if each["type"] == "purchase"
        for line in each["lines"]
    )
    assert told["value"]["spent"] == pytest.approx(spent, abs=0.01)
    (customer,) = (each for each in messages() if each["type"] == "customer" and each["user_id"] == user)
    assert told["attributes"].items() <= customer.items()
    assert told["attributes"]


def test_what_is_expected_comes_with_chances_and_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    told = answer(capsys, "profile", busiest())
    assert 0 < told["buying"]["chance"] < 1
    assert len(told["buying"]["reasons"]) == 3
    assert 0 <= told["value"]["coming_back"] <= 1
    assert told["value"]["expected_spending"] >= 0
    chances = [each["chance"] for each in told["next_categories"]]
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) == pytest.approx(1, abs=0.01)
    for each in told["next_categories"]:
        assert each["reasons"]
        assert sum(reason["chance"] for reason in each["reasons"]) <= each["chance"] + 0.001
    assert told["segment"] in {"0", "1", "2", "3"}
    assert told["tags"]


def test_people_read_it_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    user = busiest()
    assert run(["profile", user, *STATE]) == 0
    shown = capsys.readouterr().out
    for words in (f"{user}, as of 2025-01-06", "own interests", "buys in 1 hours", "comes back", "segment"):
        assert words in shown
    assert in_words({"source": "popular", "chance": 0.05}) == "liked by all: 5%"


def test_who_is_not_known_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["profile", "nobody", *STATE, "--json"]) == 3
    assert capsys.readouterr().out == "{}\n"
    assert run(["profile", "nobody", *STATE]) == 3
    assert "customer 'nobody' is not known here" in capsys.readouterr().err


def test_an_analysis_sums_up_all_customers(capsys: pytest.CaptureFixture[str]) -> None:
    told = answer(capsys, "analyse")
    assert [each["segment"] for each in told["segments"]] == ["0", "1", "2", "3"]
    assert told["stability"]["customers"] > 100
    assert told["stability"]["kept_share"] > 0.9
    measures = [each["rule"]["llr"] for each in told["rules"]]
    assert measures == sorted(measures, reverse=True)
    assert len(measures) == 10
    rising = told["trends"]["rising_categories"]
    assert all(each["growth"] > 0 for each in rising)
    assert rising
    needs = told["needs"]
    assert sum(each["customers"] for each in needs["next_categories"]) == pytest.approx(
        told["looked_at"], rel=0.05
    )
    assert 0 < needs["buyers"] < told["looked_at"]
    assert needs["spending"] > 0


def test_an_analysis_is_a_table_and_a_page(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert run(["analyse", *STATE, "--html", str(page)]) == 0
    shown, written = capsys.readouterr().out, page.read_text()
    for words in ("segments", "strongest rules", "rising categories", "needs of", "expected to buy"):
        assert words in shown
    for words in ("<h2>Segments</h2>", "<h2>Strongest rules</h2>", "expected to buy", "rising items"):
        assert words in written
    assert "<script" not in written
    assert "http" not in written


def test_nothing_is_told_of_few(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRESHREC_PRIVACY__MIN_CUSTOMERS", "100000")
    told = answer(capsys, "analyse")
    trends = (each for name, each in told["trends"].items() if name != "window_s")
    assert (told["segments"], told["rules"], [*trends]) == ([], [], [[], [], [], []])
    profile = answer(capsys, "profile", busiest())
    assert profile["segment"] is None
    sources = {reason["source"] for each in profile["next_categories"] for reason in each["reasons"]}
    assert "others" not in sources
