"""Workers that are killed, join and leave."""

import os
import signal
import time
from itertools import pairwise

from streams.topology import STAGE_BY_NAME
from tests.integration.chaos.disks import wait_for_snapshots
from tests.integration.chaos.house import House
from tests.integration.worker_process import WorkerProcess, until


def kill(house: House) -> None:
    """SIGKILL at random moments: first one worker alone, then one of three."""
    alone = house.run.kills - house.run.kills // 2
    worker = house.open()
    with house.load():
        for _ in range(alone):
            house.pause(0.2, 2.5)
            worker.kill()
            worker.start()
        worker.wait_ready()
    if alone < house.run.kills:
        three = [worker, house.shop.worker(), house.shop.worker()]
        with house.load(per_s=150.0):
            for _ in range(house.run.kills - alone):
                house.pause(1.0, 5.0)
                victim = house.random.choice(three)
                victim.kill()
                victim.start()
        house.settle(three)
    else:
        house.settle([worker])
    house.prove()


def scale(house: House) -> None:
    """One worker, then three, then one again, as often as told, under load; the longest pauses are noted."""
    first = house.open()
    history, pauses = STAGE_BY_NAME["history"], []
    with house.load(per_s=150.0):
        time.sleep(2.0)
        for _ in range(house.run.kills):
            began = time.time()
            more = [house.shop.worker(), house.shop.worker()]
            until(lambda: len(house.topics.members(history)) == 3, "partitions for three workers")
            time.sleep(3.0)
            pauses.append(_longest_pause(house, began))
            began = time.time()
            for worker in more:
                house.check(worker.terminate() == 0, "a worker that left did not end with 0")
            until(lambda: len(house.topics.members(history)) == 1, "all partitions back at one worker")
            time.sleep(3.0)
            pauses.append(_longest_pause(house, began))
    house.settle([first])
    house.prove()
    house.run.notes["longest_pause_s"] = [round(pause, 2) for pause in pauses]


def apart(house: House) -> None:
    """One worker, then three with disks of their own, then one; each time one of them stands still meanwhile.

    What moved goes on from a snapshot, or from what the disk still has of an earlier time.
    """
    first = house.open()
    history, pauses = STAGE_BY_NAME["history"], []
    disks = [house.folder / f"disk-{number}" for number in (1, 2)]
    with house.load(per_s=150.0):
        wait_for_snapshots(house)
        for _ in range(house.run.kills):
            began = time.time()
            more = [house.shop.worker(state=disk) for disk in disks]
            until(lambda: len(house.topics.members(history)) == 3, "partitions for three workers")
            for worker in more:
                worker.wait_ready()
            house.pause(2.0, 4.0)
            pauses.append(_longest_pause(house, began))
            stand_still(house.random.choice([first, *more]), house)
            until(lambda: len(house.topics.members(history)) == 3, "partitions for three workers again")
            for worker in [first, *more]:
                worker.wait_ready()
            began = time.time()
            for worker in more:
                house.check(worker.terminate() == 0, "a worker that left did not end with 0")
            until(lambda: len(house.topics.members(history)) == 1, "all partitions back at one worker")
            house.pause(2.0, 4.0)
            pauses.append(_longest_pause(house, began))
    house.settle([first])
    house.prove()
    house.run.notes["longest_pause_s"] = [round(pause, 2) for pause in pauses]


def stand_still(worker: WorkerProcess, house: House) -> None:
    """Let a worker stand still for longer than its session lasts: others take its partitions meanwhile."""
    pids = worker.process_ids()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(house.topics.settings.kafka.session_timeout_s + 3.0)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def _longest_pause(house: House, began: float) -> float:
    """Longest time in which no list came, since a moment (seconds)."""
    times = sorted(each.sent_at / 1000 for each in house.topics.read("recommendations"))
    after = [began, *(at for at in times if at >= began)]
    return max((later - sooner for sooner, later in pairwise(after)), default=0.0)
