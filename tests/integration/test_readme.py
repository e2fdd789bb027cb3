"""What README.md tells to type does what it promises: its own lines, in an empty folder, without settings.

Ports and the length of the simulation are changed on the way, nothing else.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from schemas.settings import Settings
from streams import local_kafka
from tests.integration.worker_process import until
from tests.markdown_pages import ROOT, calls, read

pytestmark = pytest.mark.kafka

README = read(ROOT / "README.md")
FROM_A_FILE, ON_KAFKA = README.section("From a file to the first recommendation"), README.section("On Kafka")
CALLED_AS = ".venv/bin/freshrec"
INSTALLED = shlex.quote(str(Path(sys.executable).with_name("freshrec")))
REASON = re.compile(
    r"(?:similar to|in sessions with|(?:bought|viewed) with) i\d|popular: |looked at recently"
)
STOP_S = 30.0


def variables(**settings: object) -> dict[str, str]:
    """Environment of a user who has set nothing but this, on a wide terminal."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("FRESHREC_")}
    own = {f"FRESHREC_{name}": str(value) for name, value in settings.items()}
    return {**others, **own, "COLUMNS": "200"}


def typed(line: str) -> str:
    """Turn a line into what somebody types whose installation is elsewhere."""
    assert line.startswith(f"{CALLED_AS} ")
    return line.replace(CALLED_AS, INSTALLED)


def tried(line: str, folder: Path, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603  # a command of our own
        ["sh", "-c", typed(line)],  # noqa: S607  # found by PATH, as a shell would
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,  # found by PATH, as a shell would
    )


def done(line: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a line to its end; its output."""
    ended = tried(line, folder, environment)
    assert ended.returncode == 0, f"{line} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}"
    return ended.stdout


@contextmanager
def in_another_terminal(
    line: str, folder: Path, environment: dict[str, str], output: Path
) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a line beside the others; if it is still there at the end, it is killed with its children."""
    with output.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603  # a command of our own
            ["sh", "-c", f"exec {typed(line)}"],  # noqa: S607  # found by PATH, as a shell would
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def ended(process: "subprocess.Popen[bytes]", number: signal.Signals, output: Path) -> str:
    """End what runs in another terminal as its user does; all that it said."""
    process.send_signal(number)
    code = process.wait(STOP_S)
    said = output.read_text()
    assert code == 0, f"it ended with {code}:\n{said}"
    return said


def faults_of_list(shown: str, line: str) -> list[str]:
    """What a printed list lacks: whose it is, its places, or the reason of one."""
    user = next(calls([line], "freshrec"))[1]
    rows = [[cell.strip() for cell in row.strip("│").split("│")] for row in re.findall("^│.*│$", shown, re.M)]
    places = [row[0] for row in rows if row[0]]
    lacking = [] if f"for {user}" in shown else [f"not for {user}"]
    lacking += [] if places == [f"{n}" for n in range(1, 11)] else [f"places {places}"]
    return lacking + [f"no reason: {row}" for row in rows if row[0] and not REASON.match(row[-1])]


def line_of(lines: list[str], *words: str) -> str:
    """The line that calls a command."""
    (found,) = (line for line in lines if next(calls([line], "freshrec"))[: len(words)] == [*words])
    return found


@pytest.fixture(scope="module")
def from_a_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The folder in which the section was typed, and what each line printed."""
    folder = tmp_path_factory.mktemp("from-a-file")
    setup, *lines = FROM_A_FILE.fenced("sh")
    assert setup == "make setup"
    return folder, {line: done(line, folder, variables()) for line in lines}


def test_a_file_leads_to_a_list_with_reasons(from_a_file: tuple[Path, dict[str, str]]) -> None:
    folder, printed = from_a_file
    recommend = line_of([*printed], "recommend")
    assert faults_of_list(printed[recommend], recommend) == []
    assert "popularity hit rate" in printed[line_of([*printed], "replay")]
    assert {path.name for path in folder.iterdir()} == {"shop.jsonl", "shop-state", "lists.jsonl"}


def test_the_other_answers_come_from_the_same_state(from_a_file: tuple[Path, dict[str, str]]) -> None:
    folder, printed = from_a_file
    *_, option, state = next(calls([line_of([*printed], "recommend")], "freshrec"))
    mentioned = [span for span in FROM_A_FILE.spans if span.startswith("freshrec ")]
    assert [span.split()[1] for span in mentioned] == ["similar", "rules", "segment"]
    for span in mentioned:
        shown = done(f".venv/bin/{span} {option} {state}", folder, variables())
        assert len(re.findall("^│", shown, re.M)) > 1, span


def test_on_kafka_a_customer_who_acts_has_a_list_and_the_doctor_is_content(tmp_path: Path) -> None:
    lines = ON_KAFKA.fenced("sh")
    try:
        up = line_of(lines, "kafka", "up").replace("--port 9092", "--port 0")
        address = done(up, tmp_path, variables()).strip()
        told = variables(KAFKA__BOOTSTRAP_SERVERS=address, METRICS__PORT=0)
        done(line_of(lines, "topics"), tmp_path, told)
        log = tmp_path / "worker.log"
        with in_another_terminal(line_of(lines, "worker"), tmp_path, told, log) as worker:
            with_a_shop_open(lines, tmp_path, told)
            assert "WRONG" not in done(line_of(lines, "doctor"), tmp_path, told)
            assert unanswered(log.read_text()) == []
            ended(worker, signal.SIGTERM, log)
        assert done(line_of(lines, "kafka", "down"), tmp_path, told) == "stopped\n"
    finally:
        local_kafka.down(tmp_path / ".freshrec" / "kafka")


def with_a_shop_open(lines: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Ask for the list from when the shop opens, until the worker has seen its customer come by."""
    recommend, output = line_of(lines, "recommend"), folder / "simulate.log"
    simulate = line_of(lines, "simulate").replace("--rate 100 --duration 60", "--rate 300 --duration 20")
    with in_another_terminal(simulate, folder, environment, output) as shop:
        until(lambda: tried(recommend, folder, environment).returncode == 0, "a list")
        assert faults_of_list(done(recommend, folder, environment), recommend) == []
        assert "browses" in ended(shop, signal.SIGINT, output)


def unanswered(log: str) -> list[str]:
    """Pages under the metrics address that the README names and the worker doesn't serve."""
    url, *others = (span for span in ON_KAFKA.spans if re.match("http|/", span))
    standard = f"http://127.0.0.1:{Settings().metrics.port}"
    assert url.startswith(f"{standard}/")
    (address,) = re.findall(r"metrics and health on http://(\S+)", log)
    statuses = {
        path: urllib.request.urlopen(f"http://{address}{path}", timeout=5).status
        for path in (url.removeprefix(standard), *others)
    }
    assert set(statuses) == {"/metrics", "/health/live", "/health/ready"}
    return [path for path, status in statuses.items() if status != 200]
