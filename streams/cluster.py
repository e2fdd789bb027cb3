"""The topics of the topology as Kafka has to have them."""

from schemas.settings import KafkaSettings
from streams.topics import TopicSpec
from streams.topology import MAX_MESSAGE_BYTES, TOPICS, partitions_of

TOMBSTONE_MS = 86_400_000
"""How long compacted topics keep the news that a key was deleted."""


def segment_ms(settings: KafkaSettings) -> int:
    """Return how long a file of a topic grows: it expires as a whole, after its newest record."""
    return max(1, settings.retention_hours * 3_600_000 // 7)


def topic_specs(settings: KafkaSettings) -> list[TopicSpec]:
    """Every topic of the topology as it has to be made.

    A topic that a stage reads keeps records by the time they were appended: by event time a backfill
    would expire at once. What was replaced or expired is gone in bounded time (`streams.erasure`).
    """
    specs = []
    retention = str(settings.retention_hours * 3_600_000)
    for topic in TOPICS:
        config = {"max.message.bytes": str(MAX_MESSAGE_BYTES)}
        if topic.compacted:
            config |= {
                "cleanup.policy": "compact",
                "max.compaction.lag.ms": retention,
                "delete.retention.ms": str(TOMBSTONE_MS),
            }
        else:
            config |= {
                "cleanup.policy": "delete",
                "retention.ms": retention,
                "retention.bytes": "-1",
                "segment.ms": str(segment_ms(settings)),
            }
            if topic.kind == "log":
                config["message.timestamp.type"] = "LogAppendTime"
        name = settings.topic_prefix + topic.name
        specs.append(
            TopicSpec(name=name, partitions=partitions_of(topic, settings.partitions), config=config)
        )
    return specs
