"""The storefront of a benchmark, in its own process: sends bench-1 as fast as it may, or at a rate.

Prints one JSON line when it has sent everything: events, first and last send (epoch ms).
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from itertools import islice

import msgspec
from aiokafka import AIOKafkaProducer

from online_models.worlds import PRESETS, Emitted, Storefront
from schemas.settings import KafkaSettings
from streams.connection import client_options
from streams.partitioning import partition_of

CHUNK_S = 0.005


class ProducerPlan(msgspec.Struct):
    """What to send: `part` is catalogue, past or events; `rate` 0 is as fast as it goes.

    With a rate, the first event happens, and is sent, at `start_at_ms`.
    """

    bootstrap: str
    prefix: str
    partitions: int
    part: str
    events: int
    rate: float
    world_rate: float
    start_at_ms: int
    seed: int


class Sent(msgspec.Struct):
    """What was sent, and when."""

    events: int
    first_ms: int
    last_ms: int


def messages(plan: ProducerPlan) -> Iterator[Emitted]:
    """Messages of the part of the world that the plan names."""
    world = msgspec.structs.replace(
        PRESETS["bench-1"], events_per_s=plan.world_rate, start_at_ms=plan.start_at_ms, seed=plan.seed
    )
    store = Storefront(world)
    source = {"catalogue": store.catalogue, "past": store.past, "events": store.events}[plan.part]()
    return islice(source, plan.events) if plan.events else source


async def send(plan: ProducerPlan) -> Sent:
    """Send everything and wait until it is acknowledged."""
    producer = AIOKafkaProducer(
        **client_options(KafkaSettings(bootstrap_servers=plan.bootstrap)),
        linger_ms=2,
        max_batch_size=131_072,
        acks="all",
    )
    await producer.start()
    try:
        first, sent = time.time_ns() // 1_000_000, 0
        source = messages(plan)
        chunk = 500
        if plan.rate:
            first, chunk = plan.start_at_ms, max(1, int(plan.rate * CHUNK_S))
        last: asyncio.Future[object] | None = None
        while batch := list(islice(source, chunk)):
            if plan.rate:
                # Each event leaves when it happens, so that its age can be told from its time.
                await asyncio.sleep(max(0.0, batch[-1].at / 1000 - time.time()))
            for each in batch:
                partition = partition_of(each.key, plan.partitions)
                last = await producer.send(plan.prefix + each.topic, each.value, each.key.encode(), partition)
            sent += len(batch)
        await producer.flush()
        if last is not None:
            await last
        return Sent(sent, first, time.time_ns() // 1_000_000)
    finally:
        await producer.stop()


def main() -> None:
    """Entry of the process: the plan is the only argument."""
    plan = msgspec.json.decode(sys.argv[1], type=ProducerPlan)
    sys.stdout.write(msgspec.json.encode(asyncio.run(send(plan))).decode() + "\n")


if __name__ == "__main__":
    main()
