"""Who waits for news of what. Telling costs nothing where nobody waits."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from streams.serving.problems import RefusedError

RETRY_AFTER_S = 5


class Watchers:
    """Those who wait, at most so many at a time.

    All is done in one event loop.

    Parameters
    ----------
    most : int
        How many may wait.
    """

    def __init__(self, most: int) -> None:
        self._most, self._waiting = most, dict[str, set[asyncio.Event]]()
        self.count, self.closing = 0, False

    def tell(self, key: str) -> None:
        """Say that there is news."""
        for news in self._waiting.get(key, ()):
            news.set()

    @contextmanager
    def watching(self, key: str) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever there is news of a key, and when all is closed.

        Raises
        ------
        RefusedError
            Too many are waiting already, or all is closed.
        """
        if self.closing or self.count >= self._most:
            detail = f"{self.count} streams are open, the most there may be; raise serve.max_listeners"
            raise RefusedError(503, detail, headers={"Retry-After": str(RETRY_AFTER_S)})
        news = asyncio.Event()
        self._waiting.setdefault(key, set()).add(news)
        self.count += 1
        try:
            yield news
        finally:
            self.count -= 1
            there = self._waiting[key]
            there.discard(news)
            if not there:
                del self._waiting[key]

    def close(self) -> None:
        """Let all go, and nobody in."""
        self.closing = True
        for there in self._waiting.values():
            for news in there:
                news.set()
