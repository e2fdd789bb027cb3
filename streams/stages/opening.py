"""Making a stage of the topology in one partition, on its database."""

from collections.abc import Callable
from pathlib import Path

from online_models.lessons import Teacher
from online_models.recommender import BlendRecommender
from schemas.settings import Settings
from schemas.state import MetaRow
from streams.identity import claim, expected_meta
from streams.rocks_store import RocksBudget, RocksDatabase
from streams.stages.clusters import ClustersPartition
from streams.stages.density import DensityPartition
from streams.stages.history import HistoryPartition
from streams.stages.needs import NeedsPartition
from streams.stages.outcomes import OutcomesPartition
from streams.stages.partition import KeptPartition, StageContext
from streams.stages.popularity import PopularityPartition
from streams.stages.profiles import ProfilesPartition
from streams.stages.ranker import RankerPartition
from streams.stages.segments import SegmentsPartition
from streams.stages.trees import TreesPartition
from streams.topology import STAGE_BY_NAME


def _history(partition: int, database: RocksDatabase, context: StageContext) -> HistoryPartition:
    recommender = BlendRecommender(context.views, context.settings)
    teacher = Teacher(context.views, context.settings, recommender.lists)
    return HistoryPartition(partition, database, context, recommender, teacher)


def _rules(partition: int, database: RocksDatabase, context: StageContext) -> KeptPartition:
    # What it brings along is a compiler, of no use to the processes of other stages.
    from streams.stages.rules import RulesPartition  # noqa: PLC0415

    return RulesPartition(partition, database, context)


_MAKERS: dict[str, Callable[[int, RocksDatabase, StageContext], KeptPartition]] = {
    "history": _history,
    "rules": _rules,
    "popularity": PopularityPartition,
    "segments": SegmentsPartition,
    "clusters": ClustersPartition,
    "ranker": RankerPartition,
    "outcomes": OutcomesPartition,
    "trees": TreesPartition,
    "density": DensityPartition,
    "profiles": ProfilesPartition,
    "needs": NeedsPartition,
}


def database_path(state_dir: Path, stage: str, partition: int) -> Path:
    """Folder of a stage's database in one partition."""
    return state_dir / stage / str(partition)


def meta_of(stage: str, partition: int, context: StageContext, *, cluster: str, topic_id: str) -> MetaRow:
    """What the store of a stage partition has to say of itself under these settings."""
    source = STAGE_BY_NAME[stage].reads[0]
    return expected_meta(
        stage,
        partition,
        context.partitions(source),
        context.settings,
        source=source,
        cluster=cluster,
        topic_id=topic_id,
        pseudonym_key=context.pseudonyms.fingerprint,
    )


def open_stage(
    stage: str,
    partition: int,
    context: StageContext,
    budget: RocksBudget,
    *,
    cluster: str,
    topic_id: str,
) -> KeptPartition:
    """Open the database of a stage, check that it is this stage's, and put the stage on it.

    Raises
    ------
    StateError
        The store is locked, damaged or belongs to something else.
    """
    settings: Settings = context.settings
    path = database_path(Path(settings.state.dir), stage, partition)
    source = STAGE_BY_NAME[stage].reads[0]
    cache_bytes = settings.state.cache_bytes // context.partitions(source)
    database = RocksDatabase(path, budget, cache_bytes=cache_bytes)
    try:
        claim(database, meta_of(stage, partition, context, cluster=cluster, topic_id=topic_id))
        return _MAKERS[stage](partition, database, context)
    except BaseException:
        database.close()
        raise
