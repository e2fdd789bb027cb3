"""A worker as its metrics tell it: read over HTTP now and then, quality kept for an hour.

What cannot be read is said, and changes nothing else.
"""

import asyncio
import time
from collections import deque
from typing import Final

import aiohttp

from schemas.page import QualityPoint, StatePart
from streams.secrets import Hidden
from streams.serving.live.figures import Reading, figures_of
from streams.serving.live.worker_state import NAMES, OVER_MS, quality, says, state

EVERY_S: Final = 10.0
KEPT: Final = 360
"""Points of quality that are kept: an hour."""

NOWHERE: Final = "metrics.port is 0: name the worker's /metrics by serve.worker_url"
TIMEOUT_S: Final = 3.0
MOST_BYTES: Final = 4 * 1024 * 1024


class Worker:
    """What is known of one worker.

    Parameters
    ----------
    url : str
        Its /metrics; empty: it is not asked.
    token : Hidden or None
        What it asks for.

    Attributes
    ----------
    points : deque of QualityPoint
        Quality over the last hour, oldest first.
    problem : str or None
        Why nothing can be read.
    """

    def __init__(self, url: str, token: Hidden | None) -> None:
        self._url, self._token = url, token
        self._readings: deque[Reading] = deque()
        self.points: deque[QualityPoint] = deque(maxlen=KEPT)
        self.problem: str | None = "it has not been asked yet" if url else NOWHERE

    def learn(self, at: int, text: str) -> None:
        """Take a text of metrics; a point of quality compares it with one of a minute before.

        Raises
        ------
        ValueError
            It is not in the Prometheus text format.
        """
        now = Reading(at, figures_of(text, NAMES))
        self._readings.append(now)
        while len(self._readings) > 1 and self._readings[1].at <= at - OVER_MS:
            self._readings.popleft()
        if self._readings[0].at <= at - OVER_MS:
            self.points.append(quality(self._readings[0].figures, now))
        self.problem = None

    def state(self) -> list[StatePart]:
        """A line for each of its parts, as of the newest reading."""
        return state(self._readings[-1].figures) if self._readings else []

    def says(self) -> list[StatePart]:
        """What its newest reading says of the quality of lists since its start."""
        return says(self._readings[-1].figures) if self._readings else []

    async def follow(self) -> None:
        """Read until cancelled."""
        while self._url:
            await self.read_once()
            await asyncio.sleep(EVERY_S)

    async def read_once(self) -> None:
        """Read the metrics as of now, or say why they cannot be read."""
        headers = {} if self._token is None else {"Authorization": "Bearer " + self._token}
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(headers=headers, timeout=timeout) as session,
                session.get(self._url, allow_redirects=False) as answer,
            ):
                if answer.status != 200:
                    self.problem = f"{self._url} answers {answer.status}"
                    return
                text = (await _body(answer)).decode()
            self.learn(time.time_ns() // 1_000_000, text)
        except (aiohttp.ClientError, TimeoutError) as error:
            self.problem = f"{self._url} does not answer: {str(error) or type(error).__name__}"
        except ValueError:
            self.problem = f"{self._url} does not answer with metrics of a worker"


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    parts, size = [], 0
    async for part in answer.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise ValueError(f"over {MOST_BYTES} bytes")
    return b"".join(parts)
