"""A shop, its topics and workers under a fault scenario, and the proof of what they left."""

import os
import random
import shutil
import signal
import socket
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from online_models.worlds import Emitted, Storefront
from streams import local_kafka
from tests.integration import recount
from tests.integration.answers import every_list, faults_of_lists
from tests.integration.chaos.outcome import Run
from tests.integration.oracle import Oracle
from tests.integration.shop_topics import ShopTopics, Stream
from tests.integration.shops import Shop, a_shop, a_topology
from tests.integration.worker_process import WorkerProcess

SHOWN_FAULTS = 20
UNBOUNDED = {"RULES__MAX_EVENTS_PER_HOUR": 0}
"""A long run makes more events of a customer in an hour than one may teach; a plain recount has no bounds."""


class Broker:
    """A broker of its own, which may be killed and stopped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.address = local_kafka.up(folder, _steady_port())

    @property
    def pid(self) -> int:
        """The process of the broker."""
        pid = local_kafka.status(self._folder).pid
        assert pid is not None, "the broker does not run"
        return pid

    def kill(self) -> None:
        """End it with SIGKILL, and wait until it has let go of its port."""
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    def up(self) -> None:
        """Start it again on its old port, and wait until it answers."""
        local_kafka.up(self._folder, int(self.address.rpartition(":")[2]))

    def pause(self, seconds: float) -> None:
        """Let it stand still for a while; it keeps what it has."""
        pid = self.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            os.kill(pid, signal.SIGCONT)


class House:
    """What a scenario works with.

    Parameters
    ----------
    shop : Shop
        Topics and workers.
    folder : Path
        For what the proof needs.
    run : Run
        Seed and number of faults; takes what is found.
    broker : Broker or None
        None where the broker is shared, and left alone.
    world : dict
        How the storefront differs from the usual one.
    """

    def __init__(
        self, shop: Shop, folder: Path, run: Run, *, broker: Broker | None, world: dict[str, Any]
    ) -> None:
        self.shop, self.folder, self.run, self._broker = shop, folder, run, broker
        self.random = random.Random(run.seed)  # noqa: S311  # a seed repeats the run, nothing is kept secret
        self.storefront = Storefront(a_shop(run.seed, **world))
        self._events = self.storefront.events()
        self.sent: list[Emitted] = []
        self.started = time.monotonic()

    @property
    def topics(self) -> ShopTopics:
        """The storefront's side of Kafka."""
        return self.shop.topics

    @property
    def broker(self) -> Broker:
        """The broker, where it is this house's own."""
        assert self._broker is not None, "this scenario needs a broker of its own"
        return self._broker

    def open(self, *, module: str = "streams.cli") -> WorkerProcess:
        """Send the catalogue, and start a worker that is ready."""
        self.topics.send(self.storefront.catalogue())
        return self.shop.worker(module=module).wait_ready()

    @contextmanager
    def load(self, *, per_s: float = 250.0) -> Iterator[None]:
        """Events at a steady pace, as long as the block takes."""
        with Stream(self.topics, self._events, per_s=per_s) as stream:
            yield
        self.sent += stream.sent

    def take(self, count: int) -> list[Emitted]:
        """The next events, which nobody sent yet."""
        return list(islice(self._events, count))

    def send(self, count: int) -> None:
        """So many events at once."""
        events = self.take(count)
        self.topics.send(events)
        self.sent += events

    def pause(self, least_s: float, most_s: float) -> None:
        """Let a random time pass."""
        time.sleep(self.random.uniform(least_s, most_s))

    def settle(self, workers: Iterable[WorkerProcess]) -> None:
        """Wait until all is counted, and stop the workers; gaps and exit codes are faults."""
        self.topics.wait_caught_up()
        for worker in workers:
            gaps = worker.wait_ready().metric("freshrec_gaps_total")
            self.check(gaps == 0, f"{gaps:.0f} gaps were counted")
            code = worker.terminate()
            self.check(code == 0, f"a worker ended with {code}")

    def check(self, holds: bool, fault: str) -> None:
        """Note a fault unless something holds."""
        if not holds:
            self.run.faults.append(fault)

    def prove(self, *, counted: bool = True) -> None:
        """Compare stores, what is between them and lists with what they have to be.

        `counted` compares with a plain count of what was sent, too; every event has to be a valid one then.
        """
        self.run.events = len(self.sent)
        oracle = Oracle(self.topics, self.folder / f"oracle-{uuid.uuid4().hex[:6]}")
        self._differ(oracle.differences())
        self.run.keys += oracle.compared
        self._differ(faults_of_lists(self.topics))
        self.run.keys += len({each.user_id or each.session_id for each in every_list(self.topics)})
        if counted:
            self._compare_counts()

    def _compare_counts(self) -> None:
        expected, found = recount.sent(self.sent), recount.learned(self.topics.settings)
        columns: list[tuple[Counter[Any], Counter[Any]]] = [
            (expected.events, found.events),
            (expected.bought, found.bought),
            (expected.together, found.together),
            (expected.popularity, found.popularity),
            (Counter(orders=expected.orders), Counter(orders=found.orders)),
        ]
        for wanted, seen in columns:
            self.run.keys += len(wanted)
            self._differ(
                f"{key} was counted {seen[key]} times, sent {wanted[key]}"
                for key in wanted.keys() | seen.keys()
                if wanted[key] != seen[key]
            )
        self.run.lost += sum((expected.events - found.events).values())

    def _differ(self, faults: Iterable[str]) -> None:
        for fault in faults:
            self.run.differing += 1
            if len(self.run.faults) < SHOWN_FAULTS:
                self.run.faults.append(fault[:500])


@contextmanager
def a_house(
    run: Run, folder: Path, kafka: str | None, world: dict[str, Any], settings: dict[str, Any]
) -> Iterator[House]:
    """Topics of their own, on a shared broker or, where none is named, on one of their own."""
    with _broker(folder) if kafka is None else _nothing() as broker:
        address = kafka or (broker.address if broker else "")
        prefix = f"c{uuid.uuid4().hex[:10]}-"
        with a_topology(address, prefix, folder, **{**UNBOUNDED, **settings}) as shop:
            house = House(shop, folder, run, broker=broker, world=world)
            yield house
            run.seconds = round(time.monotonic() - house.started, 1)


def _steady_port() -> int:
    """A free port below those that the system gives to clients: one of them would take it meanwhile."""
    for port in range(20_000 + os.getpid() % 5_000, 32_000):
        with socket.socket() as candidate:
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port below 32,000 is free")


@contextmanager
def _broker(folder: Path) -> Iterator[Broker | None]:
    data = Path(tempfile.mkdtemp(prefix="kafka-", dir=folder))
    try:
        yield Broker(data)
    finally:
        local_kafka.down(data)
        shutil.rmtree(data, ignore_errors=True)


@contextmanager
def _nothing() -> Iterator[Broker | None]:
    yield None
