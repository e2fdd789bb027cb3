"""A load generator for HTTP on one event loop: kept connections, requests as bytes, an open or a closed loop.

An open loop sends each request when it is due, whether or not the one before it was answered, and counts
its wait from that moment: what a slow answer holds up is not overlooked.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from time import perf_counter
from typing import Final, cast

import msgspec
import numpy as np

_LENGTH: Final = b"content-length:"
_WARM_UP: Final = 500


class Measured(msgspec.Struct):
    """Latencies in ms, from when a request was due (open loop) or sent (closed loop)."""

    requests: int
    failed: int
    per_s: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float


def get(path: str) -> bytes:
    """A GET as it goes over the wire."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def post(path: str, body: bytes) -> bytes:
    """A POST of JSON as it goes over the wire."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class _Connection(asyncio.Protocol):
    """One request at a time; tells when its answer is there, and whether it was 200."""

    def __init__(self, load: "_Load") -> None:
        self._load, self._buffer, self._wanted = load, b"", -1
        self._transport: asyncio.WriteTransport | None = None
        self.due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are of no class of asyncio.
        self._transport = cast(asyncio.WriteTransport, transport)

    def ask(self, request: bytes, due: float) -> None:
        if self._transport is None:
            raise ConnectionError("not connected")
        self.due, self._buffer, self._wanted = due, b"", -1
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._wanted < 0:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            at = self._buffer.lower().index(_LENGTH) + len(_LENGTH)
            self._wanted = end + 4 + int(self._buffer[at : self._buffer.index(b"\r\n", at)])
        if len(self._buffer) >= self._wanted:
            self._load.answered(self, well=self._buffer[9:12] == b"200")

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.lost(exc)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class _Load:
    """Requests on their way over several connections; with more than these, requests wait here."""

    def __init__(self, requests: Sequence[bytes], total: int) -> None:
        self._requests, self._total = requests, total
        self._idle: list[_Connection] = []
        self._waiting: deque[float] = deque()
        self._next = self.failed = 0
        self.latencies: list[float] = []
        self.done = asyncio.get_running_loop().create_future()
        self.closed_loop = False

    async def connect(self, host: str, port: int, connections: int) -> list[_Connection]:
        loop = asyncio.get_running_loop()
        made = [
            await loop.create_connection(lambda: _Connection(self), host, port) for _ in range(connections)
        ]
        self._idle = [connection for _, connection in made]
        return list(self._idle)

    def put(self, due: float) -> None:
        if self._idle:
            self._ask(self._idle.pop(), due)
        else:
            self._waiting.append(due)

    def _ask(self, connection: _Connection, due: float) -> None:
        request = self._requests[self._next % len(self._requests)]
        self._next += 1
        connection.ask(request, due)

    def answered(self, connection: _Connection, *, well: bool) -> None:
        now = perf_counter()
        self.latencies.append(now - connection.due)
        self.failed += not well
        if len(self.latencies) == self._total:
            self.done.set_result(None)
        elif self._waiting:
            self._ask(connection, self._waiting.popleft())
        elif self.closed_loop and self._next < self._total:
            self._ask(connection, now)
        else:
            self._idle.append(connection)

    def lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed a connection"))


async def measure(
    address: tuple[str, int],
    requests: Sequence[bytes],
    *,
    per_s: float,
    seconds: float,
    connections: int = 32,
) -> Measured:
    """Ask again and again, over all requests in turn.

    Parameters
    ----------
    address
        Host and port.
    requests
        As they go over the wire.
    per_s
        Evenly spaced; 0 asks over every connection as soon as the last answer is there.
    seconds
        How long; without a rate, that many thousand requests per second are sent.
    connections
        How many are open.
    """
    total = int(seconds * (per_s or 1_000))
    load = _Load(requests, total)
    opened = await load.connect(*address, connections)
    started = perf_counter()
    if per_s:
        for number in range(total):
            due = started + number / per_s
            # The event loop sleeps no shorter than a millisecond: what is due until then leaves together.
            while (wait := due - perf_counter()) > 0:
                await asyncio.sleep(min(wait, 0.001))
            load.put(due)
            if number % 8 == 0:
                await asyncio.sleep(0)
    else:
        load.closed_loop = True
        for _ in range(min(connections, total)):
            load.put(perf_counter())
    await load.done
    elapsed = perf_counter() - started
    for connection in opened:
        connection.close()
    values = np.array(load.latencies[_WARM_UP:] or load.latencies) * 1000
    p50, p90, p99, most = (round(float(each), 3) for each in np.percentile(values, [50, 90, 99, 100]))
    return Measured(total, load.failed, round(total / elapsed, 1), p50, p90, p99, most)
