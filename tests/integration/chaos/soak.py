"""Minutes at half of the rate that this machine can do, with restarts: does anything grow that should not?"""

import time

import numpy as np
import psutil

from tests.integration.chaos.house import House
from tests.integration.worker_process import WorkerProcess

BURST = 6_000
"""Events sent at once, to see how many are learned in a second."""

LEGS = 6
LAST_LEG = 0.5
"""Share of the time that the last leg takes: caches that began empty are full by its end."""

SAMPLE_S = 2.0
WARM_UP = 0.4
"""Share of a leg in which a worker that has just begun may fill its caches."""

LONG_LEG_MIN = 3.0
MOST_FILES_PER_MIN = 60.0
"""RocksDB adds a file per flush of its buffers, and merges them again."""

MOST_MEMORY_PER_MIN = 0.01
"""Share of its memory by which a worker may grow, once it runs for minutes."""

Sample = tuple[float, float, float, float]


def soak(house: House) -> None:
    """As many minutes as told, in legs that end with a restart or a kill; the last takes half of them."""
    worker = house.open()
    pace = _half_rate(house)
    legs = min(LEGS, house.run.kills)
    last_min = house.run.kills * (LAST_LEG if legs > 1 else 1)
    minutes = (house.run.kills - last_min) / max(1, legs - 1)
    slopes = []
    with house.load(per_s=pace):
        for leg in range(legs):
            if leg:
                _restart(house, worker, killed=leg % 2 == 0)
            samples = _watch(worker, 60.0 * (minutes if leg < legs - 1 else last_min))
            slopes.append(_slopes(samples))
    house.settle([worker])
    house.prove()
    house.run.notes |= {"events_per_s": round(pace), "legs": legs, "rss_mib": round(samples[-1][1], 1)}
    places = np.linspace(0, len(samples) - 1, 9).astype(int).tolist()
    house.run.notes["rss_mib_in_last_leg"] = [round(samples[place][1]) for place in places]
    for name in slopes[-1]:
        house.run.notes[f"{name}_per_min"] = [round(each[name], 2) for each in slopes]
    last = slopes[-1]
    grown = last["rss_mib"] / samples[-1][1]
    house.check(
        last_min < LONG_LEG_MIN or grown < MOST_MEMORY_PER_MIN, f"memory grows by {grown:.1%} of it a minute"
    )
    house.check(
        last["open_files"] < MOST_FILES_PER_MIN, f"open files grow by {last['open_files']:.1f} a minute"
    )
    house.check(last["lag"] < pace, f"lag grows by {last['lag']:.0f} records a minute")


def _half_rate(house: House) -> float:
    """Half of the events that are learned in a second, with the lists that come of them."""
    house.send(BURST // 4)
    house.topics.wait_caught_up()
    began = time.monotonic()
    house.send(BURST)
    house.topics.wait_caught_up()
    return BURST / (time.monotonic() - began) / 2


def _restart(house: House, worker: WorkerProcess, *, killed: bool) -> None:
    if killed:
        worker.kill()
    else:
        house.check(worker.terminate() == 0, "a worker did not end with 0")
    worker.start().wait_ready()


def _watch(worker: WorkerProcess, seconds: float) -> list[Sample]:
    samples: list[Sample] = []
    began = time.monotonic()
    while (at := time.monotonic() - began) < seconds:
        samples.append(_sample(worker, at))
        time.sleep(SAMPLE_S)
    return samples


def _slopes(samples: list[Sample]) -> dict[str, float]:
    """Growth per minute of what is watched, warm-up left out."""
    times, *watched = np.array(samples[int(WARM_UP * len(samples)) :]).T
    names = ("rss_mib", "open_files", "lag")
    return {
        name: float(np.polyfit(times / 60.0, each, 1)[0]) for name, each in zip(names, watched, strict=True)
    }


def _sample(worker: WorkerProcess, at: float) -> Sample:
    """Time (s), memory of all processes (MiB), their open files, and the records that wait."""
    processes = [psutil.Process(pid) for pid in worker.process_ids()]
    memory = sum(each.memory_info().rss for each in processes) / 2**20
    files = sum(each.num_fds() for each in processes)
    return at, memory, float(files), worker.metric("freshrec_lag_records")
