"""Scenario `start`: how long commands take until they do something, beside an interpreter that imports Faust.

Each is a process of its own; they take turns, so that what else the machine does hits all of them.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from resource import RUSAGE_CHILDREN, getrusage

import msgspec

from streams.bench.figures import Figures, at_most, figures_of, spread_of
from streams.errors import FreshrecError

NAME = "start"
BARS = (at_most("help_seconds", 0.3),)
COMMANDS: Mapping[str, Sequence[str]] = {
    "python": ("-c", "pass"),
    "faust": ("-c", "import faust; faust.App"),
    "help": ("-m", "streams.cli", "--help"),
    "worker": ("-c", "import streams.commands.worker; from streams.config import load; load()"),
    "worker_process": ("-c", "import streams.child; from streams.config import load; load()"),
}
"""What is started: `worker` is the supervisor up to its settings, `worker_process` one that it starts."""


class Plan(msgspec.Struct, frozen=True):
    """How many times each is started in a run; the medians are the run's figures."""

    count: int = 10


class StartError(FreshrecError):
    """A command that is measured failed."""


def measure(plan: Plan, *, runs: int) -> Figures:
    """Measure some times."""
    # What is compiled when it is first imported, and what a disk has to bring, is not what is measured.
    for arguments in COMMANDS.values():
        _start(arguments)
    return figures_of(NAME, [_run(plan) for _ in range(runs)], *BARS)


def _run(plan: Plan) -> dict[str, float]:
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for _ in range(plan.count):
        for name, arguments in COMMANDS.items():
            taken[name].append(_start(arguments))
    found = {}
    for name, times in taken.items():
        wall, processor = zip(*times, strict=True)
        found[f"{name}_seconds"] = spread_of(wall).median
        found[f"{name}_cpu_seconds"] = spread_of(processor).median
    found["help_times_faust"] = found["help_cpu_seconds"] / found["faust_cpu_seconds"]
    found["worker_times_faust"] = found["worker_cpu_seconds"] / found["faust_cpu_seconds"]
    return found


def _start(arguments: Sequence[str]) -> tuple[float, float]:
    """Run Python with these arguments; the seconds on the clock, and of the processor."""
    before, begun = getrusage(RUSAGE_CHILDREN), time.perf_counter()
    # In an empty folder, so that no settings file is read but that of FRESHREC_CONFIG.
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, check=False)  # noqa: S603  # a command of our own
    seconds, after = time.perf_counter() - begun, getrusage(RUSAGE_CHILDREN)
    if done.returncode:
        raise StartError(f"python {' '.join(arguments)} failed: {done.stderr.decode()[-500:]}")
    return seconds, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
