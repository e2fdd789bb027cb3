"""`freshrec simulate --out`: lines of a storefront, the same each time. Sending them needs a broker."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from streams.cli import run


def lines_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def simulate(path: Path, *arguments: str) -> list[dict[str, object]]:
    assert run(["simulate", "--out", str(path), *arguments]) == 0
    return lines_of(path)


def events(lines: list[dict[str, object]]) -> list[dict[str, object]]:
    return [line for line in lines if "event_id" in line]


def test_the_catalogue_comes_first_and_events_are_counted_without_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = simulate(tmp_path / "shop.jsonl", "--events", "120", "--json")

    assert [line["type"] for line in lines[:200]] == ["item"] * 200
    assert len(events(lines)) == 120
    told = json.loads(capsys.readouterr().out)
    counted = Counter(str(line["type"]) for line in lines)
    assert told["catalogue"] == {"items": 200, "customers": 500, "links": counted["link"]}
    assert told["topics"]["browses"] == counted["browse"]
    assert told["messages"] == 120


def test_the_same_command_writes_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    first, again, other = (tmp_path / name for name in ("first", "again", "other"))
    simulate(first, "--events", "50")
    simulate(again, "--events", "50")
    simulate(other, "--events", "50", "--seed", "2")

    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes() != other.read_bytes()


def test_a_duration_is_that_of_the_shop_and_the_rate_fills_it(tmp_path: Path) -> None:
    lines = simulate(tmp_path / "shop.jsonl", "--duration", "60", "--rate", "20", "--preset", "groups")

    times = [int(str(line["at"])) for line in events(lines)]
    assert 600 < len(times) < 2_400
    assert max(times) - min(times) < 60_000


def test_the_preset_decides_about_the_shop(tmp_path: Path) -> None:
    lines = simulate(tmp_path / "shop.jsonl", "--preset", "demo", "--events", "10")

    assert sum(line["type"] == "customer" for line in lines) == 300


def test_standard_output_gets_the_lines_and_stderr_the_summary(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert run(["simulate", "--events", "5", "--out", "-", "--json"]) == 0

    sys.stdout.flush()
    captured = capfdbinary.readouterr()
    assert sum("event_id" in json.loads(line) for line in captured.out.splitlines()) == 5
    assert json.loads(captured.err)["messages"] == 5


def test_a_file_without_an_end_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "--out", str(tmp_path / "endless.jsonl")]) == 2
    assert "--events or --duration" in capsys.readouterr().err
    assert not (tmp_path / "endless.jsonl").exists()


@pytest.mark.parametrize(
    "arguments", [["--rate", "-1"], ["--events", "0"], ["--preset", "huge"], ["--seed", "-1"]]
)
def test_what_makes_no_shop_is_wrong_usage(arguments: list[str]) -> None:
    assert run(["simulate", *arguments]) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_an_endless_shop_with_whole_lines_and_the_summary(
    number: signal.Signals, tmp_path: Path
) -> None:
    lines, root = tmp_path / "lines", Path(__file__).parents[3]
    command = [sys.executable, "-m", "streams.cli", "simulate", "--out", "-", "--json"]
    with (
        lines.open("wb") as out,
        subprocess.Popen(command, cwd=root, stdout=out, stderr=subprocess.PIPE) as process,  # noqa: S603  # a command of our own
    ):
        deadline = time.monotonic() + 60
        while lines.stat().st_size < 1_000_000 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(number)
        _, summary = process.communicate(timeout=60)

    assert process.returncode == 0, summary
    told = json.loads(summary)
    assert told["messages"] + sum(told["catalogue"].values()) == len(lines_of(lines))
