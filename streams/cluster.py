"""The topics of the topology as Kafka has to have them."""

from schemas.settings import KafkaSettings
from streams.topics import TopicSpec
from streams.topology import MAX_MESSAGE_BYTES, TOPICS, partitions_of


def topic_specs(settings: KafkaSettings) -> list[TopicSpec]:
    """Every topic of the topology as it has to be made.

    A topic that a stage reads keeps records by the time they were appended: by event time a backfill
    would expire at once.
    """
    specs = []
    for topic in TOPICS:
        config = {"max.message.bytes": str(MAX_MESSAGE_BYTES)}
        if topic.compacted:
            config["cleanup.policy"] = "compact"
        else:
            config |= {
                "cleanup.policy": "delete",
                "retention.ms": str(settings.retention_hours * 3_600_000),
                "retention.bytes": "-1",
            }
            if topic.kind == "log":
                config["message.timestamp.type"] = "LogAppendTime"
        name = settings.topic_prefix + topic.name
        specs.append(
            TopicSpec(name=name, partitions=partitions_of(topic, settings.partitions), config=config)
        )
    return specs
