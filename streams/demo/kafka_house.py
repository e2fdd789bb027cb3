"""The house with a real Kafka: a broker and a worker started for the demo, a producer and a consumer.

A record that Kafka did not acknowledge ends the demo. Lists are read from the start of their topic.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import perf_counter

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from msgspec.structs import replace

from online_models.worlds import Emitted
from schemas.settings import Settings
from streams import local_kafka
from streams.cluster import topic_specs
from streams.connection import client_options
from streams.demo.house import Counts, Listener, counts_of
from streams.demo.screen import Screen
from streams.demo.worker_process import WorkerProcess
from streams.errors import BrokerError, DeliveryError, FreshrecError
from streams.interrupts import undisturbed
from streams.topics import create_topics

LISTS, REFUSALS = "recommendations", "rejected"


class KafkaHouse:
    """A broker and a worker that are running.

    Parameters
    ----------
    settings : Settings
        The worker's.
    worker : WorkerProcess
        Its process.
    """

    def __init__(self, settings: Settings, worker: WorkerProcess) -> None:
        self.settings, self._worker = settings, worker
        self._producer: AIOKafkaProducer | None = None
        self._listening: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None

    @asynccontextmanager
    async def connected(self, listener: Listener) -> AsyncIterator[None]:
        kafka = self.settings.kafka
        topics = [kafka.topic_prefix + name for name in (LISTS, REFUSALS)]
        producer = AIOKafkaProducer(**client_options(kafka), acks="all")
        consumer = AIOKafkaConsumer(*topics, **client_options(kafka), auto_offset_reset="earliest")
        try:
            await producer.start()
            await consumer.start()
            self._producer = producer
            self._listening = asyncio.create_task(self._listen(consumer, topics[0], listener))
            yield
        finally:
            if self._listening is not None:
                self._listening.cancel()
            await consumer.stop()
            await producer.stop()

    async def send(self, record: Emitted) -> None:
        if self._producer is None:
            raise DeliveryError("nothing can be sent before `connected`")
        topic = self.settings.kafka.topic_prefix + record.topic
        sent = await self._producer.send(topic, record.value, record.key.encode())
        sent.add_done_callback(self._acknowledged)

    async def counts(self) -> Counts:
        text = await asyncio.to_thread(self._worker.metrics)
        return counts_of(text) if text else Counts()

    def check(self) -> None:
        self._worker.check()
        listening = self._listening
        if self._failure is None and listening is not None and listening.done():
            self._failure = listening.exception()
        if self._failure is not None:
            raise BrokerError(f"Kafka failed: {self._failure}") from self._failure

    def _acknowledged(self, sent: "asyncio.Future[object]") -> None:
        if not sent.cancelled() and sent.exception() is not None:
            self._failure = sent.exception()

    async def _listen(self, consumer: AIOKafkaConsumer, lists: str, listener: Listener) -> None:
        while True:
            found = await consumer.getmany(timeout_ms=1_000)
            now_s = perf_counter()
            for partition, records in found.items():
                for value in (record.value for record in records if record.value is not None):
                    if partition.topic == lists:
                        listener.received(value, now_s)
                    else:
                        listener.refused(value)


@contextmanager
def kafka_house(settings: Settings, folder: Path, port: int, screen: Screen) -> Iterator[KafkaHouse]:
    """Start a broker and a worker on it; both end with the block, the worker first.

    Parameters
    ----------
    settings : Settings
        The worker's, but for the address of the broker.
    folder : Path
        Where all is kept.
    port : int
        Of the broker; 0 takes a free one.
    screen : Screen
        Told what is being done.

    Raises
    ------
    FreshrecError
        Something did not start, ended or failed; with the end of the worker's log.
    """
    home = folder / "kafka"
    screen.doing("starting Kafka")
    try:
        bootstrap = local_kafka.up(home, port, on_progress=screen.progress)
        version = local_kafka.status(home).version
        screen.done(f"Kafka {version} answers at {bootstrap}")
        settings = replace(settings, kafka=replace(settings.kafka, bootstrap_servers=bootstrap))
        screen.doing("creating the topics")
        made = create_topics(settings.kafka, topic_specs(settings.kafka), replication=1)
        screen.done(f"{len(made)} topics created")
        with _worker(settings, folder / "worker.log", screen) as worker:
            yield KafkaHouse(settings, worker)
    finally:
        with undisturbed():
            screen.doing("stopping Kafka")
            local_kafka.down(home)
            screen.done("Kafka stopped")


@contextmanager
def _worker(settings: Settings, log: Path, screen: Screen) -> Iterator[WorkerProcess]:
    screen.doing("starting the worker")
    worker = WorkerProcess(settings, log)
    code = None
    try:
        address = worker.wait_ready()
        screen.done(f"the worker is ready; its metrics: {address}/metrics")
        yield worker
        code = _stop(worker, screen)
        if code != 0:
            raise FreshrecError(f"the worker ended with {code} when it was asked to stop")
    except (FreshrecError, KafkaError) as error:
        raise FreshrecError(f"{error}. The end of its log:\n{worker.last_lines()}") from error
    except Exception as error:
        error.add_note(f"The end of the worker's log:\n{worker.last_lines()}")
        raise
    finally:
        if code is None:
            _stop(worker, screen)


def _stop(worker: WorkerProcess, screen: Screen) -> int:
    with undisturbed():
        screen.doing("stopping the worker")
        code = worker.stop()
        screen.done(f"the worker stopped, exit code {code}")
    return code
