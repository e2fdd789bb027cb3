"""Beginning a stage anew, with all below it: new stores in a higher epoch take the place of the old ones.

What the old epoch sent stays in the topics and is ignored: packets by the least epoch in the readers' new
stores, rows of views and outputs by their versions. Stores are replaced from the top down. A mark tells of
a reset that was interrupted: workers refuse to start, and the same command does the whole of it again.
"""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from schemas.settings import Settings
from schemas.state import MetaRow
from streams.errors import StateError
from streams.identity import begin
from streams.offsets import Place, offset_ranges
from streams.rocks_store import RocksBudget, RocksDatabase, StateLockedError
from streams.stages.opening import database_path
from streams.state.interrupted import Interrupted, interrupted, mark, refuse_interrupted, unmark
from streams.state.stores import Cluster, StorePlace, has_store, numbers_in
from streams.topology import STAGE_BY_NAME, STAGES, TOPIC_BY_NAME, Stage, and_below, partitions_of

REPLACED: Final = ".replaced"
_MADE: Final = ".resetting"
_CACHE_BYTES: Final = 1_000_000


class Beginning(msgspec.Struct, frozen=True):
    """Where a store begins anew; `replaced` is the folder that its predecessor is in now, if it had one."""

    stage: str
    partition: int
    epoch: int
    begins_at: int
    replaced: str | None = None


class Reset:
    """A stage and all below it, about to begin anew in one state directory that nobody uses.

    Parameters
    ----------
    settings : Settings
        Broker, state.dir, and what decides from now on what is learned.
    cluster : Cluster
        Ids of the Kafka cluster and of its topics.
    stage : str
        The topmost stage; it keeps state.
    from_latest : bool
        It begins at the end of its source instead of at the earliest record that is there.
    epoch : int or None
        Number of the new epoch; by default one above the highest that a store of any of the stages has.

    Raises
    ------
    StateError
        The epoch is not above those that the stores have, a store is in use or cannot be read, or the reset
        of a stage that is not among these was interrupted.
    """

    def __init__(
        self, settings: Settings, cluster: Cluster, stage: str, *, from_latest: bool, epoch: int | None
    ) -> None:
        self._settings, self._cluster = settings, cluster
        self._folder = Path(settings.state.dir)
        self._budget = RocksBudget(settings.state.rocksdb_bytes)
        self._unread_ok = epoch is not None
        self.stages = and_below(stage)
        self._begun = self._interrupted(stage)
        self._epochs = {
            StorePlace(each.name, number): self._epoch_of(StorePlace(each.name, number))
            for each in STAGES
            if each.keeps
            for number in numbers_in(self._folder, each.name)
        }
        self.epoch = self._chosen(epoch)
        ranges = offset_ranges(settings.kafka, self._sources())
        self.beginnings = [
            Beginning(
                each.name, number, self.epoch, self._start(each, number, ranges, from_latest=from_latest)
            )
            for each in self.stages
            for number in range(self._partitions(each.reads[0]))
        ]

    def carry_out(self, *, delete: bool) -> list[Beginning]:
        """Make the new stores and put them in the place of the old ones, which are moved aside or deleted."""
        made, aside = self._folder / _MADE, self._aside()
        shutil.rmtree(made, ignore_errors=True)
        for each in self.beginnings:
            self._make(database_path(made, each.stage, each.partition), each)
        mark(self._folder, Interrupted(self.stages[0].name, self.epoch, aside.name))
        done = [self._replace(each, made, aside) for each in self.beginnings]
        for stage in self.stages:
            for number in numbers_in(self._folder, stage.name):
                # Of a time with more partitions.
                if number >= self._partitions(stage.reads[0]):
                    self._put_aside(StorePlace(stage.name, number), aside)
        shutil.rmtree(made)
        if delete:
            shutil.rmtree(aside, ignore_errors=True)
            done = [msgspec.structs.replace(each, replaced=None) for each in done]
        return done

    def finish(self) -> None:
        """All is in place: workers may start again."""
        unmark(self._folder)

    # -- what an earlier attempt left ---------------------------------------------------------------

    def _interrupted(self, stage: str) -> Interrupted | None:
        """The attempt that this one repeats; another one has to be among the stages that begin anew."""
        found = interrupted(self._folder)
        if found is not None and STAGE_BY_NAME[found.stage] not in self.stages:
            refuse_interrupted(self._folder)
        return found if found is not None and found.stage == stage else None

    def _chosen(self, epoch: int | None) -> int:
        """The epoch named, or one above all; that of an interrupted attempt, in which nothing was learned."""
        known = max(
            (epoch for place, epoch in self._epochs.items() if STAGE_BY_NAME[place.stage] in self.stages),
            default=0,
        )
        again = self._begun.epoch if self._begun is not None and self._begun.epoch >= known else None
        if epoch is None:
            return again or known + 1
        if epoch <= known and epoch != again:
            raise StateError(
                f"epoch {epoch} is not above {known}, which a store in {self._folder} has; "
                f"name a higher one, or none"
            )
        return epoch

    def _aside(self) -> Path:
        """The folder for the old stores: that of the attempt that is repeated, if there was one."""
        if self._begun is not None:
            return self._replaced(self._begun)
        return self._folder / REPLACED / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-before-epoch-{self.epoch}"

    def _replaced(self, attempt: Interrupted) -> Path:
        """Where an attempt put old stores."""
        return self._folder / REPLACED / attempt.aside

    # -- what will be -------------------------------------------------------------------------------

    def _partitions(self, topic: str) -> int:
        return partitions_of(TOPIC_BY_NAME[topic], self._settings.kafka.partitions)

    def _sources(self) -> Mapping[str, int]:
        prefix = self._settings.kafka.topic_prefix
        return {prefix + each.reads[0]: self._partitions(each.reads[0]) for each in self.stages}

    def _start(
        self, stage: Stage, number: int, ranges: Mapping[Place, tuple[int, int]], *, from_latest: bool
    ) -> int:
        """The topmost stage reads again; those below it find nothing of the new epoch before the end."""
        first, end = ranges[self._settings.kafka.topic_prefix + stage.reads[0], number]
        return first if stage is self.stages[0] and not from_latest else end

    def _least_epochs(self, stage: Stage) -> dict[str, int]:
        """Below which epoch the packets of each source partition are left out."""
        found = {}
        for above in STAGES:
            if above.keeps and stage.reads[0] in above.writes:
                source = above.reads[0]
                for number in range(self._partitions(source)):
                    known = self._epochs.get(StorePlace(above.name, number), 0)
                    found[f"{source}/{number}"] = self.epoch if above in self.stages else known
        return {place: epoch for place, epoch in found.items() if epoch}

    # -- stores -------------------------------------------------------------------------------------

    def _epoch_of(self, place: StorePlace) -> int:
        """The epoch of a store; opening it for writing shows that nobody else has it open."""
        path = database_path(self._folder, *place)
        if not has_store(path):
            return 0
        if self._begun is not None and database_path(self._replaced(self._begun), *place).exists():
            # Of the interrupted attempt, which may have been about to delete it.
            return self._begun.epoch
        try:
            with closing(RocksDatabase(path, self._budget, cache_bytes=_CACHE_BYTES)) as database:
                meta = database.meta()
        except StateLockedError:
            raise
        except StateError as error:
            if self._unread_ok:
                return 0
            raise StateError(f"{error}; or name an --epoch above the one that it had") from error
        return meta.epoch if meta else 0

    def _make(self, path: Path, beginning: Beginning) -> None:
        with closing(RocksDatabase(path, self._budget, cache_bytes=_CACHE_BYTES)) as database:
            begin(database, self._meta(beginning))

    def _meta(self, beginning: Beginning) -> MetaRow:
        place = StorePlace(beginning.stage, beginning.partition)
        return msgspec.structs.replace(
            self._cluster.meta_of(place, self._settings),
            epoch=beginning.epoch,
            begins_at=beginning.begins_at,
            least_epochs=self._least_epochs(STAGE_BY_NAME[beginning.stage]),
        )

    def _replace(self, beginning: Beginning, made: Path, aside: Path) -> Beginning:
        place = StorePlace(beginning.stage, beginning.partition)
        replaced = self._put_aside(place, aside)
        path = database_path(self._folder, *place)
        path.parent.mkdir(parents=True, exist_ok=True)
        database_path(made, *place).rename(path)
        return msgspec.structs.replace(beginning, replaced=replaced and str(replaced))

    def _put_aside(self, place: StorePlace, aside: Path) -> Path | None:
        path, goal = database_path(self._folder, *place), database_path(aside, *place)
        if not path.exists():
            return goal if goal.exists() else None
        if goal.exists():
            # The old store was put there before the interruption; this one is new, and empty.
            shutil.rmtree(path)
            return goal
        goal.parent.mkdir(parents=True, exist_ok=True)
        return path.rename(goal)


def names(stages: Sequence[Stage]) -> str:
    """The stages in a sentence."""
    return ", ".join(stage.name for stage in stages)
