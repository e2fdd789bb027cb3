"""A broker and a disk that are slow: what is to be learned waits in the log, not in memory."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import msgspec
import psutil

from online_models.worlds import Emitted
from tests.integration.chaos.crashes import WORKER, Plan
from tests.integration.chaos.house import House
from tests.integration.worker_process import WorkerProcess, until

MANY = 4_000
PADDING_BYTES = 32 * 1024
AT_ONCE = 200
MOST_GROWTH_MIB = MANY * PADDING_BYTES / 2**20 / 2
"""Half of what waits: who takes in all that comes holds all of it, more than once."""

STILL_S, RUNNING_S = 0.6, 0.3
WRITE_S = 0.5
SETTINGS = {
    "KAFKA__FETCH_AHEAD_BYTES": 4 * 1024 * 1024,
    "KAFKA__FETCH_MAX_BYTES": 256 * 1024,
    "STATE__FLUSH_MAX_ROWS": 100,
}


def slow(house: House) -> None:
    """A backlog of large events: as fast as it goes, from a slow broker, onto a slow disk, in turn."""
    Plan(house)
    worker = house.open(module=WORKER)
    house.settle([worker])
    usual_mib, usual_s = _learn(house, worker, nullcontext())
    house.run.notes |= {"usual_mib": round(usual_mib), "usual_s": round(usual_s)}
    for number in range(house.run.kills):
        what = ("broker", "disk")[number % 2]
        if what == "disk":
            house.shop.variables["CHAOS_WRITE_S"] = str(WRITE_S)
            worker = house.shop.worker(module=WORKER)
            house.settle([worker])
        most_mib, took_s = _learn(house, worker, _slow_broker(house) if what == "broker" else nullcontext())
        house.run.notes |= {f"{what}_mib": round(most_mib), f"{what}_s": round(took_s)}
        grown = most_mib - usual_mib
        house.check(grown < MOST_GROWTH_MIB, f"with a slow {what} memory grew by {grown:.0f} MiB")
    house.prove()


def _learn(
    house: House, worker: WorkerProcess, slowness: AbstractContextManager[None]
) -> tuple[float, float]:
    """Have a worker learn a backlog; the most memory of its processes (MiB), and how long it took (s)."""
    events = house.take(MANY)
    for first in range(0, MANY, AT_ONCE):
        house.topics.send(_padded(each) for each in events[first : first + AT_ONCE])
    house.sent += events
    most, began = 0.0, time.monotonic()
    worker.start()
    with slowness:
        worker.wait_ready()

        def learned() -> bool:
            nonlocal most
            most = max(most, sum(_memory_mib(pid) for pid in worker.children()))
            return not house.topics.lag()

        until(learned, "stages without lag", timeout_s=240.0)
        took = time.monotonic() - began
    house.settle([worker])
    return most, took


def _memory_mib(pid: int) -> float:
    try:
        return float(psutil.Process(pid).memory_info().rss) / 2**20
    except psutil.NoSuchProcess:
        return 0.0


def _padded(event: Emitted) -> Emitted:
    """The same event with a field that nobody knows, and which is ignored."""
    message = msgspec.json.decode(event.value) | {"padding": "x" * PADDING_BYTES}
    return msgspec.structs.replace(event, value=msgspec.json.encode(message))


@contextmanager
def _slow_broker(house: House) -> Iterator[None]:
    """A broker that stands still most of the time."""
    pid, over = house.broker.pid, threading.Event()

    def still_and_running() -> None:
        while not over.wait(RUNNING_S):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(STILL_S)
            os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=still_and_running)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
