"""Going on under other learning settings: the counts stay as they are, the store says since when.

Only the meta row is written. What a count means must not change: where it would, the stage has to begin anew.
"""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from schemas.settings import Settings
from schemas.state import MetaRow
from streams.errors import StateError
from streams.identity import differences_of
from streams.rocks_store import RocksBudget, RocksDatabase
from streams.stages.opening import database_path
from streams.state.stores import Cluster, StorePlace

MEANING: Final = {
    "rules.half_life_s": "counts are kept in units of the half-life",
    "popularity.half_life_s": "counts are kept in units of the half-life",
    "segments.clusters": "there are as many centres as the store began with",
    "segments.warmup_samples": "the newest samples are kept in a ring of that size",
    "trees.depth": "nodes are arrays of the size that the depth gives",
    "density.radius": "micro-clusters are as wide as that",
    "density.enabled": "what customers did while it was off was not seen",
    "profiles.half_life_s": "interests are kept in units of the half-life",
    "profiles.horizon_s": "the chances of buying were learned for that horizon",
    "profiles.trends_s": "visits are counted in slices of that window",
    "profiles.enabled": "what customers did while it was off was not kept",
}
"""Learning settings that decide what stored numbers mean, and why."""

_IDENTITY: Final = {
    "format": "use the release that wrote it",
    "stage": "the folder is another stage's: put it back where it belongs",
    "partition": "the folder is another partition's: put it back where it belongs",
    "partitions": "set kafka.partitions back; another number takes another kafka.topic_prefix and state.dir",
    "topic": "use the release that wrote it",
    "cluster_id": "point kafka.bootstrap_servers or state.dir to the other of the two",
    "topic_id": "the topic was made again and lost its records: begin anew with what it holds",
}
_CACHE_BYTES: Final = 1_000_000


class Change(msgspec.Struct, frozen=True):
    """A store with other settings than those of now: what differs, and from which offset on they hold."""

    stage: str
    partition: int
    differences: list[str]
    migrated_at: int


class Migration:
    """The stores of one state directory that nobody uses, held against the settings.

    Parameters
    ----------
    settings : Settings
        Those to go on with.
    cluster : Cluster
        Ids of the Kafka cluster and of its topics.

    Raises
    ------
    StateError
        A store is in use or cannot be read.
    """

    def __init__(self, settings: Settings, cluster: Cluster) -> None:
        self._settings, self._cluster = settings, cluster
        self._budget = RocksBudget(settings.state.rocksdb_bytes)

    def changes(self, places: Iterable[StorePlace]) -> list[Change]:
        """What would change.

        Raises
        ------
        StateError
            A store differs in something that can't be migrated; the message says what to do.
        """
        found, refused = [], []
        for place in places:
            with closing(self._open(place)) as database:
                meta, upto = database.meta(), database.progress().next_offset
            if meta is None:
                continue
            expected = self._cluster.meta_of(place, self._settings)
            refused += [f"{place.stage}/{place.partition}: {text}" for text in _refusals(meta, expected)]
            if differences := differences_of(meta, expected):
                found.append(Change(*place, differences, upto))
        if refused:
            raise StateError(f"nothing was migrated. {'. '.join(refused)}")
        return found

    def carry_out(self, changes: Iterable[Change]) -> None:
        """Write the settings of now, and since when they hold, into the stores; all else stays."""
        for change in changes:
            place = StorePlace(change.stage, change.partition)
            with closing(self._open(place)) as database:
                meta, expected = database.meta(), self._cluster.meta_of(place, self._settings)
                if meta is not None:
                    database.write_meta(
                        msgspec.structs.replace(
                            meta,
                            build=expected.build,
                            fingerprint=expected.fingerprint,
                            settings=expected.settings,
                            migrated_at=database.progress().next_offset,
                        )
                    )

    def _open(self, place: StorePlace) -> RocksDatabase:
        path = database_path(Path(self._settings.state.dir), *place)
        return RocksDatabase(path, self._budget, cache_bytes=_CACHE_BYTES)


def _refusals(found: MetaRow, expected: MetaRow) -> list[str]:
    """What can't be migrated, and what to do instead."""
    reset = f"put it back, or count anew with `freshrec reset {found.stage}`"
    texts = [
        f"{name} is {getattr(found, name)!r}, expected {getattr(expected, name)!r}: {what_to_do}"
        + (f" (`freshrec reset {found.stage}`)" if name == "topic_id" else "")
        for name, what_to_do in _IDENTITY.items()
        if getattr(found, name) != getattr(expected, name)
    ]
    return texts + [
        f"{key} was {found.settings.get(key)}, now {expected.settings.get(key)}, and {why}: {reset}"
        for key, why in MEANING.items()
        if found.settings.get(key) != expected.settings.get(key)
    ]
