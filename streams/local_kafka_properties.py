"""The settings of the local broker, as text; no files are touched here.

One node that is broker and controller, reachable from this machine only, with nothing replicated.
"""

from collections.abc import Mapping
from pathlib import Path

from streams.topology import MAX_MESSAGE_BYTES

HOST = "127.0.0.1"


def server_properties(
    storage: Path, port: int, controller_port: int, security: Mapping[str, str] | None = None
) -> str:
    """Render `server.properties`.

    Parameters
    ----------
    storage
        Absolute directory of the topics' data; a comma in it cannot be expressed.
    port, controller_port
        Where clients, and where the node itself, connect.
    security
        Settings of encryption, logins and permissions; None for a broker that lets everybody in.

    Raises
    ------
    ValueError
        The directory's name has a comma, which Kafka reads as two directories.

    Examples
    --------
    >>> text = server_properties(Path("/data/my kafka"), 9092, 9093)
    >>> [line for line in text.splitlines() if line.startswith(("listeners", "log.dirs"))]
    ['listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093', 'log.dirs=/data/my kafka']
    """
    if "," in str(storage):
        msg = f"Kafka cannot keep data in {storage}: its name has a comma. Choose a directory without one"
        raise ValueError(msg)
    settings = {
        **_addresses(port, controller_port, "SASL_SSL" if security else "PLAINTEXT"),
        "log.dirs": str(storage),
        **_topics(),
        **_internal_topics(),
        **_small_machine(),
        **(security or {}),
    }
    return "".join(f"{key}={_escape(value)}\n" for key, value in settings.items())


def _addresses(port: int, controller_port: int, protocol: str) -> dict[str, str]:
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "listeners": f"{protocol}://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"{protocol}://{HOST}:{port}",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
    }


def _topics() -> dict[str, str]:
    return {
        # A mistyped name must fail, not become an empty topic with one partition.
        "auto.create.topics.enable": "false",
        "num.partitions": "1",
        "message.max.bytes": str(MAX_MESSAGE_BYTES),
        "replica.fetch.max.bytes": str(MAX_MESSAGE_BYTES),
    }


def _internal_topics() -> dict[str, str]:
    return {
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
    }


def _small_machine() -> dict[str, str]:
    return {
        # There is nobody to wait for: the members of a group on one machine start together.
        "group.initial.rebalance.delay.ms": "0",
        # Lets a test or a developer choose a short session, so a killed worker's partitions move soon.
        "group.min.session.timeout.ms": "1000",
        # After a kill a broker waits until its former self is given up; the default is 9 s.
        "broker.session.timeout.ms": "6000",
        "num.network.threads": "2",
        "num.io.threads": "4",
        # What has expired is looked for often: tests and developers set short times.
        "log.retention.check.interval.ms": "10000",
        # The default takes 128 MB of the heap for compacting logs far larger than a local one.
        "log.cleaner.dedupe.buffer.size": "33554432",
    }


def _escape(value: str) -> str:
    """Write a value as Java reads it: Latin-1 with backslash escapes, UTF-16 for all else."""
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    codes = (int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2))
    return "".join(chr(code) if 32 <= code < 127 else f"\\u{code:04x}" for code in codes)
