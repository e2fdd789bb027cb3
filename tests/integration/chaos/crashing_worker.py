"""A worker whose processes end at chosen steps of their work, as by a power cut: `python -m ... worker`.

The plan is a file named by CHAOS_PLAN: crashes in order, each of one stage group. A process crashes at its
group's first crash that was not made yet, and notes that it was.
"""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import msgspec

from streams import child, cli, supervisor
from streams.child_plan import ChildPlan
from streams.commands import reset as reset_command
from streams.kafka_outbox import KafkaOutbox
from streams.rocks_store import Frozen, RocksDatabase
from streams.snapshots import restoring
from streams.snapshots.library import Library
from streams.snapshots.taking import Checkpointed
from streams.state import reset
from streams.state.reset import Reset
from streams.transport import BatchConsumer

Step = tuple[Any, str, bool]
"""What is wrapped, by what holds it and its name, and whether the process ends after it instead of before."""

FLUSH_STEPS: dict[str, Step] = {
    "before a send": (KafkaOutbox, "_send", False),
    "after a send": (KafkaOutbox, "_send", True),
    "before the acknowledgements": (KafkaOutbox, "acknowledged", False),
    "after the acknowledgements": (KafkaOutbox, "acknowledged", True),
    "before the write": (RocksDatabase, "write", False),
    "after the write": (RocksDatabase, "write", True),
    "before the commit": (BatchConsumer, "commit", False),
    "after the commit": (BatchConsumer, "commit", True),
}
"""From what leaves to what is told the group."""

SNAPSHOT_STEPS: dict[str, Step] = {
    "before a checkpoint": (RocksDatabase, "checkpoint", False),
    "after a checkpoint": (RocksDatabase, "checkpoint", True),
    "before a file is copied": (Library, "put", False),
    "within the copy of a file": (shutil, "copyfileobj", False),
    "before a copy has its name": (shutil, "copyfileobj", True),
    "after a file is copied": (Library, "put", True),
    "before a manifest": (Library, "add", False),
    "before a manifest has its name": (os, "link", False),
    "after a manifest has its name": (os, "link", True),
    "after a manifest": (Library, "add", True),
    "before an old manifest goes": (Library, "remove", False),
    "after an old manifest went": (Library, "remove", True),
    "before an old file goes": (Library, "delete_file", False),
    "after an old file went": (Library, "delete_file", True),
    "before a checkpoint is deleted": (Checkpointed, "discard", False),
    "after a checkpoint is deleted": (Checkpointed, "discard", True),
}
"""From the checkpoint of a store to the deletion of old snapshots."""

RESTORE_STEPS: dict[str, Step] = {
    "before a file is fetched": (Library, "get", False),
    "after a file is fetched": (Library, "get", True),
    "before a store is put in place": (restoring, "put_in_place", False),
    "after a store is put in place": (restoring, "put_in_place", True),
}
"""From the first file of a snapshot to the store that is opened."""

RESET_STEPS: dict[str, Step] = {
    "before a new store is made": (Reset, "_make", False),
    "after a new store is made": (Reset, "_make", True),
    "before stores are replaced": (reset, "mark", False),
    "once stores are to be replaced": (reset, "mark", True),
    "before an old store is put aside": (Reset, "_put_aside", False),
    "after an old store is put aside": (Reset, "_put_aside", True),
    "after a store is replaced": (Reset, "_replace", True),
    "before the offsets are moved": (reset_command, "move_groups", False),
    "after the offsets are moved": (reset_command, "move_groups", True),
}
"""From the first new store to the offsets of the groups."""

RESET = "reset"
"""As which group the command counts."""

STEPS = {**FLUSH_STEPS, **SNAPSHOT_STEPS, **RESTORE_STEPS, **RESET_STEPS}
EXIT_CODE = 99


class Crash(msgspec.Struct, frozen=True):
    """End a process of `group` (or that command) at the `calls`-th time that it comes to `step`."""

    step: str
    group: str
    calls: int


def made_of(plan: Path) -> Path:
    """The file with a line for each crash that was made."""
    return plan.with_suffix(".made")


def arm(group: str, plan: Path) -> None:
    """Prepare the crash that this process is to make, if one is left for its group."""
    crashes = msgspec.json.decode(plan.read_bytes(), type=list[Crash])
    made = set(made_of(plan).read_text().split()) if made_of(plan).exists() else set()
    for number, crash in enumerate(crashes):
        if crash.group == group and str(number) not in made:
            owner, name, after = STEPS[crash.step]
            countdown = _Countdown(crash.calls, f"{number}\n", made_of(plan))
            setattr(owner, name, _wrapped(getattr(owner, name), countdown, after=after))
            return


class _Countdown:
    def __init__(self, calls: int, line: str, made: Path) -> None:
        self._left, self._line, self._made = calls, line, made

    def __call__(self) -> None:
        self._left -= 1
        if self._left == 0:
            with self._made.open("a") as file:
                file.write(self._line)
            os._exit(EXIT_CODE)


def _wrapped(method: Callable[..., Any], tick: Callable[[], None], *, after: bool) -> Callable[..., Any]:
    if asyncio.iscoroutinefunction(method):

        @wraps(method)
        async def waiting(*args: Any, **kwargs: Any) -> Any:
            if not after:
                tick()
            result = await method(*args, **kwargs)
            if after:
                tick()
            return result

        return waiting

    @wraps(method)
    def at_once(*args: Any, **kwargs: Any) -> Any:
        if not after:
            tick()
        result = method(*args, **kwargs)
        if after:
            tick()
        return result

    return at_once


class _ChildrenOfThisModule:
    """asyncio as the supervisor sees it, with children that are started from here."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def create_subprocess_exec(self, *command: str, **options: Any) -> asyncio.subprocess.Process:
        chosen = [__spec__.name if part == "streams.child" else part for part in command]
        return await asyncio.create_subprocess_exec(*chosen, **options)


def slow_writes(seconds: float) -> None:
    """Let every write to a store take so much longer, as on a slow disk."""
    write = RocksDatabase.write

    def slowly(database: RocksDatabase, frozen: Frozen) -> None:
        time.sleep(seconds)
        write(database, frozen)

    owner: Any = RocksDatabase
    owner.write = slowly


def main() -> None:
    """Be the worker or one of its children, or `freshrec reset`."""
    file = Path(os.environ["CHAOS_PLAN"])
    if sys.argv[1:2] == ["worker"]:
        vars(supervisor)["asyncio"] = _ChildrenOfThisModule()
        cli.main()
    elif sys.argv[1:2] == [RESET]:
        arm(RESET, file)
        cli.main()
    else:
        arm(msgspec.json.decode(sys.argv[1], type=ChildPlan).group, file)
        slow_writes(float(os.environ.get("CHAOS_WRITE_S", "0")))
        child.main()


if __name__ == "__main__":
    main()
