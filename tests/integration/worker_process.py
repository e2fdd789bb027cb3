"""A worker as an operator runs it: a process told by its environment, watched by HTTP, ended by signals.

It leads a process group of its own, so that a kill takes its children with it at the same instant.
"""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from schemas.settings import Settings
from streams.bench.machine import children_of
from streams.config import load

DEADLINE_S = 90.0
POLL_S = 0.02
_ADDRESS = re.compile(r"metrics and health on http://(\S+)")


def until(condition: Callable[[], bool], what: str, *, timeout_s: float = DEADLINE_S) -> None:
    """Poll until a condition holds.

    Where more wants to run than there are processors, a second counts by the share of it that one gets: how
    busy a machine is decides nothing.
    """
    waited, before = 0.0, time.monotonic()
    while not condition():
        if waited > timeout_s:
            raise AssertionError(f"not within {timeout_s:.0f} s: {what}")
        time.sleep(POLL_S)
        now = time.monotonic()
        waited += (now - before) / max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
        before = now


def environment(kafka: str, prefix: str, state_dir: Path, **settings: object) -> dict[str, str]:
    """FRESHREC_ variables of a worker; `settings` are like KAFKA__PARTITIONS=2."""
    values: dict[str, object] = {
        "KAFKA__BOOTSTRAP_SERVERS": kafka,
        "KAFKA__TOPIC_PREFIX": prefix,
        "KAFKA__SESSION_TIMEOUT_S": 3,
        "STATE__DIR": state_dir,
        "STATE__CACHE_BYTES": 64 * 1024 * 1024,
        "METRICS__PORT": 0,
        "SERVE__PORT": 0,
        **settings,
    }
    return {f"FRESHREC_{name}": str(value) for name, value in values.items()}


def settings_of(variables: Mapping[str, str]) -> Settings:
    """The settings that a worker with these variables has."""
    return load(environ=variables).settings


class WorkerProcess:
    """One `freshrec worker`, which can be started again after it ended.

    Parameters
    ----------
    variables : Mapping of str to str
        Its FRESHREC_ variables.
    log : Path
        File that its standard error is appended to; its folder is the working directory.
    stages : str
        Comma separated; all by default.
    module : str
        What is run as `freshrec`.
    command : str
        Which command of it: `worker`, or another that tells where its health is.
    """

    def __init__(
        self,
        variables: Mapping[str, str],
        log: Path,
        *,
        stages: str | None = None,
        module: str = "streams.cli",
        command: str = "worker",
    ) -> None:
        self._log, self._from = log, 0
        others = {name: value for name, value in os.environ.items() if not name.startswith("FRESHREC_")}
        self._environment = {**others, **variables}
        self._command = [sys.executable, "-m", module, command]
        self._command += ["--stages", stages] if stages else []
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "WorkerProcess":
        """Start, and return at once."""
        self._from = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # a command of our own
                self._command,
                env=self._environment,
                cwd=self._log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    @property
    def log(self) -> str:
        """What was logged since the last start."""
        with self._log.open("rb") as log:
            log.seek(self._from)
            return log.read().decode()

    @property
    def returncode(self) -> int | None:
        """Exit code, None while it runs."""
        return self._running().poll()

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            raise AssertionError("the worker was not started")
        return self._process

    @property
    def url(self) -> str:
        """Where it listens, once it has said so."""
        address = _ADDRESS.search(self.log)
        if address is None:
            raise AssertionError(f"no address yet; it logged:\n{self.log}")
        return f"http://{address[1]}"

    def wait_ready(self) -> "WorkerProcess":
        """Wait until /health/ready says yes."""
        until(self._ready, f"a worker that is ready; it logged:\n{self.log}")
        return self

    def _ready(self) -> bool:
        if self.returncode is not None:
            raise AssertionError(f"the worker ended with {self.returncode}; it logged:\n{self.log}")
        return self._get("/health/ready") is not None

    def _get(self, path: str) -> str | None:
        address = _ADDRESS.search(self.log)
        if address is None:
            return None
        try:
            with urllib.request.urlopen(f"http://{address[1]}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except (urllib.error.URLError, OSError):
            return None

    def metrics(self) -> str:
        """What /metrics says."""
        return self._get("/metrics") or ""

    def metric(self, name: str, **labels: str) -> float:
        """Sum of a metric's samples that bear these labels."""
        found = 0.0
        for family in text_string_to_metric_families(self.metrics()):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    found += sample.value
        return found

    def children(self) -> list[int]:
        """Ids of the stage groups' processes."""
        return children_of(self._running().pid)

    def process_ids(self) -> list[int]:
        """Ids of the supervisor and its children."""
        return [self._running().pid, *self.children()]

    def kill(self) -> None:
        """End supervisor and children with SIGKILL, at once."""
        process = self._running()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def kill_supervisor(self) -> None:
        """End the supervisor alone with SIGKILL; its children notice."""
        self._running().kill()
        self._running().wait()

    def terminate(self) -> int:
        """Ask to stop, and return the exit code."""
        process = self._running()
        process.terminate()
        try:
            return process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"the worker did not stop; it logged:\n{self.log}") from error
