"""Somebody who listens to the page's streams over a real socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from tests.streams.serving.parts import Desk

T = TypeVar("T")
WAIT_S = 10.0


class Page:
    """A page that is open at a server."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @asynccontextmanager
    async def stream(self, path: str, **headers: str) -> AsyncIterator["Stream"]:
        """Open a stream."""
        async with self._client.get(path, headers=headers) as response:
            yield Stream(response)

    async def get(self, path: str, **headers: str) -> tuple[int, Any, Any]:
        """Status, text and headers of an answer."""
        async with self._client.get(path, headers=headers) as response:
            return response.status, await response.text(), response.headers


class Stream:
    """A stream that is open."""

    def __init__(self, response: ClientResponse) -> None:
        self.status, self.headers, self._content = response.status, response.headers, response.content

    async def next(self) -> Any:
        """The next event's data; None at the end of the stream."""
        async with asyncio.timeout(WAIT_S):
            async for line in self._content:
                if line.startswith(b"data: "):
                    return msgspec.json.decode(line.removeprefix(b"data: "))
        return None

    async def line(self) -> bytes:
        """The next line, also of what is no event."""
        async with asyncio.timeout(WAIT_S):
            return await self._content.readline()


def with_page(desk: Desk, work: Callable[[Page, TestServer], Awaitable[T]]) -> T:
    """Do some work with a page of a shop."""

    async def working() -> T:
        server = TestServer(desk.server.app())
        async with TestClient(server) as client:
            return await work(Page(client), server)

    return asyncio.run(working())
