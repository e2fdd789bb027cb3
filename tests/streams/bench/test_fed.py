"""Consumers that are fed from memory hand out what they are given, in order, in batches or one by one."""

import asyncio
from typing import Any

import faust
import pytest
from faust.types import TP

from streams.bench.fed import Fed, FedApp, FedBatches, FedRecords, fetches_of
from streams.formats import FileRecord
from streams.transport import Batch, BatchTransport


def records(count: int) -> list[FileRecord]:
    topics = ("browses", "ratings")
    return [FileRecord(topics[n % 2], "anna", f"{n}".encode(), 10**12 + n, n + 1) for n in range(count)]


def test_fetches_are_by_topic_and_their_offsets_go_on_from_part_to_part() -> None:
    some = records(10)
    first, second = fetches_of([some[:6], some[6:]], 4)
    assert [{tp.topic: [each.offset for each in got] for tp, got in one.items()} for one in first] == [
        {"browses": [0, 1], "ratings": [0, 1]},
        {"browses": [2], "ratings": [2]},
    ]
    assert [[each.offset for each in one[TP("browses", 0)]] for one in second] == [[3, 4]]


class BatchingApp(faust.App):
    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)


async def handed_out(app: faust.App, consumer: type[Fed], count: int) -> list[bytes]:
    """What an agent for each of the two topics is given, of so many records in fetches of five."""
    found: list[bytes] = []

    def add(topic: str) -> None:
        async def agent(stream: faust.StreamT[Any]) -> None:
            async for value in stream:
                if isinstance(value, Batch):
                    found.extend(each.value for each in value.records)
                else:
                    found.append(value)

        source = app.topic(topic, key_serializer="raw", value_serializer="raw")
        app.agent(source, name=topic)(agent)

    add("browses")
    add("ratings")
    fed = FedApp(app, consumer)
    await fed.start()
    for part in fetches_of([records(count)], 5):
        assert await fed.seconds(part, lambda: len(found)) > 0
    await fed.stop()
    return found


@pytest.mark.parametrize(("app", "consumer"), [(faust.App, FedRecords), (BatchingApp, FedBatches)])
def test_agents_get_every_record_once(app: type[faust.App], consumer: type[Fed], tmp_path: Any) -> None:
    made = app("fed", broker="kafka://", datadir=str(tmp_path), web_enabled=False)
    # Faust commits after every ten thousand.
    found = asyncio.run(handed_out(made, consumer, 10_503))
    numbers = [int(value) for value in found]
    assert sorted(numbers) == list(range(10_503))
    for odd in (0, 1):
        assert [n for n in numbers if n % 2 == odd] == list(range(odd, 10_503, 2))


def test_what_ends_an_agent_is_raised(tmp_path: Any) -> None:
    app = faust.App("fed", broker="kafka://", datadir=str(tmp_path), web_enabled=False)

    async def agent(stream: faust.StreamT[Any]) -> None:
        async for _ in stream:
            raise ValueError("no such item")

    app.agent(app.topic("browses", value_serializer="raw"), name="browses")(agent)

    async def run() -> None:
        fed = FedApp(app, FedRecords)
        await fed.start()
        try:
            await fed.seconds(fetches_of([records(1)], 5)[0], lambda: 0)
        finally:
            await fed.stop()

    with pytest.raises(ValueError, match="no such item"):
        asyncio.run(run())
