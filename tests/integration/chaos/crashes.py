"""Crashes at each step of a flush, and around each send."""

from pathlib import Path

import msgspec

from streams.topology import GROUPS
from tests.integration.chaos.crashing_worker import STEPS, Crash, made_of
from tests.integration.chaos.house import House
from tests.integration.worker_process import until

ROOT = Path(__file__).parents[3]
WORKER = "tests.integration.chaos.crashing_worker"
_MOST_CALLS = {"commit": 4, "write": 12, "acknowledged": 12, "_send": 60}


def flush(house: House) -> None:
    """As many crashes as told, the steps in turn, each in another process of the worker."""
    steps, plan = list(STEPS), house.folder / "crashes.json"
    crashes = []
    for number in range(house.run.kills):
        step = steps[number % len(steps)]
        group = GROUPS[(number + house.run.seed + number // len(steps)) % len(GROUPS)]
        crashes.append(Crash(step, group, house.random.randint(1, _MOST_CALLS[STEPS[step][1]])))
    plan.write_bytes(msgspec.json.encode(crashes))
    house.shop.variables["CHAOS_PLAN"] = str(plan)
    # Unlike what it wraps, the module of the crashes is not installed.
    house.shop.variables["PYTHONPATH"] = str(ROOT)
    house.topics.send(house.storefront.catalogue())
    worker = house.shop.worker(module=WORKER)

    def made() -> int:
        return len(made_of(plan).read_text().split()) if made_of(plan).exists() else 0

    with house.load():
        until(lambda: made() == len(crashes), "all crashes")
    house.settle([worker])
    house.prove()
    house.run.notes["steps"] = len({crash.step for crash in crashes})
