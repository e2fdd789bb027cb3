"""The house without a broker: the whole topology in this process, by `streams.replay`.

A list is there when `send` returns. State is written at the end; until then a crash loses it all.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from time import perf_counter

import msgspec

from online_models.worlds import Emitted
from schemas.recommendations import Rejection
from schemas.settings import Settings
from streams.demo.house import Counts, Listener, counts_of
from streams.demo.screen import Screen
from streams.formats import FileRecord
from streams.replay import Replay


class MemoryHouse:
    """All stages in one process.

    Parameters
    ----------
    settings : Settings
        `state.dir` is where the state is written at the end.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._listener: Listener | None = None
        self._lines = 0
        self._replay = Replay(
            settings, on_recommendation=self._received, on_rejected=self._refused, measure=False
        )

    @asynccontextmanager
    async def connected(self, listener: Listener) -> AsyncIterator[None]:
        self._listener = listener
        try:
            yield
        finally:
            self._listener = None

    async def send(self, record: Emitted) -> None:
        self._lines += 1
        self._replay.feed([FileRecord(record.topic, record.key, record.value, record.at, self._lines)])

    async def counts(self) -> Counts:
        return counts_of(self._replay.metrics.render().decode())

    def check(self) -> None:
        """Nothing runs beside this process."""

    def finish(self) -> None:
        """Answer who is still owed a list, and write the state."""
        self._replay.finish()

    def close(self) -> None:
        """Release the state."""
        self._replay.close()

    def _received(self, value: bytes) -> None:
        if self._listener is not None:
            self._listener.received(value, perf_counter())

    def _refused(self, rejection: Rejection) -> None:
        if self._listener is not None:
            self._listener.refused(msgspec.json.encode(rejection))


@contextmanager
def memory_house(settings: Settings, screen: Screen) -> Iterator[MemoryHouse]:
    """Open the stages; at the end of the block the state is written, so that commands can answer from it.

    Parameters
    ----------
    settings : Settings
        Of the stages.
    screen : Screen
        Told what is being done.
    """
    screen.doing("opening the stages")
    house = MemoryHouse(settings)
    screen.done("all stages are open in this process")
    try:
        yield house
        screen.doing("writing the state")
        house.finish()
        screen.done("the state is written")
    finally:
        house.close()
