"""The broker's process: started detached, recognised later by its command line, and stopped.

What is known about it between commands stands in `broker.json`; that file is only believed when the process
it names really is this directory's broker, so one that is left over does no harm.
"""

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from streams.local_kafka_security import SecurityFiles

STOP_GRACE_S = 20.0
_MAIN_CLASS = "kafka.Kafka"
_POLL_S = 0.05
_EXEC_POLL_S = 0.001


class BrokerRecord(msgspec.Struct, frozen=True):
    """The content of `broker.json`: which process serves the directory, where it listens, what it is."""

    pid: int
    port: int
    version: str


@dataclass(frozen=True)
class BrokerHome:
    """The files below one data directory, which must be an absolute path."""

    root: Path

    @property
    def record(self) -> Path:
        """Who runs; see `BrokerRecord`."""
        return self.root / "broker.json"

    @property
    def properties(self) -> Path:
        """The broker's settings, written again at each start."""
        return self.root / "server.properties"

    @property
    def storage(self) -> Path:
        """The topics' data and the cluster's metadata: all that survives a restart."""
        return self.root / "log"

    @property
    def security(self) -> SecurityFiles:
        """Certificates and passwords; there only if clients have to log in."""
        return SecurityFiles(self.root / "security")

    @property
    def output(self) -> Path:
        """What the broker says; the previous start's is beside it with `.1`."""
        return self.root / "broker.log"

    @property
    def lock(self) -> Path:
        """Taken by commands that change anything here."""
        return self.root / "command.lock"


def spawn(home: BrokerHome, java: Path, java_options: list[str], jars: list[Path]) -> int:
    """Start a broker in a session of its own, so that it outlives this process, and return its process id.

    Raises
    ------
    OSError
        Java cannot be executed.
    """
    if home.output.exists():
        home.output.replace(home.output.with_suffix(".log.1"))
    command = [str(java), *java_options, _MAIN_CLASS, str(home.properties)]
    to_log = (os.POSIX_SPAWN_OPEN, 1, str(home.output), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    # posix_spawn rather than Popen: a Popen object complains when it is dropped while its process runs.
    pid = os.posix_spawn(
        java,
        command,
        java_environment(jars),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            to_log,
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    # For a moment a new process has no command line to be known by.
    while not is_alive(home, pid) and os.waitpid(pid, os.WNOHANG) == (0, 0):
        time.sleep(_EXEC_POLL_S)
    return pid


def java_environment(jars: list[Path]) -> dict[str, str]:
    """Return this process's environment, with the class path and without settings meant for other JVMs."""
    ignored = {"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"}
    kept = {key: value for key, value in os.environ.items() if key not in ignored}
    # In the environment rather than in -cp, 46 paths don't bury the rest of the command line. Java opens
    # files with names outside ASCII only under a UTF-8 locale.
    return {**kept, "CLASSPATH": os.pathsep.join(map(str, jars)), "LC_ALL": "C.UTF-8"}


def read_record(home: BrokerHome) -> BrokerRecord | None:
    """Return the directory's live broker, or None when none was started or its process is gone."""
    try:
        record = msgspec.json.decode(home.record.read_bytes(), type=BrokerRecord)
    except (OSError, msgspec.DecodeError):
        return None
    return record if is_alive(home, record.pid) else None


def write_record(home: BrokerHome, record: BrokerRecord) -> None:
    """Replace `broker.json` in one step."""
    draft = home.record.with_suffix(".new")
    draft.write_bytes(msgspec.json.encode(record))
    draft.replace(home.record)


def is_alive(home: BrokerHome, pid: int) -> bool:
    """Tell whether this process exists and is the broker of this directory."""
    return _command_line(pid).endswith(f"{_MAIN_CLASS} {home.properties}")


def _command_line(pid: int) -> str:
    if Path("/proc/self/cmdline").exists():
        try:
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ""
        return os.fsdecode(raw).rstrip("\0").replace("\0", " ")
    asked = subprocess.run(  # noqa: S603  # a command of our own
        ["ps", "-ww", "-o", "command=", "-p", str(pid)],  # noqa: S607  # found by PATH, as a shell would
        capture_output=True,
        text=True,
        check=False,  # found by PATH, as a shell would
    )
    return asked.stdout.strip()


def stop(home: BrokerHome, pid: int, grace_s: float) -> bool:
    """End the broker: ask, wait, then kill.

    Parameters
    ----------
    home
        Whose broker it is.
    pid
        Its process.
    grace_s
        How long it may take to close its files; after that it is killed.

    Returns
    -------
    bool
        False when even a killed process remains, which only a hanging disk explains.
    """
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if is_alive(home, pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        deadline = time.monotonic() + grace_s
        while is_alive(home, pid) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
    # A broker that this very process started stays in the process table until somebody asks for it.
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    home.record.unlink(missing_ok=True)
    return not is_alive(home, pid)


def last_lines(home: BrokerHome, count: int = 15) -> str:
    """Return the end of what the broker said, without the frames of its stack traces."""
    try:
        lines = home.output.read_text(errors="replace").splitlines()
    except OSError:
        return "(no log)"
    told = [line for line in lines if not line.startswith("\t")]
    return "\n".join(told[-count:]) or "(empty log)"
