"""Reading the recommendation topic: when each list arrived after the event that caused it was sent."""

import asyncio
import sys

import msgspec
import numpy as np
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from schemas.recommendations import Recommendation
from schemas.settings import KafkaSettings
from streams.connection import client_options


class WatchPlan(msgspec.Struct):
    """Which topic to watch, and for how long without a list before the end."""

    bootstrap: str
    prefix: str
    partitions: int
    quiet_s: float


class Watched(msgspec.Struct):
    """What was seen; latencies in ms from the event's `at` (its send time in a live run) to arrival."""

    lists: int
    customers_per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


async def watch(plan: WatchPlan) -> Watched:
    """Consume lists until none came for a while; latency by the time the broker appended both records."""
    consumer = AIOKafkaConsumer(
        **client_options(KafkaSettings(bootstrap_servers=plan.bootstrap)), fetch_max_wait_ms=50
    )
    await consumer.start()
    try:
        topics = [TopicPartition(plan.prefix + "recommendations", n) for n in range(plan.partitions)]
        consumer.assign(topics)
        await consumer.seek_to_end()
        sys.stdout.write("watching\n")
        sys.stdout.flush()
        decode = msgspec.json.Decoder(Recommendation).decode
        latencies: list[int] = []
        first = last = 0
        loop = asyncio.get_running_loop()
        heard = loop.time()
        while not latencies or loop.time() - heard < plan.quiet_s:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                heard = loop.time()
                for record in records:
                    if record.value is None:
                        continue
                    latencies.append(record.timestamp - decode(record.value).latency.event_at)
                    first, last = first or record.timestamp, max(last, record.timestamp)
        values = np.percentile(np.array(latencies), [50, 95, 99, 100])
        rate = len(latencies) / max(0.001, (last - first) / 1000)
        return Watched(len(latencies), round(rate, 1), *(round(float(value), 1) for value in values))
    finally:
        await consumer.stop()


def main() -> None:
    """Entry of the process: the plan is the only argument."""
    plan = msgspec.json.decode(sys.argv[1], type=WatchPlan)
    sys.stdout.write(msgspec.json.encode(asyncio.run(watch(plan))).decode() + "\n")


if __name__ == "__main__":
    main()
