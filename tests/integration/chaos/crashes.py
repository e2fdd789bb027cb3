"""Crashes at each step of a flush and around each send, of a snapshot, of restoring one, and of a reset."""

import shutil
from pathlib import Path

import msgspec

from streams.state.interrupted import MARK_FILE
from streams.supervisor import MAX_BACKOFF_S
from streams.topology import GROUPS
from tests.integration.chaos.crashing_worker import (
    EXIT_CODE,
    FLUSH_STEPS,
    RESET,
    RESET_STEPS,
    RESTORE_STEPS,
    SNAPSHOT_STEPS,
    STEPS,
    Crash,
    made_of,
)
from tests.integration.chaos.house import House
from tests.integration.worker_process import DEADLINE_S, WorkerProcess, until

ROOT = Path(__file__).parents[3]
WORKER = "tests.integration.chaos.crashing_worker"
_MOST_CALLS = {
    "commit": 4,
    "write": 12,
    "acknowledged": 12,
    "_send": 60,
    "put": 12,
    "copyfileobj": 12,
    "get": 9,
    "put_in_place": 1,
    "_make": 9,
    "_put_aside": 9,
    "_replace": 9,
    "mark": 1,
    "move_groups": 1,
}
_FEW_CALLS = 3


class Plan:
    """The crashes that are to be made, and how many were.

    Parameters
    ----------
    house : House
        Its workers are told of the plan.
    """

    def __init__(self, house: House) -> None:
        self._random, self._file = house.random, house.folder / "crashes.json"
        self._crashes: list[Crash] = []
        house.shop.variables["CHAOS_PLAN"] = str(self._file)
        # Unlike what it wraps, the module of the crashes is not installed.
        house.shop.variables["PYTHONPATH"] = str(ROOT)
        self._write()

    def add(self, step: str, group: str, *, most: int = 100) -> None:
        """One more crash, at one of the first times that a process of the group comes to a step."""
        most = min(most, _MOST_CALLS.get(STEPS[step][1], _FEW_CALLS))
        self._crashes.append(Crash(step, group, self._random.randint(1, most)))
        self._write()

    def _write(self) -> None:
        self._file.write_bytes(msgspec.json.encode(self._crashes))

    def wait_until_made(self) -> None:
        """Wait until all of them were made."""
        made = made_of(self._file)
        until(
            lambda: made.exists() and len(made.read_text().split()) == len(self._crashes),
            f"all crashes; the last is {self._crashes[-1]}",
            # Who crashes again and again waits longer and longer to be started.
            timeout_s=DEADLINE_S + MAX_BACKOFF_S * len(self._crashes) / len(GROUPS),
        )

    @property
    def steps(self) -> int:
        """At how many different steps."""
        return len({crash.step for crash in self._crashes})


def flush(house: House) -> None:
    """As many crashes as told, the steps in turn, each in another process of the worker."""
    steps, plan = list(FLUSH_STEPS), Plan(house)
    for number in range(house.run.kills):
        plan.add(steps[number % len(steps)], _group(house, number, len(steps)))
    house.topics.send(house.storefront.catalogue())
    worker = house.shop.worker(module=WORKER)
    with house.load():
        plan.wait_until_made()
    house.settle([worker])
    house.prove()
    house.run.notes["steps"] = plan.steps


def taking(house: House) -> None:
    """A crash at each step of a snapshot, then of restoring one; after each the disk is lost."""
    steps, plan = [*SNAPSHOT_STEPS, *RESTORE_STEPS], Plan(house)
    house.topics.send(house.storefront.catalogue())
    worker = house.shop.worker(module=WORKER)
    with house.load(per_s=150.0):
        for number in range(house.run.kills):
            plan.add(steps[number % len(steps)], _group(house, number, len(steps)))
            _begin_on_an_empty_disk(house, worker)
            plan.wait_until_made()
        _begin_on_an_empty_disk(house, worker)
        worker.wait_ready()
        restored = worker.metric("freshrec_restore_bytes_total")
        house.check(restored > 0, "nothing was restored")
        house.pause(2.0, 4.0)
    house.settle([worker])
    house.prove()
    house.run.notes["steps"] = plan.steps


def reset(house: House) -> None:
    """`freshrec reset`, of the topmost stage or of one below, ended at each of its steps and run again."""
    steps, plan = list(RESET_STEPS), Plan(house)
    worker = house.open()
    house.send(300)
    house.settle([worker])
    for number in range(house.run.kills):
        stage = ("history", "rules")[(number + house.run.seed) % 2]
        plan.add(steps[number % len(steps)], RESET, most=9 if stage == "history" else 2)
        crashed = house.shop.command("reset", stage, "--yes", module=WORKER)
        house.check(crashed.returncode == EXIT_CODE, f"reset was to be ended: {crashed.stderr[-500:]}")
        if (Path(house.topics.settings.state.dir) / MARK_FILE).exists():
            house.check(*_refused(house, "worker", f"`freshrec reset {stage}` was interrupted"))
            house.check(*_refused(house, "reset", "segments", "--yes", "was interrupted"))
        again = house.shop.command("reset", stage, "--yes", *(["--delete"] if number % 3 == 2 else []))
        house.check(again.returncode == 0, f"reset could not be repeated: {again.stderr[-500:]}")
        worker.start().wait_ready()
        house.send(200)
        house.settle([worker])
    house.prove()
    house.run.notes["steps"] = plan.steps


def _refused(house: House, *command: str) -> tuple[bool, str]:
    """Whether a command ends with 1 and these last words in what it says."""
    *arguments, words = command
    done = house.shop.command(*arguments)
    told = f"{arguments} was to be refused with {words!r}: {done.returncode}, {done.stderr[-500:]}"
    return done.returncode == 1 and words in done.stderr, told


def _begin_on_an_empty_disk(house: House, worker: WorkerProcess) -> None:
    worker.kill()
    shutil.rmtree(house.topics.settings.state.dir, ignore_errors=True)
    worker.start()


def _group(house: House, number: int, steps: int) -> str:
    """Another stage group each time, and another for a step that comes again."""
    return GROUPS[(number + house.run.seed + number // steps) % len(GROUPS)]
