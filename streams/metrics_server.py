"""`/metrics`, `/health/live` and `/health/ready` over HTTP, for one process or a supervisor with children.

The supervisor alone binds a TCP port; each child answers on a Unix socket and is asked at scrape
time. Nothing is stored: a scrape that fails is simply repeated by who scrapes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import aiohttp
import msgspec
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from schemas.settings import MetricsSettings
from streams.errors import SettingsError, StateError
from streams.health import HEALTHY, Health, combined
from streams.metrics_access import bearer_token, holds
from streams.metrics_merge import Merged
from streams.monitoring import Metrics, SupervisorMetrics
from streams.secrets import Hidden

SUPERVISOR = "supervisor"
"""Value of the label `group` in what the supervisor itself counts."""

CHILD_TIMEOUT_S = 1.0
"""A child that takes longer to answer counts as not living."""

_CLOSING_TIMEOUT_S = 1.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ChildEndpoint:
    """One worker process's metrics and health, on a Unix socket that only its user can open."""

    def __init__(self) -> None:
        self._runner: web.AppRunner | None = None
        self._socket_path: Path | None = None

    async def start(self, socket_path: Path, metrics: Metrics, health: Callable[[], Health]) -> None:
        """Serve `/metrics` and `/health` until `stop`; a socket left by a dead process is replaced.

        Raises
        ------
        StateError
            If the socket cannot be made.
        """

        async def answer_metrics(_: web.Request) -> web.Response:
            return _metrics_response(metrics.render())

        async def answer_health(_: web.Request) -> web.Response:
            current = health()
            return _health_response(current, well=current.live)

        self._runner = await _runner({"/metrics": answer_metrics, "/health": answer_health})
        try:
            await web.UnixSite(self._runner, str(socket_path)).start()
            socket_path.chmod(0o600)
        except OSError as error:
            await self.stop()
            raise StateError(
                f"the socket {socket_path} cannot be made: {error}. "
                "Its folder must exist and be writable, and the path have at most 100 bytes"
            ) from error
        self._socket_path = socket_path

    async def stop(self) -> None:
        """Stop serving and remove the socket; harmless when not started."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._socket_path is not None:
            self._socket_path.unlink(missing_ok=True)
        self._runner = self._socket_path = None


class SupervisorServer:
    """Metrics and health of all stage groups on one TCP port.

    Parameters
    ----------
    settings : MetricsSettings
        Where to listen; port 0 takes a free one.
    metrics : SupervisorMetrics
        What the supervisor itself counts; `child_up` is set here, at each scrape.
    children : Callable[[], Mapping[str, Path]]
        Socket of each stage group that should be running now.
    health : Callable[[], Health]
        Health of the supervisor itself.
    """

    def __init__(
        self,
        settings: MetricsSettings,
        metrics: SupervisorMetrics,
        children: Callable[[], Mapping[str, Path]],
        health: Callable[[], Health] = lambda: HEALTHY,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._children = children
        self._health = health
        self._runner: web.AppRunner | None = None
        self._token: Hidden | None = None

    async def start(self) -> int:
        """Listen until `stop`, and return the port.

        Raises
        ------
        SettingsError
            If host and port cannot be bound, or others could reach them and there is no token.
        """
        self._token = bearer_token(self._settings)
        host, port = self._settings.host, self._settings.port
        self._runner = await _runner(
            {
                "/metrics": self._answer_metrics,
                "/health/live": self._answer_live,
                "/health/ready": self._answer_ready,
            }
        )
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self.stop()
            raise SettingsError(
                f"metrics.host = {host!r}, metrics.port = {port} cannot be bound: {error.strerror or error}. "
                "Set FRESHREC_METRICS__PORT to another port, or to 0 for a free one"
            ) from error
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening; harmless when not started."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = None

    async def health(self) -> Health:
        """Health of the supervisor and all its children as one."""
        children = self._children()
        answers = await asyncio.gather(*(_fetch_health(path) for path in children.values()))
        parts = dict(zip(children, answers, strict=True))
        if not parts:
            parts = {SUPERVISOR: Health(live=True, ready=False, reasons=["no stage group is running"])}
        own = self._health()
        whole = combined(parts)
        return Health(own.live and whole.live, own.ready and whole.ready, own.reasons + whole.reasons)

    async def metrics(self) -> bytes:
        """Metrics of the supervisor and of all children that answer, in the Prometheus text format."""
        children = self._children()
        texts = await asyncio.gather(*(_fetch_metrics(path) for path in children.values()))
        merged = Merged()
        self._metrics.child_up.clear()
        for group, text in zip(children, texts, strict=True):
            up = text is not None and _added(merged, group, text)
            self._metrics.child_up.labels(group=group).set(up)
        merged.add(SUPERVISOR, self._metrics.render().decode())
        return merged.render()

    async def _answer_metrics(self, request: web.Request) -> web.Response:
        if self._token is not None and not holds(request.headers.get("Authorization"), self._token):
            return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        return _metrics_response(await self.metrics())

    async def _answer_live(self, _: web.Request) -> web.Response:
        current = await self.health()
        return _health_response(current, well=current.live)

    async def _answer_ready(self, _: web.Request) -> web.Response:
        current = await self.health()
        return _health_response(current, well=current.ready)


async def _runner(routes: Mapping[str, Handler]) -> web.AppRunner:
    app = web.Application()
    app.add_routes([web.get(path, handler) for path, handler in routes.items()])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CLOSING_TIMEOUT_S)
    await runner.setup()
    return runner


def _metrics_response(text: bytes) -> web.Response:
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _health_response(health: Health, *, well: bool) -> web.Response:
    status = 200 if well else 503
    return web.Response(body=msgspec.json.encode(health), status=status, content_type="application/json")


def _added(merged: Merged, group: str, text: str) -> bool:
    try:
        merged.add(group, text)
    except ValueError:
        return False
    return True


async def _fetch(socket_path: Path, route: str) -> tuple[int, str] | None:
    timeout = aiohttp.ClientTimeout(total=CHILD_TIMEOUT_S)
    connector = aiohttp.UnixConnector(path=str(socket_path))
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.get(f"http://child{route}") as response,
        ):
            return response.status, await response.text()
    except (aiohttp.ClientError, OSError):
        return None


async def _fetch_metrics(socket_path: Path) -> str | None:
    answer = await _fetch(socket_path, "/metrics")
    return answer[1] if answer is not None and answer[0] == 200 else None


async def _fetch_health(socket_path: Path) -> Health:
    answer = await _fetch(socket_path, "/health")
    try:
        return msgspec.json.decode(answer[1] if answer else "", type=Health)
    except msgspec.DecodeError:
        reason = f"no answer on {socket_path} within {CHILD_TIMEOUT_S:g} s"
        return Health(live=False, ready=False, reasons=[reason])
