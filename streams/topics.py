"""Creates and inspects topics through Kafka's admin interface; what they should be comes from the caller.

An existing topic is never altered: the partition of a key must not change under state that was built on it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import AuthorizationError, KafkaError

from schemas.settings import KafkaSettings
from streams.broker_check import find_trouble
from streams.connection import client_options
from streams.errors import BrokerError

_TIMEOUT_MS = 10_000
_CLEANUP = "cleanup.policy"
_TOPIC_EXISTS = 36


class TopicSpec(msgspec.Struct, frozen=True):
    """A topic as it should be: its name, its number of partitions, and settings that differ from Kafka's."""

    name: str
    partitions: int
    config: dict[str, str]


class TopicState(msgspec.Struct, frozen=True):
    """A topic as the broker has it; `config` holds only what was set for the topic itself."""

    name: str
    partitions: int
    replication: int
    config: dict[str, str]


def create_topics(settings: KafkaSettings, specs: Sequence[TopicSpec], *, replication: int) -> list[str]:
    """Create the topics that are missing, and wait until they can be used.

    Parameters
    ----------
    settings
        Where the broker is and how to connect.
    specs
        Every topic that should be there.
    replication
        Copies of each new topic; at most the number of brokers.

    Returns
    -------
    list of str
        The names of those created, in the order of `specs`.

    Raises
    ------
    BrokerError
        No broker answers, an existing topic differs from its spec (then nothing is created), or the broker
        refuses a topic.
    """
    with admin_of(settings) as admin:
        present = {state.name: state for state in _states(admin)}
        wrong = [problem for spec in specs for problem in _differences(spec, present.get(spec.name))]
        if wrong:
            raise BrokerError("; ".join(wrong))
        missing = [spec for spec in specs if spec.name not in present]
        created = _create(admin, missing, replication) if missing else []
    # Another command may have created the same topics meanwhile, from other settings.
    problems = check_topics(settings, [spec for spec in missing if spec.name not in created])
    if problems:
        raise BrokerError("; ".join(problems))
    return created


def list_topics(settings: KafkaSettings) -> list[TopicState]:
    """Return the topics of the cluster by name, without Kafka's internal ones.

    Raises
    ------
    BrokerError
        No broker answers.
    """
    with admin_of(settings) as admin:
        return _states(admin)


def check_topics(settings: KafkaSettings, specs: Sequence[TopicSpec]) -> list[str]:
    """Compare the topics with what they should be.

    Returns
    -------
    list of str
        One sentence per problem, saying what to do; empty when every topic is there as specified.

    Raises
    ------
    BrokerError
        No broker answers.
    """
    if not specs:
        return []
    present = {state.name: state for state in list_topics(settings)}
    problems = []
    for spec in specs:
        state = present.get(spec.name)
        problems += [missing(spec.name, settings)] if state is None else _differences(spec, state)
    return problems


def missing(name: str, settings: KafkaSettings) -> str:
    """Say that a topic is not there, and what to do."""
    advice = "create it with 'freshrec topics create'"
    if settings.security_protocol != "PLAINTEXT":
        # A broker hides what a user may not see.
        advice += f", or allow user {settings.sasl_username!r} what 'freshrec topics acls' lists"
    return f"topic {name} is missing: {advice}"


def _differences(spec: TopicSpec, state: TopicState | None) -> list[str]:
    if state is None:
        return []
    problems = []
    if state.partitions != spec.partitions:
        problems.append(
            f"topic {spec.name} has {state.partitions} partitions, expected {spec.partitions}: set the "
            "number in the settings to that of the topic, or delete the topic, with all its data, and "
            "create it again"
        )
    policy, wanted = (config.get(_CLEANUP, "delete") for config in (state.config, spec.config))
    if policy != wanted:
        problems.append(
            f"topic {spec.name} has {_CLEANUP}={policy}, expected {wanted}: change it with Kafka's own tools "
            "before records are lost, or delete the topic, with all its data, and create it again"
        )
    return problems


def identify(settings: KafkaSettings) -> tuple[str, dict[str, str]]:
    """Id of the cluster, and Kafka's id of each topic by name: a topic made again has another id.

    Raises
    ------
    BrokerError
        The broker cannot be reached, or refused.
    """
    with admin_of(settings) as admin:
        cluster = str(admin.describe_cluster()["cluster_id"])
        return cluster, {topic["name"]: str(topic["topic_id"]) for topic in admin.describe_topics()}


@contextmanager
def admin_of(settings: KafkaSettings) -> Iterator[Any]:
    """Kafka's admin client, connected; closed with the block.

    Raises
    ------
    BrokerError
        No broker can be used as the settings say, or it refuses the login or a request.
    SettingsError
        User or password is missing.
    """
    # Looked at without the client library, which would wait and retry for half a minute.
    trouble = find_trouble(settings)
    if trouble is not None:
        raise BrokerError(f"{trouble}; 'freshrec doctor' looks for the cause")
    try:
        admin = KafkaAdminClient(
            **client_options(settings), request_timeout_ms=_TIMEOUT_MS, bootstrap_timeout_ms=_TIMEOUT_MS
        )
        try:
            yield admin
        finally:
            admin.close()
    except KafkaError as error:
        raise BrokerError(_refusal(settings, error)) from error


def _refusal(settings: KafkaSettings, error: KafkaError) -> str:
    place = settings.bootstrap_servers
    if isinstance(error, AuthorizationError):
        who = f"user {settings.sasl_username!r}" if settings.sasl_username else "this client"
        return (
            f"the Kafka broker at {place} does not allow {who} to do this: {error}. "
            f"'freshrec topics acls' prints what each program has to be allowed"
        )
    return f"the Kafka broker at {place} refused: {error}. 'freshrec doctor' looks for the cause"


def _states(admin: Any) -> list[TopicState]:
    described = [topic for topic in admin.describe_topics() if not topic["is_internal"]]
    if not described:
        return []
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic["name"]) for topic in described]
    configs = admin.describe_configs(resources, config_filter="modified")["topic"]
    states = [
        TopicState(
            name=topic["name"],
            partitions=len(topic["partitions"]),
            replication=min((len(p["replica_nodes"]) for p in topic["partitions"]), default=0),
            config={key: entry["value"] for key, entry in sorted(configs[topic["name"]].items())},
        )
        for topic in described
    ]
    return sorted(states, key=lambda state: state.name)


def _create(admin: Any, specs: Sequence[TopicSpec], replication: int) -> list[str]:
    wanted = {
        spec.name: {
            "num_partitions": spec.partitions,
            "replication_factor": replication,
            "configs": spec.config,
        }
        for spec in specs
    }
    answers = {answer["name"]: answer for answer in admin.create_topics(wanted, raise_errors=False)["topics"]}
    refused = {name: a for name, a in answers.items() if a["error_code"] not in (0, _TOPIC_EXISTS)}
    if refused:
        reasons = "; ".join(f"{name}: {a['error_message']}".rstrip(".") for name, a in refused.items())
        msg = (
            f"the Kafka broker refused to create {len(refused)} of {len(wanted)} topics: {reasons}. "
            "The others are created; correct this and run the command again"
        )
        raise BrokerError(msg)
    admin.wait_for_topics(list(wanted))
    return [spec.name for spec in specs if answers[spec.name]["error_code"] == 0]
