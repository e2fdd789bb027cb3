"""Slots that workers of one host take, and a supervisor that keeps its children running and ends them."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from schemas.settings import Settings
from streams.child_plan import ChildPlan
from streams.errors import StateError
from streams.slots import take_slot
from streams.supervisor import Supervisor

HOLDER = """
import fcntl, sys
with open(sys.argv[1], "w") as slot:
    fcntl.flock(slot, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process_holding(slot: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process has the lock of a slot until it ends."""
    slot.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", HOLDER, str(slot)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  # a command of our own
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_the_first_free_slot_is_taken(tmp_path: Path) -> None:
    taken = [take_slot(tmp_path / "state") for _ in range(3)]
    assert [slot for slot, _ in taken] == [0, 1, 2]
    assert sorted(path.name for path in (tmp_path / "state" / "slots").iterdir()) == ["0", "1", "2"]
    for _, lock in taken:
        lock.close()


def test_a_slot_is_free_again_once_it_is_closed(tmp_path: Path) -> None:
    (_, first), (_, second) = take_slot(tmp_path), take_slot(tmp_path)
    first.close()
    slot, again = take_slot(tmp_path)
    assert slot == 0
    second.close()
    again.close()


def test_slots_of_another_directory_are_others(tmp_path: Path) -> None:
    (here, first), (there, second) = take_slot(tmp_path / "a"), take_slot(tmp_path / "b")
    assert (here, there) == (0, 0)
    first.close()
    second.close()


def test_the_slot_of_another_process_is_left_alone_until_that_is_killed(tmp_path: Path) -> None:
    with another_process_holding(tmp_path / "slots" / "0") as process:
        slot, lock = take_slot(tmp_path)
        assert slot == 1
        lock.close()
        process.kill()
        process.wait(timeout=30)
        slot, lock = take_slot(tmp_path)
        assert slot == 0
        lock.close()


def test_no_free_slot_is_an_error_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.slots.MAX_SLOTS", 2)
    taken = [take_slot(tmp_path) for _ in range(2)]
    with pytest.raises(StateError, match=r"all 2 worker slots .* stop a worker or use another state\.dir"):
        take_slot(tmp_path)
    taken[1][1].close()
    slot, lock = take_slot(tmp_path)
    assert slot == 1
    lock.close()
    taken[0][1].close()


# -- children -----------------------------------------------------------------------------------------

NOTE = 'echo "$3" >> plans; echo "$PYTHONHASHSEED" >> seeds'
"""What every child of these tests does first: it writes down the plan that is its third argument."""

Start = Callable[[str], None]


@pytest.fixture
def children_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Children are shell scripts, which need no broker; sockets are made below the test's folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("streams.supervisor.FIRST_BACKOFF_S", 0.01)
    (tmp_path / "sockets").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "sockets"))

    def start(script: str) -> None:
        file = tmp_path / "child"
        file.write_text(f"#!/bin/sh\n{NOTE}\n{textwrap.dedent(script)}\n")
        file.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(file))

    return start


def a_supervisor(*stages: str) -> Supervisor:
    settings = {"state": {"dir": "state"}, "metrics": {"port": 0}}
    return Supervisor(msgspec.convert(settings, Settings), stages)


def plans() -> list[ChildPlan]:
    """What the children that were started so far were told."""
    lines = Path("plans").read_text().splitlines() if Path("plans").exists() else []
    return [msgspec.json.decode(line, type=ChildPlan) for line in lines]


def run_until(supervisor: Supervisor, enough: Callable[[], bool]) -> int:
    """Run it, send SIGTERM to this process once there is enough, and return the exit code."""

    async def running() -> int:
        ended = asyncio.create_task(supervisor.run())
        async with asyncio.timeout(60):
            while not enough():
                await asyncio.sleep(0.01)
            os.kill(os.getpid(), signal.SIGTERM)
            return await ended

    return asyncio.run(running())


WAITING = """
trap 'exit 0' TERM
echo ready >> ready
while true; do sleep 0.05; done
"""


def ready(count: int) -> Callable[[], bool]:
    return lambda: Path("ready").exists() and len(Path("ready").read_text().splitlines()) >= count


def test_each_group_is_one_child_that_is_told_its_stages(children_run: Start) -> None:
    children_run(WAITING)
    assert run_until(a_supervisor("history", "rules", "ingest", "clusters"), ready(3)) == 0
    assert {plan.group: plan.stages for plan in plans()} == {
        "customers": ("ingest", "history"),
        "rules": ("rules",),
        "models": ("clusters",),
    }
    assert len(plans()) == 3
    assert {plan.slot for plan in plans()} == {0}
    assert {plan.settings.state.dir for plan in plans()} == {"state"}
    # Outputs depend on no hash.
    assert set(Path("seeds").read_text().split()) == {"0"}


def test_a_signal_ends_the_children_and_leaves_nothing_behind(children_run: Start, tmp_path: Path) -> None:
    children_run(WAITING)
    assert run_until(a_supervisor("rules"), ready(1)) == 0
    assert list((tmp_path / "sockets").iterdir()) == []
    slot, lock = take_slot(Path("state"))
    assert slot == 0
    lock.close()


def test_a_child_that_ends_is_started_again(children_run: Start) -> None:
    children_run("exit 1")
    assert run_until(a_supervisor("rules"), lambda: len(plans()) >= 3) == 1
    assert {plan.group for plan in plans()} == {"rules"}


def test_the_end_of_one_child_is_not_that_of_the_others(children_run: Start) -> None:
    children_run(f"""
    case "$3" in *'"group":"rules"'*) exit 1;; esac
    {WAITING}
    """)
    run_until(a_supervisor("rules", "clusters"), lambda: len(plans()) >= 4)
    groups = [plan.group for plan in plans()]
    assert groups.count("models") == 1
    assert groups.count("rules") >= 3


def test_a_child_that_does_not_end_is_killed_and_told_by_the_exit_code(
    children_run: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.supervisor.STOP_WAIT_S", 0.2)
    children_run("trap '' TERM; echo $$ >> ready; while true; do sleep 0.05; done")
    assert run_until(a_supervisor("rules"), ready(1)) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(int(Path("ready").read_text()), 0)


def test_a_supervisor_without_a_free_slot_starts_nothing(
    children_run: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    children_run(WAITING)
    monkeypatch.setattr("streams.slots.MAX_SLOTS", 1)
    _, lock = take_slot(Path("state"))
    with pytest.raises(StateError, match="all 1 worker slots"):
        asyncio.run(a_supervisor("rules").run())
    assert plans() == []
    lock.close()


def test_a_plan_survives_the_command_line() -> None:
    plan = ChildPlan("rules", ("rules",), 3, "a/b.sock", 7, Settings())
    text = msgspec.json.encode(plan).decode()
    assert msgspec.json.decode(text, type=ChildPlan) == plan
    assert json.loads(text)["settings"]["kafka"]["partitions"] == Settings().kafka.partitions
