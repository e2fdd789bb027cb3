"""Faust's consumers fed from memory: everything between a fetch and what an agent does, without a broker.

What a broker's answer takes until it is records, and what sending takes, is in nobody's figures.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from time import process_time
from typing import Any

import faust
from aiokafka.structs import ConsumerRecord
from faust.transport.drivers.aiokafka import Consumer as AiokafkaConsumer
from faust.types import TP

from streams.formats import FileRecord
from streams.transport import BatchConsumer

Fetch = dict[TP, list[Any]]
_LOOK_S = 0.001


class Fed:
    """A consumer's side towards the broker: what comes is in `fetches`, of `places`; commits go nowhere."""

    fetches: deque[Fetch]
    places: frozenset[TP] = frozenset()

    async def _wait_next_records(self, _timeout: float) -> tuple[Mapping[TP, list[Any]] | None, None]:
        while not self.fetches:
            await asyncio.sleep(_LOOK_S)
        return self.fetches.popleft(), None

    def highwater(self, _tp: TP) -> int:
        """Return where a partition ends, which the broker says: it matters to nothing here."""
        return 0

    def assignment(self) -> set[TP]:
        """Return the partitions that are ours."""
        return set(self.places)

    async def _commit(self, _offsets: Mapping[TP, int]) -> bool:
        return True


class FedBatches(Fed, BatchConsumer):
    """The worker's consumer."""


class FedRecords(Fed, AiokafkaConsumer):
    """Faust's own consumer."""


def fetches_of(parts: Sequence[Sequence[FileRecord]], size: int) -> list[list[Fetch]]:
    """Put records into fetches of so many, as a broker would answer: by topic, each with one partition.

    Each part has fetches of its own; offsets go on from part to part.
    """
    offsets: dict[str, int] = {}
    return [
        [_fetch(part[start : start + size], offsets) for start in range(0, len(part), size)] for part in parts
    ]


def _fetch(records: Sequence[FileRecord], offsets: dict[str, int]) -> Fetch:
    found: Fetch = {}
    for each in records:
        offset = offsets[each.topic] = offsets.get(each.topic, -1) + 1
        value, key = each.value, each.key.encode()
        record = ConsumerRecord(each.topic, 0, offset, each.at, 0, key, value, None, len(key), len(value), ())
        found.setdefault(TP(each.topic, 0), []).append(record)
    return found


class FedApp:
    """An app whose agents run and whose consumer is fed from memory; nothing is connected.

    Parameters
    ----------
    app : faust.App
        With agents on topics of one partition each.
    consumer : type
        `FedBatches` or `FedRecords`.
    """

    def __init__(self, app: faust.App, consumer: type[Fed]) -> None:
        self._app, self._tasks = app, list[asyncio.Task[Any]]()
        app.finalize()
        transport: Any = app.transport
        transport.Consumer = consumer
        consumer_fed: Any = app.consumer
        self.consumer, self._fetches = consumer_fed, deque[Fetch]()
        consumer_fed.fetches = self._fetches

    async def start(self) -> None:
        """Start the agents and hand them their partitions, as a rebalance does."""
        app = self._app
        conductor: Any = app.topics
        for agent in app.agents.values():
            self._tasks.append(asyncio.create_task(agent.fun(agent.stream())))
        # Each registers its topic once it waits for the first event.
        while len(conductor) < len(app.agents):
            await asyncio.sleep(0)
        places = {TP(topic, 0) for topic in await conductor._update_indices()}
        self.consumer.places = frozenset(places)
        await app.topics.on_partitions_assigned(places)
        app.flow_control.resume()
        self.consumer.resume_flow()
        self._tasks.append(asyncio.create_task(self.consumer._drain_messages(self.consumer)))

    async def seconds(self, fetches: Sequence[Fetch], handled: Callable[[], int]) -> float:
        """Let these be fetched; the processor seconds until `handled` says that so many more records are."""
        upto = handled() + sum(len(records) for each in fetches for records in each.values())
        begun = process_time()
        self._fetches.extend(fetches)
        while handled() < upto:
            self._check()
            await asyncio.sleep(_LOOK_S)
        return process_time() - begun

    async def stop(self) -> None:
        """End the agents, and let go of the event loop of the thread that would have fetched."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.consumer._thread.thread_loop.close()

    def _check(self) -> None:
        """Raise what ended an agent or the consumer, if something did."""
        for task in self._tasks:
            if task.done():
                task.result()
