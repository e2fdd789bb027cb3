"""`freshrec worker`: one child process per stage group, restarted with backoff, ended together.

The supervisor alone binds the metrics port and merges what its children measure. Which worker of this
host it is, a lock file says: the first free slot in the state directory.
"""

import asyncio
import logging
import os
import signal
import sys
import tempfile
from pathlib import Path

import msgspec

from schemas.settings import Settings
from streams.child_plan import ChildPlan
from streams.metrics_server import SupervisorServer
from streams.monitoring import SupervisorMetrics
from streams.slots import take_slot
from streams.state.lock import shared
from streams.topology import STAGES

logger = logging.getLogger(__name__)
FIRST_BACKOFF_S, MAX_BACKOFF_S, STEADY_S = 0.5, 30.0, 60.0
STOP_WAIT_S = 9.0


class Supervisor:
    """Keeps the children running until told to stop.

    Parameters
    ----------
    settings : Settings
        Handed to every child.
    stages : tuple of str
        Stages to run; their groups decide the processes.
    """

    def __init__(self, settings: Settings, stages: tuple[str, ...]) -> None:
        self._settings = settings
        self._groups: dict[str, tuple[str, ...]] = {}
        for stage in STAGES:
            if stage.name in stages:
                self._groups[stage.group] = (*self._groups.get(stage.group, ()), stage.name)
        self._sockets = Path()
        self._stopping = asyncio.Event()
        self._metrics = SupervisorMetrics()
        self.port = 0

    async def run(self) -> int:
        """Run until SIGTERM or SIGINT; 0 when every child ended well."""
        with shared(Path(self._settings.state.dir)):
            return await self._run()

    async def _run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        slot, lock = take_slot(Path(self._settings.state.dir))
        self._sockets = Path(tempfile.mkdtemp(prefix="freshrec-"))
        sockets = {group: self._sockets / f"{group}.sock" for group in self._groups}
        server = SupervisorServer(self._settings.metrics, self._metrics, lambda: sockets)
        try:
            self.port = await server.start()
            logger.info("metrics and health on http://%s:%d", self._settings.metrics.host, self.port)
            codes = await asyncio.gather(*(self._keep(group, slot) for group in self._groups))
            return max(codes, default=0)
        finally:
            await server.stop()
            lock.close()
            for path in sockets.values():
                path.unlink(missing_ok=True)
            self._sockets.rmdir()

    async def _keep(self, group: str, slot: int) -> int:
        """Run one child again and again; the exit code of the last."""
        backoff = FIRST_BACKOFF_S
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            code = await self._run_child(group, slot)
            if self._stopping.is_set():
                return 0 if code == 0 else 1
            if loop.time() - started > STEADY_S:
                backoff = FIRST_BACKOFF_S
            text = "stage group %s ended with %d; starting it again in %.1f s"
            logger.warning(text, group, code, backoff, extra={"group": group})
            self._metrics.child_restarts.labels(group=group).inc()
            try:
                await asyncio.wait_for(self._stopping.wait(), timeout=backoff)
            except TimeoutError:
                backoff = min(2 * backoff, MAX_BACKOFF_S)
            else:
                return 1

    async def _run_child(self, group: str, slot: int) -> int:
        reading, writing = os.pipe()
        socket = str(self._sockets / f"{group}.sock")
        plan = ChildPlan(group, self._groups[group], slot, socket, reading, self._settings)
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "streams.child",
            msgspec.json.encode(plan).decode(),
            pass_fds=(reading,),
            env={**os.environ, "PYTHONHASHSEED": "0"},
        )
        os.close(reading)
        ended = asyncio.create_task(child.wait())
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((ended, stopped), return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                child.terminate()
                await asyncio.wait((ended,), timeout=STOP_WAIT_S)
            if not ended.done():
                text = "stage group %s did not end within %.0f s; killing it"
                logger.warning(text, group, STOP_WAIT_S, extra={"group": group})
                child.kill()
            return await ended
        finally:
            stopped.cancel()
            os.close(writing)
