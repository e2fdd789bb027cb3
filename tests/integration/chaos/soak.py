"""Minutes at half the usual rate, with a restart in each: does anything grow that should not?"""

import time

import numpy as np
import psutil

from tests.integration.chaos.house import House
from tests.integration.worker_process import WorkerProcess

MINUTE_S = 60.0
SAMPLE_S = 2.0
WARM_UP_S = 15.0
PER_S = 125.0


def soak(house: House) -> None:
    """As many minutes as told; each ends with a graceful restart. Slopes are those of the last minute."""
    worker = house.open()
    samples: list[tuple[float, float, float, float]] = []
    with house.load(per_s=PER_S):
        for minute in range(house.run.kills):
            if minute:
                house.check(worker.terminate() == 0, "a worker did not end with 0")
                worker.start().wait_ready()
            began = time.monotonic()
            samples = []
            while time.monotonic() - began < MINUTE_S:
                time.sleep(SAMPLE_S)
                if time.monotonic() - began >= WARM_UP_S:
                    samples.append(_sample(worker, time.monotonic() - began))
    house.settle([worker])
    house.prove()
    times, memory, files, lag = np.array(samples).T
    slope = {
        name: float(np.polyfit(times / 60.0, each, 1)[0])
        for name, each in (("rss_mib", memory), ("open_files", files), ("lag", lag))
    }
    house.run.notes |= {f"{name}_per_min": round(value, 2) for name, value in slope.items()}
    house.run.notes["rss_mib"] = round(float(memory[-1]), 1)
    house.check(
        slope["open_files"] < MOST_FILES_PER_MIN, f"open files grow by {slope['open_files']:.1f} a minute"
    )
    house.check(slope["lag"] < PER_S, f"lag grows by {slope['lag']:.0f} records a minute")


MOST_FILES_PER_MIN = 60.0
"""RocksDB adds a file per flush of its buffers, and merges them again."""


def _sample(worker: WorkerProcess, at: float) -> tuple[float, float, float, float]:
    """Time (s), memory of all processes (MiB), their open files, and the records that wait."""
    processes = [psutil.Process(pid) for pid in worker.process_ids()]
    memory = sum(each.memory_info().rss for each in processes) / 2**20
    files = sum(each.num_fds() for each in processes)
    return at, memory, float(files), worker.metric("freshrec_lag_records")
