"""Everything over TLS with logins and permissions, on a real broker that lets in nobody else."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import GroupAuthorizationFailedError
from aiokafka.errors import TopicAuthorizationFailedError as ReadRefusedError
from kafka import KafkaProducer
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
)
from kafka.errors import TopicAuthorizationFailedError

from online_models.worlds import Storefront
from schemas.settings import KafkaSettings, Mechanism
from streams import local_kafka
from streams.bench.machine import command_of
from streams.connection import client_options
from streams.local_kafka_certificates import broker_certificate
from streams.topics import admin_of
from tests.integration.answers import faults_of_lists
from tests.integration.shops import a_shop, a_topology
from tests.integration.worker_process import WorkerProcess, environment, until

pytestmark = pytest.mark.kafka

COMMAND_S = 60.0
"""Far more than any command needs that doesn't hang."""


def login(data_dir: Path, user: str, mechanism: Mechanism = "SCRAM-SHA-512") -> dict[str, object]:
    """Settings of a program that connects as a user, like those of `environment`."""
    found = local_kafka.client_settings(data_dir, user, mechanism)
    return {
        "KAFKA__BOOTSTRAP_SERVERS": found.bootstrap_servers,
        "KAFKA__SECURITY_PROTOCOL": found.security_protocol,
        "KAFKA__SASL_MECHANISM": found.sasl_mechanism,
        "KAFKA__SASL_USERNAME": user,
        "KAFKA__SASL_PASSWORD_FILE": found.sasl_password_file,
        "KAFKA__SSL_CAFILE": found.ssl_cafile,
    }


def freshrec(
    variables: Mapping[str, str], folder: Path, *arguments: str
) -> "subprocess.CompletedProcess[str]":
    """Run one command to its end; one that hangs fails the test."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("FRESHREC_")}
    return subprocess.run(  # noqa: S603  # a command of our own
        [sys.executable, "-m", "streams.cli", *arguments],
        env={**others, **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_S,
    )


def succeed(variables: Mapping[str, str], folder: Path, *arguments: str) -> str:
    done = freshrec(variables, folder, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def acl_of(entry: Mapping[str, Any], operation: str) -> ACL:
    return ACL(
        principal=entry["principal"],
        host="*",
        operation=ACLOperation[operation],
        permission_type=ACLPermissionType.ALLOW,
        resource_pattern=ResourcePattern(
            ResourceType[entry["resource"].upper()],
            entry["name"],
            ACLResourcePatternType[entry["pattern"].upper()],
        ),
    )


def grant(settings: KafkaSettings, printed: str) -> None:
    """Allow exactly what `freshrec topics acls --json` printed."""
    acls = [acl_of(entry, operation) for entry in json.loads(printed) for operation in entry["operations"]]
    with admin_of(settings) as admin:
        answer = admin.create_acls(acls)
    assert (len(answer["succeeded"]), answer["failed"]) == (len(acls), [])


@pytest.mark.slow
def test_the_whole_path_over_tls_with_plain_logins(
    secure_kafka: Path, topic_prefix: str, tmp_path: Path
) -> None:
    shop, connection = Storefront(a_shop(3)), login(secure_kafka, "admin", "PLAIN")
    address = str(connection.pop("KAFKA__BOOTSTRAP_SERVERS"))
    with a_topology(address, topic_prefix, tmp_path, **connection) as topology:
        worker = topology.worker().wait_ready()
        topology.topics.send(chain(shop.catalogue(), islice(shop.events(), 500)))
        topology.topics.wait_caught_up()
        assert worker.terminate() == 0
        assert faults_of_lists(topology.topics) == []


def test_with_only_what_topics_acls_lists_everything_works_and_nothing_else_is_allowed(
    secure_kafka: Path, topic_prefix: str, tmp_path: Path
) -> None:
    def variables(user: str) -> dict[str, str]:
        connection = login(secure_kafka, user) | {"KAFKA__PARTITIONS": 2, "LOG__LEVEL": "debug"}
        return environment("", topic_prefix, tmp_path / "state", **connection)

    administrator = local_kafka.client_settings(secure_kafka, "admin")
    operator, storefront = variables("operator"), variables("storefront")
    grant(administrator, succeed(operator, tmp_path, "topics", "acls", "--json"))

    succeed(operator, tmp_path, "topics", "create")
    worker = WorkerProcess(variables("worker"), tmp_path / "worker.log").start()
    try:
        worker.wait_ready()
        shop = Storefront(a_shop(4))
        records = [*shop.catalogue(), *islice(shop.events(), 300)]
        lines = b"".join(each.value + b"\n" for each in records)
        (tmp_path / "shop.jsonl").write_bytes(lines + b'{"type":"browse"}\n')
        sent = succeed(storefront, tmp_path, "produce", "shop.jsonl", "--format", "jsonl", "--json")
        count = json.loads(sent)["messages"]
        until(lambda: worker.metric("freshrec_events_total") >= count, "all events accepted or refused")

        lists = read_as_reader(secure_kafka, topic_prefix, "recommendations", at_least=10)
        assert any(b'"reasons":' in each for each in lists if each)
        password = (secure_kafka / "security" / "worker.password").read_text().strip()
        assert not any(password in command_of(child) for child in worker.children())
        assert password not in worker.log
        assert json.loads(succeed(operator, tmp_path, "doctor", "--json"))["ok"]
        assert succeed(operator, tmp_path, "rejected", "list")
    finally:
        assert worker.terminate() == 0

    reader = client_options(local_kafka.client_settings(secure_kafka, "reader"))
    producer: Any = KafkaProducer(**reader, enable_idempotence=False)
    try:
        with pytest.raises(TopicAuthorizationFailedError):
            producer.send(f"{topic_prefix}recommendations", b"{}").get(timeout=20)
    finally:
        producer.close()
    with pytest.raises(ReadRefusedError):
        read_as_reader(secure_kafka, topic_prefix, "events")
    with pytest.raises(GroupAuthorizationFailedError):
        read_as_reader(secure_kafka, topic_prefix, "recommendations", group="freshrec-rules")
    refused = freshrec(storefront, tmp_path, "rejected", "list")
    assert refused.returncode == 1
    assert "freshrec topics acls" in refused.stderr


def read_as_reader(
    data_dir: Path, prefix: str, topic: str, *, group: str = "reader-shop", at_least: int = 1
) -> "list[bytes | None]":
    """Read a topic in a consumer group, as a downstream service does, until there is enough."""
    options = client_options(local_kafka.client_settings(data_dir, "reader"))

    async def read() -> "list[bytes | None]":
        consumer = AIOKafkaConsumer(
            prefix + topic, **options, group_id=prefix + group, auto_offset_reset="earliest"
        )
        found: list[bytes | None] = []
        try:
            await consumer.start()
            while len(found) < at_least:
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    found.extend(each.value for each in batch)
        finally:
            await consumer.stop()
        return found

    return asyncio.run(asyncio.wait_for(read(), COMMAND_S))


COMMANDS = [
    ("worker",),
    ("topics", "list"),
    ("rejected", "list"),
    ("produce", "shop.jsonl", "--format", "jsonl"),
    ("simulate", "--preset", "demo", "--events", "3"),
    ("doctor", "--json"),
]


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_wrong_password_ends_every_command_with_who_was_refused_and_never_shows_it(
    secure_kafka: Path, topic_prefix: str, tmp_path: Path, mechanism: Mechanism
) -> None:
    wrong = "wrong-" + os.urandom(8).hex()
    connection = login(secure_kafka, "worker", mechanism)
    variables = environment("", topic_prefix, tmp_path / "state", **connection, LOG__LEVEL="debug")
    variables["FRESHREC_KAFKA__SASL_PASSWORD"] = wrong
    (tmp_path / "shop.jsonl").write_text('{"type":"erasure","user_id":"u1","at":1}\n')
    for command in COMMANDS:
        done = freshrec(variables, tmp_path, *command)
        said = done.stdout + done.stderr
        assert done.returncode == 1, said
        assert f"refused user 'worker' with {mechanism}" in said, said
        assert "FRESHREC_KAFKA__SASL_PASSWORD" in said
        assert wrong not in said


def test_a_certificate_that_is_not_trusted_ends_every_command_with_what_was_expected(
    secure_kafka: Path, topic_prefix: str, tmp_path: Path
) -> None:
    another = tmp_path / "another.pem"
    another.write_bytes(broker_certificate("another")[0])
    connection = login(secure_kafka, "worker") | {"KAFKA__SSL_CAFILE": another}
    variables = environment("", topic_prefix, tmp_path / "state", **connection)
    (tmp_path / "shop.jsonl").write_text('{"type":"erasure","user_id":"u1","at":1}\n')
    for command in COMMANDS:
        done = freshrec(variables, tmp_path, *command)
        said = done.stdout + done.stderr
        assert done.returncode == 1, said
        assert "is not trusted" in said and f"signed by {another}" in said, said
        assert "kafka.ssl_cafile" in said


def test_a_user_who_may_see_nothing_is_told_what_to_allow(
    secure_kafka: Path, topic_prefix: str, tmp_path: Path
) -> None:
    variables = environment("", topic_prefix, tmp_path / "state", **login(secure_kafka, "worker"))
    done = freshrec(variables, tmp_path, "worker")
    assert done.returncode == 1
    assert "allow user 'worker' what 'freshrec topics acls' lists" in done.stderr


def test_topics_made_without_security_are_not_taken_for_secure_ones(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    done = freshrec({}, tmp_path, "kafka", "up", "--secure", "--data", str(tmp_path))
    assert done.returncode == 1
    assert "made without security" in done.stderr and "--fresh" in done.stderr


@pytest.mark.slow
def test_a_secure_broker_stays_secure_when_it_is_started_again_and_its_files_are_private(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "kafka"
    try:
        local_kafka.up(data_dir, 0, secure=True)
        assert local_kafka.down(data_dir)
        address = local_kafka.up(data_dir, 0)
        assert local_kafka.status(data_dir).running
        told = freshrec({"FRESHREC_KAFKA__BOOTSTRAP_SERVERS": address}, tmp_path, "topics", "list")
        assert told.returncode == 1
        assert "correct kafka.security_protocol" in told.stderr
        private = [data_dir / "server.properties", *(data_dir / "security").iterdir()]
        assert {path.stat().st_mode & 0o077 for path in private} == {0}
    finally:
        local_kafka.down(data_dir)
