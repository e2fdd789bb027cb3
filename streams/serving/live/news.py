"""All that is followed for the page beside the views: who waits for what, the flow, the words of items.

Rows are told by the views as they arrive; until `start`, what arrives is of the past and told to nobody.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from schemas.settings import Settings
from streams.errors import SettingsError
from streams.followed import ITEM_VIEW
from streams.monitoring import ServeMetrics
from streams.secrets import METRICS_TOKEN, Hidden, read_secret
from streams.serving.live.flow import Flow
from streams.serving.live.item_words import ItemWords
from streams.serving.live.refused import Refused, follow
from streams.serving.live.watchers import Watchers
from streams.serving.live.worker import Worker
from streams.serving.served_views import ServedViews

FLOW: Final = ""
"""What listeners of the flow wait for; customers are waited for by their ids, which are never empty."""

LISTS: Final = "recommendations"
OF_CUSTOMERS: Final = (LISTS, "histories", "segments")
TICK_S: Final = 1.0
LOCAL: Final = "127.0.0.1"
logger = logging.getLogger(__name__)


class News:
    """What the page is told of as it happens.

    Parameters
    ----------
    views : ServedViews
        What is followed.
    settings : Settings
        Section `serve` has the bounds.
    metrics : ServeMetrics
        Where requests are counted.
    names : bool
        Whether ids of customers in topics are those that people know.

    Attributes
    ----------
    watchers, flow, words, refused, worker :
        Its parts.
    """

    def __init__(self, views: ServedViews, settings: Settings, metrics: ServeMetrics, *, names: bool) -> None:
        serve = settings.serve
        self._views, self._settings, self._metrics = views, settings, metrics
        self.watchers, self.flow = Watchers(serve.max_listeners), Flow(names=names)
        self.words, self.refused = ItemWords(serve.search_items), Refused()
        self.worker = Worker(_worker_url(settings), _worker_token(settings))
        self._views.topics[ITEM_VIEW].tell = self.words.learn

    def learn_items(self, rows: Iterable[tuple[str, bytes]]) -> None:
        """Take the catalogue as it was left by the process before."""
        for item, value in rows:
            self.words.learn(item, value)

    def start(self) -> None:
        """Tell of what arrives from now on."""
        for name in OF_CUSTOMERS:
            self._views.topics[name].tell = self._teller(name)
        self.flow.start(self._events(), self._requests())

    def _teller(self, name: str) -> Callable[[str, bytes | None], None]:
        tell = self.watchers.tell
        if name != LISTS:
            return lambda key, _: tell(key)

        def told(key: str, value: bytes | None) -> None:
            self.flow.note_list(key, value)
            tell(key)

        return told

    async def run(self) -> None:
        """Follow what is not among the views, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick())
            group.create_task(_apart(follow(self.refused, self._settings.kafka), "what is refused"))
            group.create_task(_apart(self.worker.follow(), "the worker's metrics"))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self.tick(time.time_ns() // 1_000_000)

    def tick(self, at: int) -> None:
        """End a second, `at` epoch ms, and tell those who wait."""
        self.flow.tick(at, self._events(), self._requests())
        self.watchers.tell(FLOW)

    def _events(self) -> dict[str, int]:
        remembered = self._views.remembered
        return {} if remembered is None else dict(remembered.learned)

    def _requests(self) -> int:
        (family,) = self._metrics.requests.collect()
        return int(sum(sample.value for sample in family.samples))


async def _apart(work: Awaitable[None], what: str) -> None:
    """Do something that answers do not need: they go on when it fails."""
    try:
        await work
    except Exception:
        logger.exception("the page goes without %s until the next start", what)


def _worker_url(settings: Settings) -> str:
    """Where a worker's metrics are; empty if nobody says."""
    port = settings.metrics.port
    return settings.serve.worker_url or (f"http://{LOCAL}:{port}/metrics" if port else "")


def _worker_token(settings: Settings) -> Hidden | None:
    """What the worker's metrics ask for; a server that may not read it goes without."""
    try:
        return read_secret(METRICS_TOKEN, settings.metrics.token_file)
    except SettingsError as error:
        logger.warning("the page goes without the worker's metrics: %s", error)
        return None
