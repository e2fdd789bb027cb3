"""Two ways to run the same shop: on a real Kafka with a worker, or in this process without a broker."""

import asyncio
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

from online_models.worlds import Emitted
from schemas.recommendations import Recommendation, Rejection
from schemas.settings import KafkaSettings, Settings, StateSettings
from streams import local_kafka
from streams.bench.rig import free_port
from streams.cluster import topic_specs
from streams.errors import FreshrecError
from streams.formats import FileRecord
from streams.partitioning import partition_of
from streams.replay import Replay
from streams.showcase.figures import Figures
from streams.topics import create_topics

READY_S = 60.0
STOP_S = 15.0
_list = msgspec.json.Decoder(Recommendation).decode
_rejection = msgspec.json.Decoder(Rejection).decode


class Floor(Protocol):
    """Where events go, and where lists come back into the figures."""

    async def send(self, messages: Sequence[Emitted]) -> None: ...

    async def breathe(self, seconds: float) -> None: ...


class ReplayFloor:
    """The topology in this process."""

    def __init__(self, folder: Path, figures: Figures) -> None:
        self._figures = figures
        settings = Settings(state=StateSettings(dir=str(folder / "state")))
        self.run = Replay(
            settings,
            on_recommendation=lambda value: figures.note_list(_list(value)),
            on_rejected=lambda rejection: figures.rejected.update([rejection.reason]),
            measure=False,
        )

    async def send(self, messages: Sequence[Emitted]) -> None:
        """Handle messages at once."""
        for each in messages:
            self._figures.note_sent(each)
            number = self._figures.sent
            self.run.feed([FileRecord(each.topic, each.key, each.value, each.at, number)])

    async def breathe(self, seconds: float) -> None:
        """Let published rows follow, and time pass."""
        self.run.catch_up()
        await asyncio.sleep(min(seconds, 0.01))


class KafkaFloor:
    """A real broker and a real worker."""

    def __init__(self, settings: KafkaSettings, producer: AIOKafkaProducer, figures: Figures) -> None:
        self._settings, self._producer, self._figures = settings, producer, figures

    async def send(self, messages: Sequence[Emitted]) -> None:
        """Send messages."""
        for each in messages:
            self._figures.note_sent(each)
            partition = partition_of(each.key, self._settings.partitions)
            await self._producer.send(each.topic, each.value, each.key.encode(), partition)

    async def breathe(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    async def watch(self, consumer: AIOKafkaConsumer) -> None:
        """Take lists and rejections as they come, for ever."""
        while True:
            for place, records in (await consumer.getmany(timeout_ms=100)).items():
                for record in records:
                    if record.value is None:
                        continue
                    if place.topic == "rejected":
                        self._figures.rejected.update([_rejection(record.value).reason])
                    else:
                        self._figures.note_list(_list(record.value))


@asynccontextmanager
async def replay_floor(folder: Path, figures: Figures) -> AsyncIterator[ReplayFloor]:
    """The topology in this process, closed at the end."""
    floor = ReplayFloor(folder, figures)
    try:
        yield floor
    finally:
        floor.run.close()


@asynccontextmanager
async def kafka_floor(
    folder: Path, figures: Figures, say: Callable[[str], None], *, port: int
) -> AsyncIterator[KafkaFloor]:
    """A fresh broker and a worker on it; both end with the block."""
    kafka = folder / "kafka"
    say("starting Kafka (the first time this downloads it)")
    bootstrap = await asyncio.to_thread(local_kafka.up, kafka, port, True, 300.0, say)
    try:
        settings = KafkaSettings(bootstrap_servers=bootstrap)
        await asyncio.to_thread(create_topics, bootstrap, topic_specs(settings), replication=1)
        say(f"Kafka answers at {bootstrap}; starting a worker")
        worker, log = _start_worker(folder, bootstrap)
        try:
            await _wait_ready(worker, log)
            say("the worker is ready")
            async with _clients(settings) as (producer, consumer):
                floor = KafkaFloor(settings, producer, figures)
                watching = asyncio.create_task(floor.watch(consumer))
                try:
                    yield floor
                finally:
                    watching.cancel()
        finally:
            code = await asyncio.to_thread(_stop, worker)
            say(f"the worker ended with {code}")
    finally:
        await asyncio.to_thread(local_kafka.down, kafka)
        say("Kafka is down")


@asynccontextmanager
async def _clients(settings: KafkaSettings) -> AsyncIterator[tuple[AIOKafkaProducer, AIOKafkaConsumer]]:
    producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap_servers, linger_ms=0)
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.bootstrap_servers, fetch_max_wait_ms=50)
    await producer.start()
    await consumer.start()
    try:
        topics = ("recommendations", "rejected")
        places = [TopicPartition(name, number) for name in topics for number in range(settings.partitions)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        yield producer, consumer
    finally:
        await producer.stop()
        await consumer.stop()


_WORKER_PORT = "FRESHREC_METRICS__PORT"


def _start_worker(folder: Path, bootstrap: str) -> tuple["subprocess.Popen[bytes]", Path]:
    log = folder / "worker.log"
    environment = {
        **os.environ,
        "FRESHREC_KAFKA__BOOTSTRAP_SERVERS": bootstrap,
        "FRESHREC_STATE__DIR": str(folder / "state"),
        "FRESHREC_LOG__LEVEL": "warning",
        _WORKER_PORT: str(free_port()),
    }
    with log.open("ab") as out:
        command = [sys.executable, "-m", "streams.cli", "worker"]
        worker = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    (folder / "port").write_text(environment[_WORKER_PORT])
    return worker, log


async def _wait_ready(worker: "subprocess.Popen[bytes]", log: Path) -> None:
    address = f"http://127.0.0.1:{(log.parent / 'port').read_text()}/health/ready"
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and worker.poll() is None:
        try:
            await asyncio.to_thread(lambda: urllib.request.urlopen(address, timeout=2).close())
        except OSError:
            await asyncio.sleep(0.1)
        else:
            return
    ending = log.read_text()[-2000:]
    raise FreshrecError(f"the worker was not ready within {READY_S:.0f} s; its log ends:\n{ending}")


def _stop(worker: "subprocess.Popen[bytes]") -> int:
    worker.terminate()
    try:
        return worker.wait(timeout=STOP_S)
    except subprocess.TimeoutExpired:
        worker.kill()
        return worker.wait()
