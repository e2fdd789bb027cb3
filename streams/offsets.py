"""Where topics end and how far consumer groups have committed, asked of the broker."""

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import TopicPartition

from schemas.settings import KafkaSettings
from streams.topology import STAGES, TOPIC_BY_NAME, partitions_of


def places_of(settings: KafkaSettings, topics: list[str]) -> list[TopicPartition]:
    """Every partition of some topics (named without prefix)."""
    return [
        TopicPartition(settings.topic_prefix + name, number)
        for name in topics
        for number in range(partitions_of(TOPIC_BY_NAME[name], settings.partitions))
    ]


async def end_offsets(settings: KafkaSettings, topics: list[str]) -> dict[TopicPartition, int]:
    """Offset behind the last record of every partition of some topics."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.bootstrap_servers, enable_auto_commit=False)
    await consumer.start()
    try:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(places_of(settings, topics))
        return ends
    finally:
        await consumer.stop()


async def committed_offsets(settings: KafkaSettings, group: str) -> dict[TopicPartition, int]:
    """What the worker's consumer group of a stage group has committed; nothing when it never ran."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    await admin.start()
    try:
        name = f"{settings.topic_prefix}freshrec-{group}"
        found = await admin.list_consumer_group_offsets(name)
        return {place: meta.offset for place, meta in found.items()}
    finally:
        await admin.close()


async def lags(settings: KafkaSettings, group: str) -> dict[TopicPartition, tuple[int, int]]:
    """Lag and committed offset of every partition that a stage group reads."""
    reads = [topic for stage in STAGES if stage.group == group for topic in stage.reads]
    ends = await end_offsets(settings, reads)
    committed = await committed_offsets(settings, group)
    known = {place: max(0, committed.get(place, 0)) for place in ends}
    return {place: (max(0, ends[place] - at), at) for place, at in known.items()}
