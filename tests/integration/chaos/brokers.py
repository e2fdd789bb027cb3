"""A broker that refuses, answers late, stands still, or dies and comes back."""

import time

from tests.integration.chaos.house import House
from tests.integration.chaos.workers import stand_still

STILL_S = (2.0, 10.0, 45.0, 120.0)
"""For how long the broker stands still; the longer ones outlast `kafka.send_timeout_s`."""


def send(house: House) -> None:
    """Sends that the broker refuses, then some that it acknowledges seconds later."""
    worker = house.open()
    with house.load():
        for _ in range(house.run.kills):
            house.pause(0.5, 1.5)
            house.topics.limit_records("item-deltas", 100)
            time.sleep(3.0)
            house.topics.limit_records("item-deltas", None)
            worker.wait_ready()
            house.pause(0.2, 1.0)
            house.broker.pause(house.random.uniform(1.0, 4.0))
    refused = worker.log.count("was not acknowledged")
    house.check(refused > 0, "no send was refused")
    house.settle([worker])
    house.prove()
    house.run.notes["refused_sends"] = refused


def broker(house: House) -> None:
    """In turn: the broker is killed, stands still, and a worker stands still past its session timeout."""
    worker, longest_s = house.open(), 0.0
    with house.load(per_s=100.0):
        for number in range(house.run.kills):
            house.pause(0.5, 2.0)
            house.broker.kill()
            house.broker.up()
            worker.wait_ready()
            house.pause(0.5, 2.0)
            still_s = STILL_S[(house.run.seed + number - 1) % len(STILL_S)]
            house.broker.pause(still_s)
            longest_s = max(longest_s, still_s)
            house.pause(0.5, 2.0)
            stand_still(worker, house)
            time.sleep(1.0)
            worker.wait_ready()
    house.settle([worker])
    house.prove()
    house.run.notes["longest_standstill_s"] = longest_s
