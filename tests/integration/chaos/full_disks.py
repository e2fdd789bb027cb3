"""Disks that are full: that of the stores, and that of the snapshots."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.chaos.disks import URL, wait_for_snapshots
from tests.integration.chaos.house import House
from tests.integration.worker_process import WorkerProcess, until

DISK_MIB = 512
AS_ROOT = ("unshare", "--user", "--map-root-user", "--mount")
"""In front of a command, lets anybody mount a disk that nobody else sees."""


class SmallDisk:
    """A file system of its own, which can be filled to the last byte and be given room again."""

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no room for anything."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue

    def make_room(self) -> None:
        """Take away what fills it."""
        self._ballast.unlink()


@contextmanager
def a_small_disk(folder: Path) -> Iterator[SmallDisk]:
    """Mount an own file system in a folder."""
    folder.mkdir(parents=True)
    options = ("-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(folder))
    subprocess.run(["mount", *options], check=True)  # noqa: S603, S607  # the system's own
    try:
        yield SmallDisk(folder)
    finally:
        # Lazily: after a fault a worker may still run.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S603, S607


def full(house: House) -> None:
    """In turn: the disk of the stores is full, then that of the snapshots; both are given room again."""
    state, snapshots = Path(house.topics.settings.state.dir), house.folder / URL
    with a_small_disk(state) as of_state, a_small_disk(snapshots) as of_snapshots:
        worker = house.open()
        with house.load(per_s=150.0):
            for number in range(house.run.kills):
                house.pause(1.0, 3.0)
                if number % 2:
                    _without_room_for_snapshots(house, worker, of_snapshots)
                else:
                    _without_room_for_state(house, worker, of_state, stopped=number % 4 == 2)
            wait_for_snapshots(house)
            worker.kill()
            _empty(state)
            worker.start().wait_ready()
            restored = worker.metric("freshrec_restore_bytes_total")
            house.check(restored > 0, "nothing was restored")
        house.settle([worker])
        house.prove()


def _without_room_for_state(house: House, worker: WorkerProcess, disk: SmallDisk, *, stopped: bool) -> None:
    """The worker says so and its processes end; it goes on by itself, or started again."""
    disk.fill()
    until(lambda: worker.log.count("is full (") > 1, f"a worker that tells of it; it logged:\n{worker.log}")
    until(lambda: "ended with 1; starting it again" in worker.log, "a process that ends with 1")
    if stopped:
        code = worker.terminate()
        house.check(code == 1, f"a worker without room ended with {code}")
        worker.start()
        until(lambda: "is full (" in worker.log, "a worker that cannot begin for lack of room")
        code = worker.terminate()
        house.check(code == 1, f"a worker that began without room ended with {code}")
        disk.make_room()
        worker.start()
    else:
        disk.make_room()
    worker.wait_ready()


def _without_room_for_snapshots(house: House, worker: WorkerProcess, disk: SmallDisk) -> None:
    """Failures are counted, work goes on, and it is tried again."""
    disk.fill()
    until(
        lambda: worker.metric("freshrec_snapshots_total", result="failed") > 0,
        f"a snapshot that fails; it logged:\n{worker.log}",
    )
    house.check("have no room" in worker.log, "it was not told that snapshots have no room")
    lists = len(house.topics.read("recommendations"))
    until(lambda: len(house.topics.read("recommendations")) > lists, "lists while snapshots have no room")
    done = worker.metric("freshrec_snapshots_total", result="done")
    disk.make_room()
    until(
        lambda: worker.metric("freshrec_snapshots_total", result="done") > done,
        "a snapshot that is taken again",
    )


def _empty(folder: Path) -> None:
    """Remove all that is in the folder of a mounted disk."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def mounting(command: list[str]) -> list[str]:
    """A command that may mount: as it is for root, in namespaces of its own for everybody else."""
    return command if os.geteuid() == 0 else [*AS_ROOT, *command]
