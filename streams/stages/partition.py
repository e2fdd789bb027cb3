"""What every stage has in one partition, and how a driver (worker or replay) uses it.

A driver calls `apply` for each record in offset order, `end_batch` before it lets outputs leave, `work`
for what is published as time allows, and `freeze` for a consistent cut of state and progress.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from online_models.live_quality import LiveQuality
from online_models.protocols import Views
from schemas.density import DensityGroups
from schemas.experiments import ArmTallies
from schemas.messages import BEFORE_ALL, CustomerFacts, ItemCounts, Packet, Position, Totals
from schemas.profiles import Needs
from schemas.settings import Settings
from schemas.state import ProgressRow
from streams.errors import EpochError, GapError
from streams.monitoring import Metrics
from streams.outbox import Outbox, Record, Version
from streams.pseudonyms import Pseudonyms
from streams.rocks_store import Frozen, RocksDatabase
from streams.topology import STAGE_BY_NAME, TOPIC_BY_NAME, partitions_of


class StageViews(Views, Protocol):
    """All followed topics; `changes` grows with every row, `withdrawals` with what has to leave lists."""

    @property
    def changes(self) -> int: ...

    @property
    def withdrawals(self) -> tuple[int, int]: ...

    def withdrawn_after(self, number: int) -> list[str] | None: ...

    def counts_of(self, keys: Sequence[int]) -> Sequence[ItemCounts | None]: ...

    def totals(self) -> Sequence[Totals]: ...

    def customer(self, user: str) -> CustomerFacts | None: ...

    def needs(self) -> Needs | None: ...

    def density(self) -> DensityGroups | None: ...

    def arm_tallies(self) -> Sequence[ArmTallies]: ...

    def note_customer(self, user: str, value: bytes | None, version: Version) -> None: ...


class StageContext(msgspec.Struct):
    """What the stages of one process share.

    `now_ms` is the wall clock in a worker and event time in replay; nothing that is learned reads it.
    `topic_ids` maps public topics to Kafka's ids, so that a recreated topic is another topic;
    `public_marks` is False where nothing can append a public record twice (files).
    `tells_histories` is False where no other process answers (files).
    `pseudonyms` replaces ids of people, if there is a key; `audit` takes a line about each erasure, which
    names nobody. `quality` compares lists with what is done next.
    """

    settings: Settings
    outbox: Outbox
    views: StageViews
    metrics: Metrics
    now_ms: Callable[[], int]
    topic_ids: dict[str, str] = {}
    public_marks: bool = True
    pseudonyms: Pseudonyms = Pseudonyms()
    audit: Callable[[str], None] | None = None
    quality: LiveQuality = msgspec.field(default_factory=LiveQuality)
    tells_histories: bool = True

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has."""
        return partitions_of(TOPIC_BY_NAME[topic], self.settings.kafka.partitions)


class StagePartition(Protocol):
    """One stage in one partition of its source."""

    stage: str
    progress: ProgressRow

    def apply(self, record: Record) -> None: ...

    def end_batch(self) -> None: ...

    def work(self, *, idle: bool, drain: bool = False) -> bool: ...

    def freeze(self) -> Frozen | None: ...


class KeptPartition(ABC):
    """A stage that keeps state: progress and rows are cut together.

    Parameters
    ----------
    stage : str
        Name in the topology.
    partition : int
        Partition of the stage's source topic.
    database : RocksDatabase
        Its rows and progress.
    context : StageContext
        What the process shares.
    """

    def __init__(self, stage: str, partition: int, database: RocksDatabase, context: StageContext) -> None:
        self.stage, self.partition = stage, partition
        self.source = STAGE_BY_NAME[stage].reads[0]
        self.database, self.context = database, context
        self.progress = database.progress()
        meta = database.meta()
        self.epoch = meta.epoch if meta else 0
        self._least_epochs = meta.least_epochs if meta else {}

    @abstractmethod
    def apply(self, record: Record) -> None:
        """Learn one record of the source; its outputs are sealed by `end_batch` at the latest."""

    def end_batch(self) -> None:  # noqa: B027  # most stages emit no packets
        """Seal what the batch emitted."""

    def work(self, *, idle: bool, drain: bool = False) -> bool:  # noqa: ARG002  # most stages publish nothing
        """Do one piece of what is due; True when more is due at once.

        `idle` says that no input waits, so that stale rows may be looked for; `drain` that nothing has to
        wait for its interval.
        """
        return False

    def freeze(self) -> Frozen:
        """Cut rows and progress, in one synchronous step."""
        return self.database.freeze(self.progress)

    def admit(self, packet: Packet[Any]) -> bool:
        """Whether a packet may be applied: not a repetition as a whole, and no gap before it.

        Of a source that began anew only the newer epoch is learned. A store that began anew takes the first
        range that it sees of a source as the one to go on from: what was before is not in the log any more.

        Raises
        ------
        GapError
            Records between the last applied and this packet are missing.
        EpochError
            The source began anew, this store did not: it would count everything twice.
        """
        source = f"{packet.source_topic}/{packet.source_partition}"
        if packet.epoch < self._least_epochs.get(source, 0):
            return False
        known = self.progress.applied.get(source)
        if known is None:
            mark = packet.after if self.epoch else BEFORE_ALL
        else:
            epoch, mark = known
            if packet.epoch > epoch:
                raise EpochError(
                    f"stage {self.stage}, partition {self.partition}: {source} began anew with epoch "
                    f"{packet.epoch}, but this store counts what epoch {epoch} sent. "
                    f"Run `freshrec reset {self.stage}`, or reset the stage that reads {packet.source_topic}"
                )
            if packet.epoch < epoch or packet.upto <= mark:
                return False
        if packet.after > mark:
            self.context.metrics.gaps.inc()
            raise GapError(
                f"stage {self.stage}, partition {self.partition}: {source} jumps from {mark} to "
                f"{packet.after}; what lies between is lost to this stage. Check retention of its source, "
                f"then begin anew with what is there: `freshrec reset {self.stage}`"
            )
        return True

    def mark_of(self, packet: Packet[Any]) -> Position:
        """Position up to which the source of an admitted packet was applied."""
        source = f"{packet.source_topic}/{packet.source_partition}"
        known = self.progress.applied.get(source)
        return BEFORE_ALL if known is None else known[1]

    def applied(self, packet: Packet[Any]) -> None:
        """Note that the packet is part of the state."""
        source = f"{packet.source_topic}/{packet.source_partition}"
        self.progress.applied[source] = (packet.epoch, packet.upto)
