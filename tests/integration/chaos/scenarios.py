"""Every scenario by its name: what it does to workers, broker or input, and what it needs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from tests.integration.chaos import brokers, crashes, disks, full_disks, inputs, slow, soak, topics, workers
from tests.integration.chaos.house import House, a_house
from tests.integration.chaos.outcome import Run


class Scenario(msgspec.Struct, frozen=True):
    """What happens, how many faults by default, and what differs from the usual house."""

    happens: Callable[[House], None]
    kills: int
    own_broker: bool = False
    world: dict[str, Any] = {}
    settings: dict[str, Any] = {}


SCENARIOS = {
    "kill": Scenario(workers.kill, 5, settings={"KAFKA__PARTITIONS": 4}),
    "flush": Scenario(crashes.flush, 8),
    "taking": Scenario(crashes.taking, 20, settings=disks.SETTINGS | {"SNAPSHOT__KEEP": 2}),
    "reset": Scenario(crashes.reset, 9),
    "send": Scenario(brokers.send, 3, own_broker=True),
    "scale": Scenario(workers.scale, 2, settings={"KAFKA__PARTITIONS": 6}),
    "apart": Scenario(workers.apart, 2, settings={**disks.SETTINGS, "KAFKA__PARTITIONS": 6}),
    "disk": Scenario(disks.disk, 4, settings=disks.SETTINGS),
    "snapshot": Scenario(disks.snapshot, 4, settings=disks.SETTINGS),
    "older": Scenario(disks.older, 6, settings=disks.SETTINGS | {"SNAPSHOT__KEEP": 9}),
    "full": Scenario(full_disks.full, 4, settings=disks.SETTINGS),
    "broker": Scenario(brokers.broker, 4, own_broker=True),
    "slow": Scenario(slow.slow, 2, own_broker=True, settings=slow.SETTINGS),
    "duplicates": Scenario(inputs.duplicates, 2, world=inputs.REPEATED_AND_LATE),
    "poison": Scenario(inputs.poison, 100_000, settings={"INGEST__MAX_LINES": 2_000}),
    "topics": Scenario(topics.topics, 4),
    "soak": Scenario(soak.soak, 3),
}


def carry_out(
    name: str, folder: Path, *, seed: int, kills: int | None = None, kafka: str | None = None
) -> Run:
    """Run a scenario; its faults are in what is returned.

    Parameters
    ----------
    name : str
        Key of `SCENARIOS`.
    folder : Path
        An empty folder for state, logs and scratch.
    seed, kills : int
        What happens when, and how often.
    kafka : str, optional
        Address of a broker that others use, too; by default an own one is started.
    """
    scenario = SCENARIOS[name]
    run = Run(scenario=name, seed=seed, kills=kills if kills is not None else scenario.kills)
    shared = None if scenario.own_broker else kafka
    with a_house(run, folder, shared, scenario.world, scenario.settings) as house:
        try:
            scenario.happens(house)
        except Exception as error:
            # Whatever goes wrong is found of this run, with its seed.
            house.check(holds=False, fault=f"{type(error).__name__}: {error}")
    return run
