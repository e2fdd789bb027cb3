"""One worker process: the stages of one group, one Faust app, one consumer group, one event loop.

It lives as long as its supervisor: when the inherited pipe closes, also by kill -9, it ends. It exits
with 0 after SIGTERM, with 1 and a logged reason after any failure.
"""

import asyncio
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Coroutine
from pathlib import Path

import msgspec
import uvloop

from schemas.settings import Settings
from streams.app import consumer_of, make_app
from streams.errors import FreshrecError
from streams.follower import Follower
from streams.health import Health
from streams.kafka_outbox import KafkaOutbox
from streams.logging_setup import configure
from streams.metrics_server import ChildEndpoint
from streams.monitoring import Metrics
from streams.rocks_store import RocksBudget
from streams.runtime import Runtime, guarded
from streams.stages.partition import StageContext
from streams.topics import identify
from streams.topology import STAGES, TOPIC_BY_NAME, partitions_of
from streams.view_store import VIEWS, followed_by, open_views
from streams.watchdog import Watchdog

logger = logging.getLogger(__name__)
THREAD_SWITCH_S = 0.001


class ChildPlan(msgspec.Struct):
    """What the supervisor tells a child, on the command line as JSON."""

    group: str
    stages: tuple[str, ...]
    slot: int
    socket: str
    pipe: int
    settings: Settings


def now_ms() -> int:
    """The wall clock, epoch ms: stamps outputs, never what is learned."""
    return time.time_ns() // 1_000_000


async def run(plan: ChildPlan) -> int:
    """Run the stages until told to stop; the exit code."""
    settings = plan.settings
    kafka = settings.kafka
    cluster, ids = await asyncio.to_thread(identify, kafka.bootstrap_servers)
    topic_ids = {name.removeprefix(kafka.topic_prefix): id_ for name, id_ in ids.items()}
    folder = Path(settings.state.dir) / VIEWS / f"{plan.group}-{plan.slot}"
    budget = RocksBudget(settings.state.rocksdb_bytes // 2)
    views, databases = open_views(folder, followed_by(plan.stages), budget, settings)
    metrics = Metrics()
    runtime: Runtime

    outbox = KafkaOutbox(kafka, lambda error: runtime.fail(error))
    context = StageContext(settings, outbox, views, metrics, now_ms, topic_ids)
    runtime = Runtime(plan.stages, context, outbox, cluster=cluster)
    counts = {name: partitions_of(TOPIC_BY_NAME[name], kafka.partitions) for name in databases}
    follower = Follower(views, databases, counts, kafka)
    watchdog = Watchdog(runtime, metrics, settings.metrics.watchdog_s)

    def health() -> Health:
        reasons = list(watchdog.reasons())
        if not runtime.assigned_once:
            reasons.append("no partitions are assigned yet")
        if not follower.caught_up:
            reasons.append("followed topics are still being read")
        return Health(live=watchdog.live, ready=not reasons, reasons=reasons)

    endpoint = ChildEndpoint()
    await endpoint.start(Path(plan.socket), metrics, health)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    _watch_pipe(plan.pipe, stopping)
    tasks: list[asyncio.Task[None]] = []

    def start(work: Coroutine[None, None, None]) -> None:
        tasks.append(asyncio.create_task(guarded(runtime, asyncio.ensure_future(work))))

    app = make_app("-".join((plan.group, *_part_of(plan))), settings, runtime, slot=plan.slot)
    try:
        await outbox.start()
        await follower.start()
        start(follower.run())
        while not follower.caught_up and not stopping.is_set() and not runtime.failure.done():
            await asyncio.sleep(0.01)
        app.finalize()
        runtime.consumer = consumer_of(app)
        await app.start()
        start(runtime.publish())
        start(runtime.flush_when_due())
        start(watchdog.run())
        _freeze_garbage()
        stop = asyncio.create_task(stopping.wait())
        await asyncio.wait((stop, runtime.failure), return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if runtime.failure.done():
            return 1
        await runtime.revoke()
        await consumer_of(app).commit()
        return 0
    finally:
        for task in tasks:
            task.cancel()
        await _quietly(app.stop())
        await _quietly(follower.stop())
        await _quietly(outbox.stop())
        runtime.close()
        await endpoint.stop()


def _part_of(plan: ChildPlan) -> tuple[str, ...]:
    """Stages in the group's name when only some of the group run: they are another consumer group."""
    whole = tuple(stage.name for stage in STAGES if stage.group == plan.group)
    return () if plan.stages == whole else plan.stages


def _freeze_garbage() -> None:
    """Leave what start-up made out of garbage collection, and collect the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _watch_pipe(pipe: int, stopping: asyncio.Event) -> None:
    """Stop when the supervisor's end of the pipe closes."""

    def closed() -> None:
        if not os.read(pipe, 1):
            asyncio.get_running_loop().remove_reader(pipe)
            stopping.set()

    os.set_blocking(pipe, False)
    asyncio.get_running_loop().add_reader(pipe, closed)


async def _quietly(work: Coroutine[object, object, object]) -> None:
    """Finish a part of the shutdown; what goes wrong there is logged and holds up nothing."""
    try:
        await asyncio.wait_for(work, timeout=5.0)
    except Exception as error:
        logger.warning("while stopping: %s", error)


def main() -> None:
    """Entry of the process: the plan is the only argument."""
    plan = msgspec.json.decode(sys.argv[1], type=ChildPlan)
    configure(plan.settings.log)
    sys.setswitchinterval(THREAD_SWITCH_S)
    try:
        code = uvloop.run(run(plan))
    except FreshrecError as error:
        logger.error("%s", error)
        code = 1
    logging.shutdown()
    # Faust's consumer thread may be stuck in a call to a broker that is gone; everything is flushed.
    os._exit(code)


if __name__ == "__main__":
    main()
