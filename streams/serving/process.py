"""The process of `freshrec serve`: it follows what it answers from, in a folder of its own.

It is in no consumer group, so that workers that come and go never silence it. Delivery: a row may be taken
twice, which changes nothing; answers are as of what has arrived.
"""

import asyncio
import logging
import shutil
import signal
import time
from pathlib import Path
from typing import Final

from online_models.protocols import Request
from online_models.recommender import BlendRecommender
from schemas.settings import Settings
from schemas.state import HistoryRow, SessionMark
from streams.cluster import TOMBSTONE_MS
from streams.followed import ITEM_VIEW
from streams.follower import Follower
from streams.garbage import collect_rarely
from streams.health import Health
from streams.monitoring import ServeMetrics
from streams.pseudonyms import pseudonyms_of
from streams.remembered import FACTS, FILE, RememberedSessions
from streams.rocks_store import RocksBudget
from streams.rules_file import RulesFile
from streams.serving.answering import Answering
from streams.serving.live.answers import PageAnswers
from streams.serving.live.news import News
from streams.serving.sending import KafkaSender
from streams.serving.served_views import ServedViews
from streams.serving.server import ApiServer
from streams.slots import take_slot
from streams.topics import identify
from streams.topology import SERVE, TOPIC_BY_NAME, partitions_of
from streams.view_store import VIEWS, open_views

logger = logging.getLogger(__name__)
ALIVE: Final = "alive"
ALIVE_S: Final = 60.0
FLUSH_S: Final = 0.25
"""Rows are flushed in small parts: what is asked meanwhile waits for their encoding."""

_SOON_S = 0.01


def forget_if_stale(folder: Path, *, now_s: float) -> bool:
    """Remove views that were not followed for so long that news of deletions may be gone from the topics.

    Who was forgotten meanwhile must not be answered from what is left here. Half of the time that Kafka
    keeps such news is allowed. Return whether anything was removed.
    """
    alive = folder / ALIVE
    if not folder.exists() or (alive.exists() and now_s - alive.stat().st_mtime < TOMBSTONE_MS / 2000):
        return False
    shutil.rmtree(folder)
    return True


class Serving:
    """The parts of the process.

    Parameters
    ----------
    settings : Settings
        As the worker has them; section `serve` says where to listen.
    folder : Path
        Where views are kept.
    facts_id : str
        Kafka's id of topic `facts`: sessions of another one are not taken over.
    """

    def __init__(self, settings: Settings, folder: Path, *, facts_id: str) -> None:
        self._folder = folder
        if forget_if_stale(folder, now_s=time.time()):
            logger.info("views in %s were not followed for long: topics are read anew", folder)
        remembered = None
        if settings.sessions.held:
            remembered = RememberedSessions(folder / FILE, settings, topic_id=facts_id)
        budget = RocksBudget(settings.state.rocksdb_bytes // 2)
        views, databases = open_views(folder, SERVE.follows, budget, settings, remembered)
        metrics, self._sender = ServeMetrics(), KafkaSender(settings)
        self._rules_file = RulesFile(settings.recommend.rules_file, metrics.tell_rules)
        self._served = ServedViews(views.topics, settings, remembered, self._rules_file)
        names = (*databases, *((FACTS,) if remembered is not None else ()))
        partitions = {name: partitions_of(TOPIC_BY_NAME[name], settings.kafka.partitions) for name in names}
        self._follower = Follower(self._served, databases, partitions, settings, flush_interval_s=FLUSH_S)
        self._settings, self._warm, self._following = settings, False, False
        self._failed: BaseException | None = None
        pseudonyms = pseudonyms_of(settings.privacy)
        answering = Answering(self._served, settings, pseudonyms, self._sender, metrics)
        self._news: News | None = None
        page = None
        if settings.serve.page:
            self._news = News(self._served, settings, metrics, names=not pseudonyms.on)
            self._news.learn_items(databases[ITEM_VIEW].stored(settings.serve.search_items))
            page = PageAnswers(self._served, self._news, settings, pseudonyms)
        self._server = ApiServer(settings, answering, metrics, self.health, page)
        self.stopping = asyncio.Event()

    def health(self) -> Health:
        """Whether the process lives, and whether it has read what it answers from."""
        if self._failed is not None:
            return Health(live=False, ready=False, reasons=["what is followed cannot be read any more"])
        if not self._warm:
            return Health(live=True, ready=False, reasons=["followed topics are still being read"])
        return Health(live=True, ready=True, reasons=[])

    async def run(self) -> int:
        """Answer until told to stop or until following fails; the exit code."""
        port = await self._server.start()
        logger.info("API, metrics and health on http://%s:%d", self._settings.serve.host, port)
        tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._stay_alive())]
        if self._rules_file.named:
            tasks.append(asyncio.create_task(self._rules_file.watch()))
        stop = asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait((stop, *tasks), return_when=asyncio.FIRST_COMPLETED)
            ended = next((task for task in tasks if task.done()), None)
            if ended is None:
                return 0
            self._failed = ended.exception()
            logger.error("answers would grow old: %s", self._failed, exc_info=self._failed)
            return 1
        finally:
            for task in (stop, *tasks):
                task.cancel()
            await asyncio.gather(stop, *tasks, return_exceptions=True)
            await self._server.stop()
            await self._follower.stop()
            await self._sender.stop()

    async def _follow(self) -> None:
        await self._sender.start()
        await self._follower.start()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follower.run())
            while not self._follower.caught_up:
                await asyncio.sleep(_SOON_S)
            warm_up(self._served, self._settings)
            collect_rarely()
            if self._news is not None:
                self._news.start()
                group.create_task(self._news.run())
            self._warm = True
            logger.info("ready")

    async def _stay_alive(self) -> None:
        """Note now and then that the views are followed."""
        while True:
            if self._warm:
                (self._folder / ALIVE).touch()
            await asyncio.sleep(ALIVE_S if self._warm else 1.0)


def warm_up(views: ServedViews, settings: Settings) -> None:
    """Ask once, so that the first customer does not wait for what is compiled or loaded on first use."""
    leaders = [item for item, _ in views.popular("all")[:3]] or ["-"]
    session = SessionMark(None, 0, 0, [], leaders)
    request = Request(history=HistoryRow(sessions=[session]), now=views.newest_at() or 0, k=1)
    BlendRecommender(views, settings).recommend(request)


async def serve(settings: Settings) -> int:
    """Answer until SIGTERM or Ctrl-C; the exit code."""
    _, ids = await asyncio.to_thread(identify, settings.kafka)
    state = Path(settings.state.dir)
    slot, lock = take_slot(state / "serve")
    with lock:
        folder = state / VIEWS / f"serve-{slot}"
        facts_id = ids.get(settings.kafka.topic_prefix + FACTS, FACTS)
        serving = Serving(settings, folder, facts_id=facts_id)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, serving.stopping.set)
        return await serving.run()
