import socket

import pytest

from schemas.settings import KafkaSettings
from streams.errors import BrokerError
from streams.topics import TopicSpec, TopicState, check_topics, create_topics, list_topics

pytestmark = pytest.mark.kafka


def _specs(prefix: str) -> list[TopicSpec]:
    return [
        TopicSpec(f"{prefix}events", 3, {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1"}),
        TopicSpec(f"{prefix}view", 1, {"cleanup.policy": "compact"}),
    ]


@pytest.fixture
def broker(kafka: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=kafka)


def _listed(broker: KafkaSettings, prefix: str) -> list[TopicState]:
    return [state for state in list_topics(broker) if state.name.startswith(prefix)]


def test_missing_topics_are_created_as_specified(broker: KafkaSettings, topic_prefix: str) -> None:
    specs = _specs(topic_prefix)
    assert len(check_topics(broker, specs)) == 2

    assert create_topics(broker, specs, replication=1) == [spec.name for spec in specs]

    assert check_topics(broker, specs) == []
    assert _listed(broker, topic_prefix) == [
        TopicState(spec.name, spec.partitions, 1, spec.config) for spec in specs
    ]


def test_creating_again_changes_nothing_and_adds_only_what_is_missing(
    broker: KafkaSettings, topic_prefix: str
) -> None:
    first, second = _specs(topic_prefix)
    create_topics(broker, [first], replication=1)

    assert create_topics(broker, [first, second], replication=1) == [second.name]
    assert create_topics(broker, [first, second], replication=1) == []


def test_a_missing_topic_is_named_with_the_command_that_creates_it(
    broker: KafkaSettings, topic_prefix: str
) -> None:
    (problem,) = check_topics(broker, _specs(topic_prefix)[:1])

    assert f"{topic_prefix}events is missing" in problem
    assert "freshrec topics create" in problem


def test_another_partition_count_is_an_error_and_nothing_is_altered(
    broker: KafkaSettings, topic_prefix: str
) -> None:
    events, view = _specs(topic_prefix)
    create_topics(broker, [events], replication=1)
    wider = TopicSpec(events.name, 5, events.config)

    with pytest.raises(BrokerError, match="has 3 partitions, expected 5: set the number in the settings"):
        create_topics(broker, [wider, view], replication=1)

    assert [(state.name, state.partitions) for state in _listed(broker, topic_prefix)] == [(events.name, 3)]
    assert len(check_topics(broker, [wider])) == 1


def test_a_topic_to_learn_from_that_is_compacted_is_a_problem(
    broker: KafkaSettings, topic_prefix: str
) -> None:
    _, view = _specs(topic_prefix)
    create_topics(broker, [view], replication=1)

    (problem,) = check_topics(broker, [TopicSpec(view.name, view.partitions, {})])

    assert "cleanup.policy=compact, expected delete" in problem


def test_a_refused_topic_is_named_with_the_broker_s_reason(broker: KafkaSettings, topic_prefix: str) -> None:
    good, _ = _specs(topic_prefix)
    bad = TopicSpec(f"{topic_prefix}bad", 1, {"no.such.setting": "1"})

    with pytest.raises(BrokerError, match=r"refused to create 1 of 2 topics: .*bad: .*no\.such\.setting"):
        create_topics(broker, [good, bad], replication=1)

    assert [state.name for state in _listed(broker, topic_prefix)] == [good.name]


def test_more_copies_than_brokers_are_refused(broker: KafkaSettings, topic_prefix: str) -> None:
    with pytest.raises(BrokerError, match="only 1 broker"):
        create_topics(broker, _specs(topic_prefix), replication=3)


def test_an_address_where_nothing_listens_is_named_with_what_to_do() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(BrokerError, match=rf"no Kafka broker answers at {address}.*freshrec kafka up"):
            list_topics(KafkaSettings(bootstrap_servers=address))


def test_an_address_without_a_port_is_refused() -> None:
    with pytest.raises(BrokerError, match="'localhost' is not host:port"):
        check_topics(KafkaSettings(bootstrap_servers="localhost"), [TopicSpec("events", 1, {})])
