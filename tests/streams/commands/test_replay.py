"""`freshrec replay`: a file in, lists and a summary out, and what is said of lines that cannot be used."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.recommendations import Recommendation
from streams.cli import run
from streams.commands.replay import SHOWN_UNREADABLE, Summary

AT = 1_700_000_000_000
ROOT = Path(__file__).parents[3]


def a_browse(number: int, user: str, item: str, after_s: int) -> dict[str, Any]:
    event = {"type": "browse", "event_id": f"b-{number}", "user_id": user, "item_id": item}
    return event | {"at": AT + after_s * 1_000}


def an_order(number: int, user: str, *items: str, after_s: int) -> dict[str, Any]:
    lines = [{"item_id": item, "quantity": 1, "unit_price": 2.5} for item in items]
    order = {"type": "purchase", "order_id": f"o-{number}", "user_id": user, "lines": lines}
    return order | {"at": AT + after_s * 1_000}


EVENTS = [
    {"type": "item", "item_id": "tea", "title": "Green tea", "categories": ["drinks"], "at": AT},
    an_order(1, "anna", "tea", "cup", after_s=1),
    an_order(2, "ben", "tea", "cup", after_s=2),
    a_browse(3, "carla", "tea", after_s=3),
    a_browse(3, "carla", "tea", after_s=3),
    a_browse(4, "carla", "cup", after_s=4),
    a_browse(5, "carla", "", after_s=5),
]


@pytest.fixture(autouse=True)
def in_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("FRESHREC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FRESHREC_KAFKA__PARTITIONS", "1")
    monkeypatch.setenv("COLUMNS", "200")


def a_file(*lines: dict[str, Any] | str, name: str = "events.jsonl") -> str:
    """A file in the working directory, one message a line."""
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    Path(name).write_text("".join(f"{text}\n" for text in texts))
    return name


def lists_in(name: str) -> list[Recommendation]:
    return [msgspec.json.decode(line, type=Recommendation) for line in Path(name).read_bytes().splitlines()]


def summary(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What the replay of a file says as JSON."""
    assert run(["replay", *arguments, "--json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_the_summary_counts_what_the_file_held(capsys: pytest.CaptureFixture[str]) -> None:
    told = summary(capsys, a_file(*EVENTS), "--format", "jsonl", "--state", "state", "--out", "lists.jsonl")

    assert list(told) == list(Summary.__struct_fields__)
    assert told["events"] == {"purchase": 2, "view": 3}
    assert told["duplicates"] == 1
    assert told["rejected"] == {"missing_field": 1}
    assert (told["unreadable"], told["skipped"]) == ({}, {})
    assert (told["users"], told["items"], told["pairs"]) == (3, 2, 1)
    assert told["seconds"] > 0
    assert told["events_per_s"] > 0
    assert 0 <= told["hit_rate"] <= 1


def test_every_list_is_a_line_of_the_output_and_each_customer_has_a_final_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = summary(capsys, a_file(*EVENTS), "--format", "jsonl", "--state", "state", "--out", "lists.jsonl")

    lists = lists_in("lists.jsonl")
    assert told["recommendations"] == len(lists) == 4 + 3
    assert {each.user_id for each in lists[-3:]} == {"anna", "ben", "carla"}
    assert lists[-1].recommendation_id == "browses:0:6"
    assert all(item.reasons for each in lists for item in each.items)


def test_a_customer_who_bought_one_of_two_is_offered_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    orders = [an_order(n, f"c-{n}", "tea", "cup", after_s=n) for n in range(3)]
    events = [*orders, an_order(8, "dora", "jam", after_s=8), an_order(9, "emma", "tea", after_s=9)]
    summary(capsys, a_file(*events), "--format", "jsonl", "--state", "state", "--out", "lists.jsonl")

    final = {each.user_id: each for each in lists_in("lists.jsonl")}["emma"]
    assert final.items[0].item_id == "cup"
    reasons = {reason["source"]: reason for reason in final.items[0].reasons}
    assert reasons["similarity"]["item_id"] == reasons["rules"]["item_id"] == "tea"
    assert "tea" not in [item.item_id for item in final.items]


def test_a_line_that_cannot_be_read_is_shown_with_its_number_and_the_run_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = a_file(EVENTS[1], "no JSON", EVENTS[2], {"type": "glance", "at": AT})
    assert run(["replay", file, "--format", "jsonl", "--state", "state", "--json"]) == 0

    captured = capsys.readouterr()
    shown = [line for line in captured.err.splitlines() if line.startswith("line ")]
    assert [line.split(": ")[:2] for line in shown] == [
        ["line 2", "invalid_json"],
        ["line 4", "unknown_type"],
    ]
    assert "'glance'" in shown[1]
    told = json.loads(captured.out)
    assert told["unreadable"] == {"invalid_json": 1, "unknown_type": 1}
    assert told["events"] == {"purchase": 2}


def test_of_many_unreadable_lines_the_first_are_shown_and_all_are_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = a_file(*["?"] * (SHOWN_UNREADABLE + 7), EVENTS[1])
    assert run(["replay", file, "--format", "jsonl", "--state", "state", "--json"]) == 0

    captured = capsys.readouterr()
    assert captured.err.count("invalid_json") == SHOWN_UNREADABLE
    assert json.loads(captured.out)["unreadable"] == {"invalid_json": SHOWN_UNREADABLE + 7}


def test_a_compressed_file_is_read_directly_and_gives_the_same_lists(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plain = a_file(*EVENTS)
    Path("events.jsonl.gz").write_bytes(gzip.compress(Path(plain).read_bytes()))
    for name, file in (("plain", plain), ("gzip", "events.jsonl.gz")):
        summary(capsys, file, "--format", "jsonl", "--state", f"{name}-state", "--out", f"{name}.jsonl")
    assert Path("plain.jsonl").read_bytes() == Path("gzip.jsonl").read_bytes() != b""


def test_events_out_of_order_are_handled_in_the_order_of_time(capsys: pytest.CaptureFixture[str]) -> None:
    for name, events in (("in-order", EVENTS), ("reversed", EVENTS[::-1])):
        file = a_file(*events, name=name)
        summary(capsys, file, "--format", "jsonl", "--state", f"{name}-state", "--out", f"{name}.jsonl")

    # Ids name the line of an event, which is another one.
    first, second = (
        [(each.user_id, each.at, each.caused_by, each.items, each.segment) for each in lists_in(name)]
        for name in ("in-order.jsonl", "reversed.jsonl")
    )
    assert first == second


def test_a_file_of_another_format_is_told_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    told = summary(capsys, a_file("tea,cup,pot", "tea,cup"), "--format", "baskets", "--state", "state")
    assert told["events"] == {"purchase": 2}
    assert (told["users"], told["items"], told["pairs"]) == (0, 3, 3)


def test_what_a_format_leaves_out_by_design_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
    kept, cancelled = "1,tea,TEA,2,12/1/2010 8:26,2.5,anna,X", "C2,tea,TEA,-2,12/1/2010 8:28,2.5,anna,X"
    told = summary(capsys, a_file(header, kept, cancelled), "--format", "online-retail", "--state", "state")
    assert (told["events"], told["users"]) == ({"purchase": 1}, 1)
    assert sum(told["skipped"].values()) == 1


def test_without_json_the_summary_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", a_file(*EVENTS), "--format", "jsonl", "--state", "state"]) == 0
    lines = {" ".join(line.replace("│", " ").split()) for line in capsys.readouterr().out.splitlines()}
    assert {"events purchase 2, view 3", "duplicates 1", "rejected missing_field 1", "users 3"} <= lines
    assert {"unreadable none", "pairs 1"} <= lines


def test_what_was_refused_is_found_beside_the_state(capsys: pytest.CaptureFixture[str]) -> None:
    summary(capsys, a_file(*EVENTS), "--format", "jsonl", "--state", "state")
    assert run(["rejected", "list", "--state", "state", "--json"]) == 0
    (refused,) = json.loads(capsys.readouterr().out)
    assert (refused["reason"], refused["topic"], refused["offset"]) == ("missing_field", "browses", 7)


def test_without_state_the_directory_of_the_settings_is_used(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRESHREC_STATE__DIR", "elsewhere")
    summary(capsys, a_file(*EVENTS), "--format", "jsonl")
    assert Path("elsewhere/history/0/CURRENT").is_file()


def test_another_process_with_other_hashes_writes_the_same_lists() -> None:
    file = a_file(*EVENTS)
    for seed in ("1", "2"):
        arguments = [
            "replay",
            file,
            "--format",
            "jsonl",
            "--state",
            f"state-{seed}",
            "--out",
            f"{seed}.jsonl",
        ]
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-m", "streams.cli", *arguments], env=environment, check=True)  # noqa: S603  # a command of our own
    assert Path("1.jsonl").read_bytes() == Path("2.jsonl").read_bytes() != b""


@pytest.mark.parametrize(
    ("file", "said"),
    [("missing.jsonl", "missing.jsonl can't be read"), (".", "is a folder; name the file")],
)
def test_a_file_that_cannot_be_read_ends_with_1_and_says_what_to_do(
    capsys: pytest.CaptureFixture[str], file: str, said: str
) -> None:
    assert run(["replay", file, "--format", "jsonl", "--state", "state"]) == 1
    assert said in capsys.readouterr().err


def test_a_state_of_another_number_of_partitions_ends_with_1_and_names_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = a_file(*EVENTS)
    summary(capsys, file, "--format", "jsonl", "--state", "state")
    monkeypatch.setenv("FRESHREC_KAFKA__PARTITIONS", "2")
    assert run(["replay", file, "--format", "jsonl", "--state", "state"]) == 1
    assert "partitions is 1, expected 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["events.jsonl"], ["events.jsonl", "--format", "parquet"], ["--format", "jsonl"]]
)
def test_wrong_usage_ends_with_2(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    a_file(*EVENTS)
    assert run(["replay", *arguments]) == 2
    assert "Usage: freshrec replay" in capsys.readouterr().err
