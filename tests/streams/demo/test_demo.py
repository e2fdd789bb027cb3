"""`freshrec demo --no-kafka` as somebody runs it: lists that part ways, figures, and nothing left behind.

On a real Kafka it is `make demo`.
"""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from streams.cli import run
from streams.demo.screen import CLOSING

COMMAND = [sys.executable, "-m", "streams.cli", "demo", "--no-kafka"]


class Ran(NamedTuple):
    """A demo that came to its end: where it was started, its exit code and what it printed."""

    folder: Path
    code: int
    printed: str
    complained: str


def started(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start a demo where temporary folders are made in `folder`, with settings that shall play no part."""
    (folder / "temporary").mkdir()
    (folder / "freshrec.toml").write_text("[recommend]\nk = 3\n")
    environment = {**os.environ, "TMPDIR": str(folder / "temporary"), "FRESHREC_RECOMMEND__K": "4"}
    return subprocess.Popen(  # noqa: S603  # a command of our own
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def left_behind(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name not in ("temporary", "freshrec.toml")]


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Ran]:
    """Two demos side by side: one as it comes, one in a folder that is kept."""
    folders = [tmp_path_factory.mktemp(name) for name in ("usual", "keeping")]
    given: tuple[list[str], list[str]] = ([], ["--data", "kept", "--keep"])
    running = [
        started(folder, "--seconds", "6", *options) for folder, options in zip(folders, given, strict=True)
    ]
    said = [process.communicate(timeout=120) for process in running]
    usual, keeping = (
        Ran(folder, process.returncode, *texts)
        for folder, process, texts in zip(folders, running, said, strict=True)
    )
    return usual, keeping


def last_lists(text: str) -> dict[str, list[str]]:
    """Titles in the list of each customer that was printed last."""
    lists: dict[str, list[str]] = {}
    user = ""
    for line in text.splitlines():
        if found := re.match(r".{9}(anna|ben) (?:looks|puts|buys|gives) ", line):
            user = found[1]
            lists[user] = []
        elif re.match(r" {11}\d\. ", line):
            lists[user].append(line[14:36].strip())
    return lists


def differences(text: str) -> list[int]:
    """In how many places the lists of the two differ, each time they are compared."""
    found = re.findall(r"have the (same) list: 10 of 10 places|lists differ in (\d+) of 10 places", text)
    return [0 if same else int(count) for same, count in found]


def figures(text: str) -> dict[str, list[float]]:
    """Name and numbers of each figure."""
    _, _, table = text.partition("\nFigures\n")
    rows = re.findall(r"^  (\S.{22}\S?) +(\S.*)$", table, re.MULTILINE)
    return {
        name.strip(): [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\.?\d*", value)]
        for name, value in rows
    }


def test_two_who_did_the_same_have_nearly_one_list_until_their_ways_part(demos: tuple[Ran, Ran]) -> None:
    for demo in demos:
        assert (demo.code, demo.complained) == (0, "")
        phases = re.findall(r"^-- (.+) --$", demo.printed, re.MULTILINE)
        assert phases == ["the shop fills up", "two customers do the same", "their ways part"]
        alike, apart = demo.printed.partition("\nFigures\n")[0].split("-- their ways part --")
        # What the one does is news for the other's list, and the order goes on being learned in between.
        before, differing = differences(alike), differences(apart)
        assert (len(before), len(differing)) == (5, 5)
        assert all(differing)
        assert sum(before) < sum(differing)
        lists = last_lists(apart)
        assert {user: len(titles) for user, titles in lists.items()} == {"anna": 5, "ben": 5}
        assert lists["anna"] != lists["ben"]


def test_the_figures_are_printed_and_add_up(demos: tuple[Ran, Ran]) -> None:
    for demo in demos:
        told = figures(demo.printed)
        (sent, *_), (accepted, _), (rejected, *_) = (
            told[f"events {what}"] for what in ("sent", "accepted", "rejected")
        )
        assert sent == accepted + rejected > 0
        assert told["recommendations out"][0] > 0
        _, p50, _, p95, _, p99 = (number for number in told["event to recommendation"])
        assert 0 < p50 <= p95 <= p99
        of_lists, of_popularity, queries = told["hit rate at 10"]
        assert queries > 0
        assert of_lists > of_popularity
        apart = demo.printed.partition("-- their ways part --")[2]
        first_verdict = re.findall(r"lists differ in (\d+) of", apart)[0]
        assert told["one past, two ways"][0] == float(first_verdict)
        assert f"\n{CLOSING}\n" in demo.printed


def test_nothing_is_left_behind(demos: tuple[Ran, Ran]) -> None:
    usual, keeping = demos
    assert left_behind(usual.folder) == []
    assert "(removed at the end)" in usual.printed
    assert list((keeping.folder / "temporary").iterdir()) == []


def test_a_folder_that_is_kept_answers_the_question_that_was_printed(
    demos: tuple[Ran, Ran], tmp_path: Path
) -> None:
    _, keeping = demos
    (question,) = re.findall(r"all is kept: try freshrec (.+)$", keeping.printed, re.MULTILINE)
    answered = subprocess.run(  # noqa: S603  # a command of our own
        [*COMMAND[:-2], *question.split()], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "for anna" in answered.stdout
    assert re.search(r"│ 10 +│", answered.stdout)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_has_seen_enough_leaves_nothing_behind(number: signal.Signals, tmp_path: Path) -> None:
    with started(tmp_path) as process:
        assert process.stdout is not None
        assert any("the shop fills up" in line for line in process.stdout)
        assert left_behind(tmp_path) != []
        process.send_signal(number)
        _, complaint = process.communicate(timeout=60)
    assert (process.returncode, complaint.strip()) == (130, "")
    assert left_behind(tmp_path) == []


def test_a_port_without_a_kafka_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--no-kafka", "--port", "9092"]) == 2
    assert "--port is Kafka's" in capsys.readouterr().err


def test_a_folder_in_use_is_refused_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").write_text("x")
    assert run(["demo", "--no-kafka", "--data", str(tmp_path)]) == 1
    assert "isn't empty" in capsys.readouterr().err
    assert (tmp_path / "mine").read_text() == "x"
