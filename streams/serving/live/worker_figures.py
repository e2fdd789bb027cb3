"""A worker's metrics as figures: read over HTTP now and then, the newest kept to be compared.

What cannot be read is said, and changes nothing else.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from streams.secrets import Hidden

EVERY_S: Final = 10.0
KEPT: Final = 360
"""Readings that are kept: an hour."""

TIMEOUT_S: Final = 3.0
MOST_BYTES: Final = 4 * 1024 * 1024

Figures = dict[str, list[tuple[dict[str, str], float]]]
"""Samples by name: labels and value of each."""


class Reading(NamedTuple):
    """What a worker's metrics were at a moment (epoch ms)."""

    at: int
    figures: Figures


class WorkerFigures:
    """The newest readings of one worker.

    Parameters
    ----------
    url : str
        Its /metrics; empty: none is read.
    token : Hidden or None
        What it asks for.
    names : iterable of str
        The samples that are kept; others are not even parsed.
    """

    def __init__(self, url: str, token: Hidden | None, names: Iterable[str]) -> None:
        self._url, self._token, self._names = url, token, frozenset(names)
        self._readings: deque[Reading] = deque(maxlen=KEPT)
        self.problem: str | None = "the worker has not been asked yet" if url else "serve.worker_url is empty"

    @property
    def readings(self) -> Sequence[Reading]:
        """Those that are kept, oldest first."""
        return self._readings

    def learn(self, at: int, text: str) -> None:
        """Take a text of metrics.

        Raises
        ------
        ValueError
            It is not in the Prometheus text format.
        """
        self._readings.append(Reading(at, figures_of(text, self._names)))
        self.problem = None

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


def figures_of(text: str, names: frozenset[str]) -> Figures:
    r"""Parse samples of some names.

    Raises
    ------
    ValueError
        A line that should be a sample of one is none.

    Examples
    --------
    >>> figures_of('# HELP lag x\nlag{topic="a"} 3.5\nother 4\n', frozenset({"lag"}))
    {'lag': [({'topic': 'a'}, 3.5)]}
    """
    wanted = [line for line in text.splitlines() if line.partition(" ")[0].partition("{")[0] in names]
    found: Figures = {}
    for family in text_string_to_metric_families("\n".join([*wanted, ""])):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found
