"""A Kafka, a worker and producers for one benchmark run, in a folder of their own."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from schemas.settings import KafkaSettings
from streams import local_kafka
from streams.bench.machine import children_of, command_of, cpu_seconds
from streams.bench.producer import ProducerPlan, Sent
from streams.cluster import topic_specs
from streams.errors import FreshrecError
from streams.topics import create_topics
from streams.topology import GROUPS

START_S = 60.0
POLL_S = 0.25


class Samples(msgspec.Struct):
    """What the worker's metrics said at one moment."""

    lag: float
    accepted: float
    pending: float
    values: dict[str, float]


class Rig:
    """One worker on one Kafka.

    Parameters
    ----------
    folder : Path
        Everything is kept below it.
    bootstrap : str
        The broker.
    partitions : int
        Of every keyed topic.
    environment : Mapping of str to str
        FRESHREC_ settings of the run besides.
    """

    def __init__(self, folder: Path, bootstrap: str, partitions: int, environment: Mapping[str, str]) -> None:
        self.folder, self.bootstrap, self.partitions = folder, bootstrap, partitions
        self.port = free_port()
        self._environment = {
            **os.environ,
            "FRESHREC_KAFKA__BOOTSTRAP_SERVERS": bootstrap,
            "FRESHREC_KAFKA__SECURITY_PROTOCOL": "PLAINTEXT",
            "FRESHREC_KAFKA__PARTITIONS": str(partitions),
            "FRESHREC_STATE__DIR": str(folder / "state"),
            "FRESHREC_METRICS__PORT": str(self.port),
            "FRESHREC_LOG__LEVEL": "warning",
            **environment,
        }
        self._log = (folder / "worker.log").open("ab")
        self.worker = self._start({})

    def _start(self, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "streams.cli", "worker"],
            env={**self._environment, **environment},
            stdout=self._log,
            stderr=self._log,
        )

    def restart(self, environment: Mapping[str, str]) -> None:
        """End the worker and start it again, warm, with other settings."""
        self._end()
        self.worker = self._start(environment)
        self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until every stage has its partitions."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self.worker.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=2):
                    return
            except OSError:
                time.sleep(POLL_S)
        log = (self.folder / "worker.log").read_text()[-2000:]
        raise FreshrecError(f"the worker was not ready within {START_S:.0f} s; its log ends with:\n{log}")

    def produce(self, plan: ProducerPlan) -> "subprocess.Popen[str]":
        """Start a producer."""
        return self.spawn("streams.bench.producer", plan)

    def spawn(self, module: str, plan: msgspec.Struct) -> "subprocess.Popen[str]":
        """Start a process of the benchmark with its plan."""
        argument = msgspec.json.encode(plan).decode()
        return subprocess.Popen([sys.executable, "-m", module, argument], stdout=subprocess.PIPE, text=True)  # noqa: S603  # a command of our own

    def sent(self, producer: "subprocess.Popen[str]") -> Sent:
        """Wait for a producer to end; what it sent."""
        out, _ = producer.communicate(timeout=1800)
        if producer.returncode != 0:
            raise FreshrecError("the producer of the benchmark failed; its messages are above")
        return msgspec.json.decode(out, type=Sent)

    def samples(self) -> Samples:
        """Read the worker's metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        values: dict[str, float] = {}
        found = Samples(0.0, 0.0, 0.0, values)
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                values[sample.name] = values.get(sample.name, 0.0) + sample.value
                if sample.name == "freshrec_events_total" and sample.labels["result"] == "accepted":
                    found.accepted += sample.value
        found.lag = values.get("freshrec_lag_records", 0.0)
        found.pending = values.get("freshrec_refreshes_pending", 0.0)
        return found

    def wait_learned(self, accepted: float, *, timeout_s: float) -> Samples:
        """Wait until that many messages were accepted, nothing lags and no list is owed, twice in a row."""
        deadline, calm = time.monotonic() + timeout_s, 0
        while time.monotonic() < deadline:
            found = self.samples()
            calm = calm + 1 if found.accepted >= accepted and not found.lag and not found.pending else 0
            if calm >= 2:
                return found
            time.sleep(POLL_S)
        raise FreshrecError(f"the stages did not catch up within {timeout_s:.0f} s: {found}")

    def cpu(self, broker_pid: int | None) -> dict[str, float]:
        """CPU seconds so far by role."""
        roles = {"supervisor": cpu_seconds(self.worker.pid)}
        for child in children_of(self.worker.pid):
            command = command_of(child)
            group = next((g for g in GROUPS if f'"group":"{g}"' in command), "other")
            roles[group] = roles.get(group, 0.0) + cpu_seconds(child)
        if broker_pid is not None:
            roles["broker"] = cpu_seconds(broker_pid)
        return roles

    def stop(self) -> None:
        """End the worker for good."""
        self._end()
        self._log.close()

    def _end(self) -> None:
        self.worker.terminate()
        try:
            self.worker.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.worker.kill()
            self.worker.wait()


@contextmanager
def rig(folder: Path, environment: Mapping[str, str], *, partitions: int) -> Iterator[Rig]:
    """A fresh Kafka and a worker on it; both end with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    kafka = folder / "kafka"
    bootstrap = local_kafka.up(kafka, 0, fresh=True)
    try:
        settings = KafkaSettings(bootstrap_servers=bootstrap, partitions=partitions)
        create_topics(settings, topic_specs(settings), replication=1)
        made = Rig(folder, bootstrap, partitions, environment)
        try:
            made.wait_ready()
            yield made
        finally:
            made.stop()
    finally:
        local_kafka.down(kafka)


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
