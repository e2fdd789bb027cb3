"""A demo's worker: `freshrec worker` as a process of its own, told everything by its environment.

What it writes goes to a file. It runs in a session of its own, so that Ctrl-C reaches the demo alone,
which then ends it in order.
"""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from schemas.settings import Settings
from streams.errors import FreshrecError
from streams.settings_fields import ENVIRONMENT_PREFIX, FIELDS, read

START_S = 90.0
STOP_S = 15.0
_POLL_S = 0.1
_LAST_LINES = 20
_ADDRESS = re.compile(r"metrics and health on (http://\S+)")


class WorkerProcess:
    """A worker that is running.

    Parameters
    ----------
    settings : Settings
        All it is told; neither a settings file nor this process's own variables reach it.
    log : Path
        File for what it writes; its folder is the working directory.
    """

    def __init__(self, settings: Settings, log: Path) -> None:
        self.log = log
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "streams.cli", "worker"],
                env=environment(settings),
                cwd=log.parent,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    @property
    def address(self) -> str | None:
        """Where its metrics and health are, once it has said so."""
        said = _ADDRESS.search(self.log.read_text(errors="replace"))
        return said[1] if said else None

    def wait_ready(self, *, timeout_s: float = START_S) -> str:
        """Wait until every stage is at work; the address of its metrics.

        Raises
        ------
        FreshrecError
            It ended, or wasn't ready in time.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            self.check()
            address = self.address
            if address is not None and _get(f"{address}/health/ready") is not None:
                return address
            time.sleep(_POLL_S)
        raise FreshrecError(f"the worker was not ready within {timeout_s:.0f} s")

    def check(self) -> None:
        """Raise `FreshrecError` if it has ended."""
        code = self._process.poll()
        if code is not None:
            raise FreshrecError(f"the worker ended by itself, with {code}")

    def metrics(self) -> str | None:
        """What it measures, in the Prometheus text format; None when it doesn't answer."""
        address = self.address
        return _get(f"{address}/metrics") if address else None

    def stop(self) -> int:
        """Ask it to end, wait for that, and return its exit code; one that hangs is killed."""
        self._process.terminate()
        try:
            return self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            return self._process.wait()

    def last_lines(self) -> str:
        """The end of what it wrote."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-_LAST_LINES:]) or "(nothing)"


def environment(settings: Settings) -> dict[str, str]:
    """Environment of a process that shall have exactly these settings.

    Examples
    --------
    >>> environment(Settings())["FRESHREC_METRICS__PORT"]
    '9108'
    """
    others = {
        key: value for key, value in os.environ.items() if not key.upper().startswith(ENVIRONMENT_PREFIX)
    }
    return others | {field.variable: str(read(settings, key)) for key, field in FIELDS.items()}


def _get(url: str) -> str | None:
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:  # noqa: S310  # an address the worker gave
            return str(answer.read().decode())
    except OSError:
        return None
