"""The HTTP server: routes, access, problems, health and metrics. What answers is told to it.

Nothing is stored here; a request that fails changes nothing, but for messages on their way to Kafka.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

import msgspec
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from schemas.settings import Settings
from streams.errors import SettingsError
from streams.health import Health
from streams.metrics_access import api_token, holds, is_of_this_machine, names_this_machine
from streams.monitoring import ServeMetrics
from streams.secrets import Hidden
from streams.serving.answering import Answering
from streams.serving.live import assets, paths
from streams.serving.live.answers import PageAnswers
from streams.serving.openapi import as_json, document
from streams.serving.page import page
from streams.serving.problems import RefusedError
from streams.serving.routes import ROUTES, Route

logger = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
OPEN = frozenset({"/health/live", "/health/ready", "/openapi.json", "/docs", assets.HOME, assets.FILES})
"""Paths that ask for no token."""

_STREAMS = frozenset(route.path for route in paths.STREAMS)

_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[\w.-]+))(?::\d{1,5})?", re.ASCII)
_CLOSING_TIMEOUT_S = 1.0
_encode = msgspec.json.Encoder().encode


class ApiServer:
    """The API on one TCP port.

    Parameters
    ----------
    settings : Settings
        Section `serve`; port 0 takes a free one.
    answering : Answering
        What answers.
    metrics : ServeMetrics
        What is counted.
    health : callable
        Whether the process lives and is ready.
    page : PageAnswers, optional
        What answers the page; without it there is none.
    """

    def __init__(
        self,
        settings: Settings,
        answering: Answering,
        metrics: ServeMetrics,
        health: Callable[[], Health],
        page: PageAnswers | None = None,
    ) -> None:
        self._settings, self._answering, self._page = settings, answering, page
        self._metrics, self._health = metrics, health
        self._runner: web.AppRunner | None = None
        self._token: Hidden | None = None

    def app(self) -> web.Application:
        """Make the application.

        Raises
        ------
        SettingsError
            Others could reach it and there is no token, or the token is too short.
        """
        self._token = api_token(self._settings.serve)
        app = web.Application(
            middlewares=[self._guarded], client_max_size=self._settings.serve.max_body_bytes
        )
        for route in ROUTES:
            app.router.add_route(route.method, route.path, self._answerer(self._answering, route))
        if self._page is not None:
            self._add_page(app, self._page)
        app.add_routes(
            [
                web.get("/openapi.json", _fixed(as_json(document()), "application/json")),
                web.get("/docs", _fixed(page().encode(), "text/html")),
                web.get("/metrics", self._answer_metrics),
                web.get("/health/live", self._answer_live),
                web.get("/health/ready", self._answer_ready),
            ]
        )
        return app

    async def start(self) -> int:
        """Listen until `stop`, and return the port.

        Raises
        ------
        SettingsError
            Host and port cannot be bound, or others could reach them and there is no token.
        """
        host, port = self._settings.serve.host, self._settings.serve.port
        self._runner = web.AppRunner(self.app(), access_log=None, shutdown_timeout=_CLOSING_TIMEOUT_S)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self.stop()
            raise SettingsError(
                f"serve.host = {host!r}, serve.port = {port} cannot be bound: {error.strerror or error}. "
                "Set FRESHREC_SERVE__PORT to another port, or to 0 for a free one"
            ) from error
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening; harmless when not started."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = None

    def _add_page(self, app: web.Application, page: PageAnswers) -> None:
        app.add_routes(assets.routes())
        for route in paths.STREAMS:
            app.router.add_route(route.method, route.path, self._streamer(page, route))
        for route in paths.ANSWERS:
            app.router.add_route(route.method, route.path, self._answerer(page, route))

        async def close(_: web.Application) -> None:
            page.close()

        app.on_shutdown.append(close)

    def _answerer(self, answering: Answering | PageAnswers, route: Route) -> Handler:
        answer: Callable[[web.Request, Route], Any] = getattr(answering, route.answers)
        waits = asyncio.iscoroutinefunction(answer)

        async def handle(request: web.Request) -> web.Response:
            self._require_ready()
            message = await answer(request, route) if waits else answer(request, route)
            return web.Response(body=_encode(message), status=route.status, content_type="application/json")

        return handle

    def _streamer(self, page: PageAnswers, route: Route) -> Handler:
        answer: Callable[[web.Request, Route], Awaitable[web.StreamResponse]] = getattr(page, route.answers)

        async def handle(request: web.Request) -> web.StreamResponse:
            self._require_ready()
            return await answer(request, route)

        return handle

    def _require_ready(self) -> None:
        current = self._health()
        if not current.ready:
            raise RefusedError(
                503,
                f"not ready: {'; '.join(current.reasons)}. Ask again in a moment",
                headers={"Retry-After": "1"},
            )

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        started = perf_counter()
        resource = request.match_info.route.resource
        path = resource.canonical if resource is not None else "unknown"
        try:
            if path not in OPEN:
                self._require_access(request)
            response = await handler(request)
        except RefusedError as refused:
            response = refused.response()
        except web.HTTPException as error:
            response = _as_problem(error, request)
        except Exception:
            logger.exception("a request to %s failed", path)
            response = RefusedError(
                500, "an error that nobody foresaw; the log of the server has it"
            ).response()
        self._metrics.requests.labels(route=path, status=str(response.status)).inc()
        if path not in _STREAMS:
            self._metrics.request_seconds.labels(route=path).observe(perf_counter() - started)
        return response

    def _require_access(self, request: web.Request) -> None:
        if self._token is None:
            _require_this_machine(request)
        elif not holds(request.headers.get("Authorization"), self._token):
            detail = "there is no token, or a wrong one; expected the header Authorization: Bearer TOKEN"
            raise RefusedError(401, detail, headers={"WWW-Authenticate": "Bearer"})

    async def _answer_metrics(self, _: web.Request) -> web.Response:
        self._metrics.ready.set(self._health().ready)
        return web.Response(body=self._metrics.render(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _answer_live(self, _: web.Request) -> web.Response:
        current = self._health()
        return _health_response(current, well=current.live)

    async def _answer_ready(self, _: web.Request) -> web.Response:
        current = self._health()
        return _health_response(current, well=current.ready)


def _require_this_machine(request: web.Request) -> None:
    """Refuse what a page from elsewhere can make a browser of this machine ask, by name or openly."""
    if not names_this_machine(_host_of(request)):
        detail = (
            "without a token this is for this machine alone: ask for it as 127.0.0.1 or localhost, or set a "
            "token (serve.token_file)"
        )
        raise RefusedError(421, detail)
    if not is_of_this_machine(request.headers.get("Origin")):
        detail = "without a token no page from elsewhere is answered; set a token (serve.token_file)"
        raise RefusedError(403, detail)


def _host_of(request: web.Request) -> str | None:
    """The name in Host, without port and brackets; None if it is no name with or without a port."""
    found = _HOST.fullmatch(request.headers.get("Host", ""))
    return None if found is None else (found["v6"] or found["name"]).lower()


def _fixed(body: bytes, content_type: str) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)

    return answer


def _health_response(health: Health, *, well: bool) -> web.Response:
    return web.Response(body=_encode(health), status=200 if well else 503, content_type="application/json")


def _as_problem(error: web.HTTPException, request: web.Request) -> web.Response:
    """What aiohttp refuses by itself, told like every other problem."""
    if error.status == 404:
        detail = f"there is no {request.path[:200]!r} here; /docs lists every path"
    elif isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        detail = f"{request.method[:20]} is not answered here; expected {allowed}"
        return RefusedError(405, detail, headers={"Allow": allowed}).response()
    else:
        detail = error.text or error.reason
    return RefusedError(error.status, detail).response()
