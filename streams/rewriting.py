"""Rewriting the files of stores that know people: RocksDB drops what was deleted or replaced only then."""

import asyncio
import logging
from time import perf_counter, time_ns

from schemas.settings import StateSettings
from streams.rocks_store import RocksDatabase

logger = logging.getLogger(__name__)
LOOK_S = 60.0


def look_every_s(settings: StateSettings) -> float:
    """How often to look for what is due."""
    return min(LOOK_S, settings.rewrite_s / 4)


async def rewrite_if_due(database: RocksDatabase, settings: StateSettings) -> bool:
    """Rewrite the files of a store in a thread, if the last time is long ago; whether that was so.

    What is to go has to be on disk as deleted before. Nobody else may use the store's files meanwhile.
    """
    now_ms = time_ns() // 1_000_000
    if now_ms - database.rewritten_at(now_ms) < settings.rewrite_s * 1000:
        return False
    started = perf_counter()
    await asyncio.to_thread(database.rewrite, now_ms)
    database.reopen()
    logger.info("rewrote the files of %s in %.1f s", database.path, perf_counter() - started)
    return True
