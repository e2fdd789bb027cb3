"""Followed topics on disk: a RocksDB per topic in the follower's own folder.

The offsets of what was taken stand in the same batch as the rows, so a restart reads only the tail.
"""

import asyncio
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from schemas.settings import Settings
from schemas.state import ViewProgress, ViewRow
from streams.followed import ITEM_VIEW, FollowedTopic, Views, followed_topic
from streams.newest_items import FILE as CONTENTS
from streams.newest_items import NewestItems
from streams.remembered import FACTS, RememberedSessions
from streams.rocks_store import RocksBudget, RocksDatabase
from streams.rules_file import RulesFile
from streams.topology import STAGES, TOPIC_BY_NAME, Stage

VIEWS = "views"
_ROWS = "v"
_PROGRESS = "p"
_OFFSETS = "offsets-2"
"""Where the offsets stand; a new name, when rows are stored in a new way, reads topics anew."""


def followed_by(stages: tuple[str, ...], settings: Settings) -> tuple[str, ...]:
    """Topics that a process with these stages follows, each once; none for lists that nobody makes."""
    followers = (x for x in STAGES if x.name in stages and (settings.recommend.enabled or not _answers(x)))
    return tuple(dict.fromkeys(name for x in followers for name in x.follows))


def remembered_by(stages: tuple[str, ...], settings: Settings) -> bool:
    """Whether a process with these stages holds the newest sessions."""
    wanted = settings.sessions.held > 0 and settings.recommend.enabled
    return wanted and any(FACTS in x.remembers for x in STAGES if x.name in stages)


def _answers(stage: Stage) -> bool:
    return "recommend" in stage.steps


class ViewDatabase:
    """The rows of one followed topic on disk, with the next offset of each of its partitions.

    Parameters
    ----------
    path : Path
        Folder of the database.
    budget : RocksBudget
        Shared by all databases of the process.
    settings : Settings
        Cache sizes.
    read_only : bool
        Open beside the follower that owns it.
    """

    def __init__(
        self, path: Path, budget: RocksBudget, settings: Settings, *, read_only: bool = False
    ) -> None:
        cache = settings.state.cache_bytes // 8
        self.database = RocksDatabase(path, budget, cache_bytes=cache, read_only=read_only)
        self.rows = self.database.table(_ROWS, ViewRow)
        self._progress = self.database.table(_PROGRESS, ViewProgress)
        self.offsets = (self._progress.get(_OFFSETS) or ViewProgress({})).offsets

    def stored(self, limit: int) -> Iterator[tuple[str, bytes]]:
        """Up to `limit` rows that are on disk, in the order of their keys, as they arrived."""
        for key, raw in islice(self.database.rows(_ROWS), limit):
            yield key[len(_ROWS) :].decode(), self.rows.decode(raw).value

    def flush(self) -> None:
        """Put rows and offsets on disk together."""
        self._progress.put(_OFFSETS, ViewProgress(self.offsets))
        self.database.write(self.database.freeze(self.database.progress()))
        self.database.thaw()

    async def flush_in_thread(self) -> None:
        """Cut now, write in a thread."""
        self._progress.put(_OFFSETS, ViewProgress(dict(self.offsets)))
        frozen = self.database.freeze(self.database.progress())
        await asyncio.to_thread(self.database.write, frozen)
        self.database.thaw()

    def close(self) -> None:
        """Release the folder."""
        self.database.close()


def open_views(
    folder: Path,
    topics: tuple[str, ...],
    budget: RocksBudget,
    settings: Settings,
    remembered: RememberedSessions | None = None,
    rules_file: RulesFile | None = None,
) -> tuple[Views, dict[str, ViewDatabase]]:
    """Open the followed topics under `folder`, each with a cache of decoded rows."""
    databases: dict[str, ViewDatabase] = {}
    followed: dict[str, FollowedTopic[object]] = {}
    for topic in topics:
        database = databases[topic] = ViewDatabase(folder / topic, budget, settings)
        row_type = TOPIC_BY_NAME[topic].message
        newest = NewestItems.of(folder / CONTENTS, settings) if topic == ITEM_VIEW else None
        followed[topic] = followed_topic(
            topic,
            database.rows,
            row_type,  # type: ignore[arg-type]  # the topology holds types as data
            cache_rows=settings.state.views_cache_rows,
            newest=newest,
        )
    return Views(followed, settings, remembered, rules_file), databases
