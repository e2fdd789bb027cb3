import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from schemas.settings import KafkaSettings
from streams import local_kafka
from streams.commands.kafka import kafka as command
from streams.errors import BrokerError
from streams.topics import TopicSpec, create_topics, list_topics

pytestmark = pytest.mark.kafka

TOPIC = "kept"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "a kafka"
    try:
        yield directory
    finally:
        local_kafka.down(directory)
        shutil.rmtree(directory, ignore_errors=True)


def _send(bootstrap: str, value: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=[bootstrap], max_request_size=8_000_000)
    try:
        producer.send(TOPIC, value).get(timeout=20)
    finally:
        producer.close()


def _first_value(bootstrap: str) -> bytes:
    consumer = KafkaConsumer(bootstrap_servers=[bootstrap], group_id=None)
    try:
        partition = TopicPartition(TOPIC, 0)
        consumer.assign([partition])
        consumer.seek_to_beginning(partition)
        records = consumer.poll(timeout_ms=20_000, max_records=1)
        return bytes(records[partition][0].value)
    finally:
        consumer.close()


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def test_the_command_starts_a_broker_without_java_on_the_path(tmp_path: Path, data_dir: Path) -> None:
    empty = tmp_path / "no-programs"
    empty.mkdir()
    kept = {key: value for key, value in os.environ.items() if not key.startswith("JAVA")}
    group = "from streams.commands.kafka import kafka; kafka()"
    finished = subprocess.run(  # noqa: S603  # a command of our own
        [sys.executable, "-c", group, "up", "--port", "0", "--data", str(data_dir)],
        env={**kept, "PATH": str(empty), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr
    address = finished.stdout.splitlines()[-1]
    assert address.startswith("127.0.0.1:")
    assert list_topics(KafkaSettings(bootstrap_servers=address)) == []


def test_messages_survive_a_restart_and_fresh_deletes_them(data_dir: Path) -> None:
    value = os.urandom(2_000_000)
    address = local_kafka.up(data_dir, 0)
    create_topics(KafkaSettings(bootstrap_servers=address), [TopicSpec(TOPIC, 1, {})], replication=1)
    _send(address, value)
    assert local_kafka.down(data_dir)

    address = local_kafka.up(data_dir, 0)
    assert _first_value(address) == value

    address = local_kafka.up(data_dir, 0, fresh=True)
    assert list_topics(KafkaSettings(bootstrap_servers=address)) == []


def test_a_killed_broker_is_noticed_and_replaced_with_its_data(data_dir: Path) -> None:
    address = local_kafka.up(data_dir, 0)
    create_topics(KafkaSettings(bootstrap_servers=address), [TopicSpec(TOPIC, 1, {})], replication=1)
    killed = local_kafka.status(data_dir).pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    os.waitpid(killed, 0)

    assert local_kafka.status(data_dir) == local_kafka.KafkaStatus(False, None, None, None, str(data_dir))
    address = local_kafka.up(data_dir, 0)

    assert local_kafka.status(data_dir).pid != killed
    assert [state.name for state in list_topics(KafkaSettings(bootstrap_servers=address))] == [TOPIC]


def test_two_starts_at_the_same_time_give_one_broker(data_dir: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: local_kafka.up(data_dir, 0), range(2))

    assert first == second


def test_the_commands_find_the_running_broker_and_stop_it(data_dir: Path) -> None:
    address = local_kafka.up(data_dir, 0)
    pid = local_kafka.status(data_dir).pid

    again = _run("up", "--port", "0", "--data", str(data_dir))
    assert (again.exit_code, again.stdout.splitlines()[-1]) == (0, address)
    told = json.loads(_run("status", "--json", "--data", str(data_dir)).stdout)
    assert told == {
        "running": True,
        "pid": pid,
        "bootstrap": address,
        "version": "4.1.1",
        "data_dir": str(data_dir),
    }
    assert address in _run("status", "--data", str(data_dir)).stdout
    assert _run("down", "--data", str(data_dir)).stdout == "stopped\n"
    assert "no broker" in _run("down", "--data", str(data_dir)).stdout
    assert "not running" in _run("status", "--data", str(data_dir)).stdout


def test_a_port_of_another_broker_is_refused_with_its_address(kafka: str, data_dir: Path) -> None:
    port = int(kafka.rpartition(":")[2])

    with pytest.raises(BrokerError, match=rf"another Kafka broker already answers at 127.0.0.1:{port}"):
        local_kafka.up(data_dir, port)


def test_a_broker_that_cannot_start_shows_the_end_of_its_log(data_dir: Path) -> None:
    local_kafka.up(data_dir, 0)
    local_kafka.down(data_dir)
    meta = data_dir / "log" / "meta.properties"
    meta.write_text(meta.read_text().replace("node.id=1", "node.id=7"))

    with pytest.raises(BrokerError, match=r"(?s)Kafka ended while it started.*Stored node id 7"):
        local_kafka.up(data_dir, 0)

    assert not local_kafka.status(data_dir).running


def test_the_broker_listens_on_the_loopback_interface_only(kafka: str) -> None:
    port = int(kafka.rpartition(":")[2])

    # Any other address of this machine would do; the whole 127.0.0.0/8 belongs to it.
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.2", port), timeout=5).close()
