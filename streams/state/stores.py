"""Which stores a state directory holds, and opening one beside the worker that owns it."""

import time
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from schemas.settings import KafkaSettings, Settings
from schemas.state import MetaRow
from streams.errors import StateError
from streams.identity import expected_meta
from streams.pseudonyms import pseudonyms_of
from streams.rocks_store import RocksBudget, RocksDatabase
from streams.topics import identify
from streams.topology import STAGE_BY_NAME, STAGES, TOPIC_BY_NAME, partitions_of

_TRIES: Final = 5
_PAUSE_S: Final = 0.1


class StorePlace(NamedTuple):
    """A stage in one partition."""

    stage: str
    partition: int


class Cluster(msgspec.Struct, frozen=True):
    """Id of a Kafka cluster, and of its topics by name without prefix."""

    id: str
    topic_ids: dict[str, str]

    def meta_of(self, place: StorePlace, settings: Settings) -> MetaRow:
        """What a store on this cluster has to say of itself under these settings."""
        source = STAGE_BY_NAME[place.stage].reads[0]
        return expected_meta(
            place.stage,
            place.partition,
            partitions_of(TOPIC_BY_NAME[source], settings.kafka.partitions),
            settings,
            source=source,
            cluster=self.id,
            topic_id=self.topic_ids.get(source, ""),
            pseudonym_key=pseudonyms_of(settings.privacy).fingerprint,
        )


def cluster_of(settings: KafkaSettings) -> Cluster:
    """Ask the broker which cluster it is.

    Raises
    ------
    BrokerError
        No broker answers.
    """
    cluster, ids = identify(settings)
    return Cluster(cluster, {name.removeprefix(settings.topic_prefix): id_ for name, id_ in ids.items()})


def stores_in(folder: Path, stages: tuple[str, ...], partitions: tuple[int, ...]) -> list[StorePlace]:
    """Stores of a state directory in the order of the topology.

    Parameters
    ----------
    folder : Path
        The state directory.
    stages, partitions : tuple
        Only these; empty means all.

    Raises
    ------
    StateError
        There are none.
    """
    found = [
        StorePlace(stage.name, number)
        for stage in STAGES
        if stage.keeps and (not stages or stage.name in stages)
        for number in numbers_in(folder, stage.name)
        if not partitions or number in partitions
    ]
    if not found:
        wanted = f" of {', '.join(stages)}" if stages else ""
        wanted += f" in partition {', '.join(map(str, partitions))}" if partitions else ""
        raise StateError(
            f"there is no store{wanted} in {folder}; run 'freshrec worker' first, "
            f"or name the folder with --state"
        )
    return found


def numbers_in(folder: Path, stage: str) -> list[int]:
    """Partitions of a stage that have a folder."""
    return sorted(int(path.name) for path in (folder / stage).glob("*") if path.name.isdigit())


def has_store(path: Path) -> bool:
    """Whether a folder holds a database."""
    return (path / "CURRENT").exists()


def open_to_read(path: Path, budget: RocksBudget, *, cache_bytes: int) -> RocksDatabase:
    """Open a store read-only; its owner may be removing an old file at that very moment.

    Raises
    ------
    StateError
        It cannot be opened.
    """
    for _ in range(_TRIES - 1):
        try:
            return RocksDatabase(path, budget, cache_bytes=cache_bytes, read_only=True)
        except StateError:
            if not has_store(path):
                raise
            time.sleep(_PAUSE_S)
    return RocksDatabase(path, budget, cache_bytes=cache_bytes, read_only=True)
