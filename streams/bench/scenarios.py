"""What is measured end to end, on bench-1: learning alone, refreshing beside it, and latency.

One worker on a fresh Kafka learns the catalogue and the customers' past first (so that histories are
full); it is restarted, warm, for each scenario, and only then is anything measured.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from streams import local_kafka
from streams.bench.latency import Watched, WatchPlan
from streams.bench.producer import ProducerPlan, Sent
from streams.bench.rig import Rig, rig

WARM_UP_S = 1800.0
WORLD_RATE = 10_000.0
START_UP_MS = 4_000
"""A producer with a rate is up by then; its events leave when they happen."""

ENVIRONMENT = {
    "FRESHREC_HISTORY__LINKED_ITEMS": "20",
    "FRESHREC_RECOMMEND__REPEAT_PURCHASES": "true",
    "FRESHREC_STATE__CACHE_BYTES": str(8 * 2**30),
    "FRESHREC_STATE__FLUSH_MAX_BYTES": str(4 * 2**30),
}
"""bench-1 links 20 items of a history; every customer has bought 20 items, so repeats stay in the lists."""


class Scenario(msgspec.Struct, frozen=True):
    """A scenario: how many events at which rate (0: as fast as they go), and whether lists are refreshed."""

    name: str
    events: int
    rate: float
    refresh: bool
    refresh_interval_ms: int = 100


SCENARIOS = (
    Scenario("e2e-learn", 300_000, 0.0, refresh=False),
    Scenario("e2e-refresh", 66_000, 2_200.0, refresh=True, refresh_interval_ms=3_000),
    Scenario("e2e-latency", 30_000, 1_000.0, refresh=True),
)
CACHES = 60_000
"""Events that are learned after a restart before anything is measured: a worker's caches fill slowly."""


class Result(msgspec.Struct):
    """Figures of one run; `cpu_share` is CPU time per second of the run, by role."""

    scenario: str
    events: int
    sent_per_s: float
    seconds: float
    learned_per_s: float
    warm_up_s: float
    cpu_share: dict[str, float]
    saturated: str
    lists: Watched | None = None


def run(scenarios: Sequence[Scenario], folder: Path, *, partitions: int, past: int) -> Iterator[Result]:
    """Warm one worker up, then run the scenarios on it, restarted for each with its settings.

    Parameters
    ----------
    scenarios : sequence of Scenario
        In the order in which they run.
    folder : Path
        Everything is kept below it.
    partitions : int
        Of every keyed topic.
    past : int
        How many customers get their past; 0 all, -1 none.
    """
    with rig(folder, {**ENVIRONMENT, "FRESHREC_RECOMMEND__ENABLED": "false"}, partitions=partitions) as each:
        started = time.perf_counter()
        accepted = 0.0
        now = time.time_ns() // 1_000_000
        for part, count in (("catalogue", 0), ("past", past)):
            if count >= 0:
                sent = each.sent(each.produce(_plan(each, part, count, 0.0, now)))
                accepted += sent.events
        each.wait_learned(accepted, timeout_s=WARM_UP_S)
        warm_up = time.perf_counter() - started
        for number, scenario in enumerate(scenarios, start=1):
            each.restart(
                {
                    "FRESHREC_RECOMMEND__ENABLED": str(scenario.refresh).lower(),
                    "FRESHREC_RECOMMEND__REFRESH_INTERVAL_MS": str(scenario.refresh_interval_ms),
                }
            )
            filling = each.sent(each.produce(_plan(each, "events", CACHES, 0.0, now, seed=2 * number)))
            each.wait_learned(filling.events, timeout_s=WARM_UP_S)
            yield _measure(scenario, each, folder, filling.events, warm_up, seed=2 * number + 1)


def _measure(
    scenario: Scenario, each: Rig, folder: Path, learned: int, warm_up: float, *, seed: int
) -> Result:
    broker = local_kafka.status(folder / "kafka").pid
    watcher = None
    if scenario.refresh:
        watcher = each.spawn("streams.bench.latency", WatchPlan(each.bootstrap, "", each.partitions, 5.0))
        if watcher.stdout is not None:
            watcher.stdout.readline()
    before, started = each.cpu(broker), time.time()
    now = time.time_ns() // 1_000_000 + (START_UP_MS if scenario.rate else 0)
    sent: Sent = each.sent(
        each.produce(_plan(each, "events", scenario.events, scenario.rate, now, seed=seed))
    )
    each.wait_learned(learned + sent.events, timeout_s=WARM_UP_S)
    seconds = max(0.001, time.time() - sent.first_ms / 1000)
    span = time.time() - started
    share = {role: round((cpu - before.get(role, 0.0)) / span, 3) for role, cpu in each.cpu(broker).items()}
    lists = None
    if watcher is not None:
        out, _ = watcher.communicate(timeout=120)
        lists = msgspec.json.decode(out, type=Watched)
    return Result(
        scenario.name,
        sent.events,
        round(sent.events / max(0.001, (sent.last_ms - sent.first_ms) / 1000), 1),
        round(seconds, 2),
        round(sent.events / seconds, 1),
        round(warm_up, 1),
        share,
        max(share, key=lambda role: share[role]),
        lists,
    )


def _plan(each: Rig, part: str, events: int, rate: float, now: int, *, seed: int = 1) -> ProducerPlan:
    """What to send; another seed makes other events, so that none is a duplicate of an earlier one."""
    return ProducerPlan(
        each.bootstrap, "", each.partitions, part, events, rate, rate or WORLD_RATE, now, seed
    )
