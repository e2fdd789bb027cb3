"""Server-sent events: a view as of now, and again whenever there is news.

Delivery: who reads slowly misses views in between, never the newest.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from aiohttp import web

from streams.serving.live.watchers import Watchers

HEARTBEAT_S: Final = 5.0
"""Without news for so long, a comment is sent: it tells who listens that all is well, and us who has gone."""

CALM_S: Final = 0.1
"""News that come together are told together."""

SEND_S: Final = 10.0
"""Who takes nothing for so long makes room for others."""

_HEADERS: Final[Mapping[str, str]] = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
}
logger = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode


def frame(name: str, message: object) -> bytes:
    r"""Write one event.

    Examples
    --------
    >>> frame("flow", {"at": 1})
    b'event: flow\ndata: {"at":1}\n\n'
    """
    # JSON has no line ends of its own.
    return b"event: " + name.encode() + b"\ndata: " + _encode(message) + b"\n\n"


async def stream(
    request: web.Request, watchers: Watchers, key: str, name: str, view: Callable[[], object]
) -> web.StreamResponse:
    """Answer a request with views until it goes away or all is closed.

    Parameters
    ----------
    request : web.Request
        Who listens.
    watchers : Watchers
        Where there will be news of `key`.
    key, name : str
        What is listened to, and what its events are called.
    view : callable
        Makes a view as of now.

    Raises
    ------
    RefusedError
        Too many listen already.
    """
    with watchers.watching(key) as news:
        first = frame(name, view())
        response = web.StreamResponse(headers=_HEADERS)
        await response.prepare(request)
        try:
            await _send(response, first)
            while not watchers.closing and _listens(request):
                await _send(response, await _next(news, lambda: frame(name, view())))
        except ConnectionResetError:
            pass
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
        except Exception:
            # What has begun cannot become a problem any more: it ends, and who listens asks again.
            logger.exception("a stream of %s failed", name)
        return response


async def _next(news: asyncio.Event, framed: Callable[[], bytes]) -> bytes:
    """Wait for news, and give what is to be sent; a comment where there is none for long."""
    try:
        await asyncio.wait_for(news.wait(), HEARTBEAT_S)
    except TimeoutError:
        return b": well\n\n"
    await asyncio.sleep(CALM_S)
    news.clear()
    return framed()


async def _send(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(SEND_S):
        await response.write(data)


def _listens(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()
