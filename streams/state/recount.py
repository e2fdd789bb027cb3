"""Counting a store again: its stage reads what the log recorded, into another store that begins like it.

A stage is a function of its input alone, so the two have to be equal. Views and lists play no part in what
is learned and are left out; what the stage sends is given to the caller's outbox.
"""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from schemas.settings import Settings
from schemas.state import MetaRow
from streams.followed import Views
from streams.identity import begin
from streams.monitoring import Metrics
from streams.outbox import Outbox, Outgoing, Record
from streams.pseudonyms import pseudonyms_of
from streams.rocks_store import RocksBudget, RocksDatabase
from streams.stages.opening import database_path, open_stage
from streams.stages.partition import KeptPartition, StageContext
from streams.state.stores import has_store

FLUSH_ROWS: Final = 20_000
FLUSH_BYTES: Final = 64 * 1024 * 1024
CACHE_BYTES: Final = 64 * 1024 * 1024


class Nowhere:
    """An outbox that drops what it gets."""

    def put(self, record: Outgoing) -> None: ...


def recount(
    meta: MetaRow,
    records: Iterable[Record],
    settings: Settings,
    folder: Path,
    budget: RocksBudget,
    *,
    outbox: Outbox | None = None,
) -> KeptPartition:
    """Learn records in an own store, new or one to go on from; the caller closes its database.

    Parameters
    ----------
    meta : MetaRow
        Of the store that is counted again: the new one begins as it did.
    records : iterable of Record
        The source from `meta.begins_at` on, or from where the store to go on from stops.
    settings : Settings
        Those that the store was made with.
    folder : Path
        A state directory in which this stage partition has no store yet, or the one to go on from.
    budget : RocksBudget
        Memory of RocksDB.
    outbox : Outbox, optional
        Where outputs go; by default nowhere.

    Raises
    ------
    StateError
        The settings are not those of the store, or records between two stages are missing.
    """
    replace = msgspec.structs.replace
    quiet = replace(
        settings,
        state=replace(settings.state, dir=str(folder), cache_bytes=CACHE_BYTES * meta.partitions),
        recommend=replace(settings.recommend, enabled=False),
    )
    path = database_path(folder, meta.stage, meta.partition)
    if not has_store(path):
        with closing(RocksDatabase(path, budget, cache_bytes=1)) as database:
            begin(database, meta)
    context = StageContext(
        quiet,
        outbox or Nowhere(),
        Views({}, quiet),
        Metrics(),
        lambda: 0,
        pseudonyms=pseudonyms_of(quiet.privacy),
    )
    part = open_stage(
        meta.stage, meta.partition, context, budget, cluster=meta.cluster_id, topic_id=meta.topic_id
    )
    try:
        for record in records:
            part.apply(record)
            part.end_batch()
            if part.database.dirty > FLUSH_ROWS or part.database.dirty_bytes > FLUSH_BYTES:
                _write(part)
        _write(part)
    except BaseException:
        part.database.close()
        raise
    return part


def _write(part: KeptPartition) -> None:
    part.database.write(part.freeze())
    part.database.thaw()
