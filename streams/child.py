"""One worker process: the stages of one group, one Faust app, one consumer group, one event loop.

It lives as long as its supervisor: when the inherited pipe closes, also by kill -9, it ends. It exits
with 0 after SIGTERM, with 1 and a logged reason after any failure.
"""

import asyncio
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
from streams.bounded_fetch import bound_batches
from streams.disk import full, is_full
from streams.errors import BrokerError, FreshrecError
from streams.follower import Follower
from streams.garbage import collect_rarely
from streams.health import Health
from streams.kafka_outbox import KafkaOutbox
from streams.logging_setup import configure
from streams.metrics_server import ChildEndpoint
from streams.monitoring import Metrics
from streams.pseudonyms import pseudonyms_of
from streams.remembered import FACTS, FILE, RememberedSessions
from streams.rocks_store import RocksBudget
from streams.rules_file import RulesFile
from streams.runtime import Runtime
from streams.snapshots.automatic import Snapshotter
from streams.snapshots.library import open_library
from streams.snapshots.relocation import Relocation
from streams.snapshots.retention import RetentionWatch, no_snapshot
from streams.stages.partition import StageContext
from streams.topics import identify
from streams.topology import STAGES, TOPIC_BY_NAME, partitions_of
from streams.view_store import VIEWS, followed_by, open_views, remembered_by
from streams.watchdog import Watchdog

logger = logging.getLogger(__name__)
audit = logging.getLogger("freshrec.audit")
THREAD_SWITCH_S = 0.001
YIELDING = 10
"""Niceness of the processes that nobody waits for: where cores are scarce, answers come first."""


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


class Child:
    """The parts of one worker process.

    Parameters
    ----------
    plan : ChildPlan
        Which stages, which settings.
    cluster : str
        Id of the Kafka cluster.
    topic_ids : dict of str to str
        Kafka's ids of the topics, by name without prefix.
    """

    def __init__(self, plan: ChildPlan, cluster: str, topic_ids: dict[str, str]) -> None:
        self.plan, settings = plan, plan.settings
        folder = Path(settings.state.dir) / VIEWS / f"{plan.group}-{plan.slot}"
        budget = RocksBudget(settings.state.rocksdb_bytes // 2)
        remembered = None
        if remembered_by(plan.stages, settings):
            remembered = RememberedSessions(folder / FILE, settings, topic_id=topic_ids.get(FACTS, FACTS))
        self.metrics = Metrics()
        self.rules_file = None
        if "history" in plan.stages:
            self.rules_file = RulesFile(settings.recommend.rules_file, self.metrics.tell_rules)
        views, databases = open_views(
            folder, followed_by(plan.stages, settings), budget, settings, remembered, self.rules_file
        )
        self.failure: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self.outbox = KafkaOutbox(settings.kafka, self._fail)
        pseudonyms = pseudonyms_of(settings.privacy)
        context = StageContext(
            settings,
            self.outbox,
            views,
            self.metrics,
            now_ms,
            topic_ids,
            pseudonyms=pseudonyms,
            audit=audit.info,
        )
        library = open_library(settings) if settings.snapshot.url else None
        relocation = Relocation(library, self.metrics)
        self.runtime = Runtime(
            plan.stages, context, self.outbox, self._fail, cluster=cluster, relocation=relocation
        )
        self.snapshotter = Snapshotter(self.runtime, library, context)
        oldest = self.snapshotter.oldest_offset if library is not None else no_snapshot
        self.retention = RetentionWatch(self.runtime, oldest, settings, self.metrics)
        partitions = {
            name: partitions_of(TOPIC_BY_NAME[name], settings.kafka.partitions)
            for name in (*databases, *((FACTS,) if remembered is not None else ()))
        }
        self.follower = Follower(views, databases, partitions, settings)
        self.watchdog = Watchdog(self.runtime, self.metrics, settings.metrics.watchdog_s)
        self.endpoint = ChildEndpoint()
        self.stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        group = "-".join((plan.group, *_part_of(plan)))
        self.app = make_app(group, settings, self.runtime, slot=plan.slot)

    def _fail(self, error: Exception) -> None:
        """End the process, with the first reason."""
        if not self.failure.done():
            logger.error("%s", error)
            self.failure.set_result(error)

    def health(self) -> Health:
        """Whether the process lives and is ready, as its endpoint tells the supervisor."""
        reasons = list(self.watchdog.reasons())
        if not self.runtime.assigned_once:
            reasons.append("no partitions are assigned yet")
        if not self.follower.caught_up:
            reasons.append("followed topics are still being read")
        reasons += self.runtime.relocation.reasons(self.runtime.hosted.values())
        return Health(live=self.watchdog.live, ready=not reasons, reasons=reasons)

    async def run(self) -> int:
        """Run until told to stop or until something fails; the exit code."""
        await self.endpoint.start(Path(self.plan.socket), self.metrics, self.health)
        try:
            await self._start()
            stop = asyncio.create_task(self.stopping.wait())
            await asyncio.wait((stop, self.failure), return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
            if self.failure.done():
                return 1
            await self.runtime.revoke()
            await consumer_of(self.app).commit()
            await self.snapshotter.at_shutdown()
            return 0
        finally:
            await self._stop()

    async def _start(self) -> None:
        await self.outbox.start()
        await self.follower.start()
        self._keep(self.follower.run())
        while not (self.follower.caught_up or self.stopping.is_set() or self.failure.done()):
            await asyncio.sleep(0.01)
        self.app.finalize()
        self.runtime.consumer = consumer_of(self.app)
        await self.app.start()
        self._keep(self._watch_app())
        self._keep(self.runtime.publish())
        self._keep(self.runtime.flush_when_due())
        self._keep(self.runtime.rewrite_when_due())
        self._keep(self.watchdog.run())
        self._keep(self.retention.run())
        self._keep(self.snapshotter.run())
        if self.rules_file is not None:
            self._keep(self.rules_file.watch())
        collect_rarely()

    async def _watch_app(self) -> None:
        """End the process as soon as Faust gave up: its consumer is gone then."""
        await self.app.wait()
        if not self.stopping.is_set():
            reason = self.app.crash_reason
            raise BrokerError(f"the Kafka client of this process gave up: {reason!r}; a fresh one reads on")

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        """Run a task of the process; whatever it raises ends the process."""

        async def guarded() -> None:
            try:
                await work
            except FreshrecError as error:
                self._fail(error)
            except Exception as error:
                logger.exception("a task of the worker failed")
                self._fail(error)

        self._tasks.append(asyncio.create_task(guarded()))

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await _quietly(self.app.stop())
        await _quietly(self.follower.stop())
        await _quietly(self.outbox.stop())
        self.runtime.close()
        await self.endpoint.stop()


async def run(plan: ChildPlan) -> int:
    """Run the stages of a plan; the exit code."""
    kafka = plan.settings.kafka
    cluster, ids = await asyncio.to_thread(identify, kafka)
    child = Child(plan, cluster, {name.removeprefix(kafka.topic_prefix): id_ for name, id_ in ids.items()})
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, child.stopping.set)
    _watch_pipe(plan.pipe, child.stopping)
    return await child.run()


def _part_of(plan: ChildPlan) -> tuple[str, ...]:
    """Stages in the group's name when only some of the group run: they are another consumer group."""
    whole = tuple(stage.name for stage in STAGES if stage.group == plan.group)
    return () if plan.stages == whole else plan.stages


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
    configure(plan.settings.log, group=plan.group)
    if "history" not in plan.stages:
        os.nice(YIELDING)
    sys.setswitchinterval(THREAD_SWITCH_S)
    bound_batches(plan.settings.kafka.fetch_max_bytes)
    try:
        code = uvloop.run(run(plan))
    except FreshrecError as error:
        logger.error("%s", error)
        code = 1
    except OSError as error:
        if not is_full(error):
            raise
        logger.error("%s", full(Path(plan.settings.state.dir), error))
        code = 1
    logging.shutdown()
    # Faust's consumer thread may be stuck in a call to a broker that is gone; everything is flushed.
    os._exit(code)


if __name__ == "__main__":
    main()
