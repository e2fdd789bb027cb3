"""The density stage: samples of all customers in, their groups by density out."""

import msgspec

from online_models.density import KEY, DensityStep
from schemas.density import DensityRow
from schemas.messages import Packet, Sample
from streams.outbox import Outgoing, Version
from streams.rocks_store import RocksDatabase
from streams.stages.partition import StageContext
from streams.stages.single import SinglePartition

_pack = msgspec.msgpack.Encoder().encode


class DensityPartition(SinglePartition):
    """The one clustering by density; its source has one partition.

    Parameters
    ----------
    partition, database, context :
        As for every stage.
    """

    def __init__(self, partition: int, database: RocksDatabase, context: StageContext) -> None:
        interval_ms = context.settings.segments.publish_interval_ms
        super().__init__("density", partition, database, context, Packet[Sample], interval_ms=interval_ms)
        self.step = DensityStep(database.table("d", DensityRow), context.settings)
        self._enabled = context.settings.density.enabled

    def learn(self, entry: Sample) -> None:
        """Learn a sample; where it is switched off, pass over it."""
        if self._enabled:
            self.step.learn_one(entry)

    def publish(self, version: Version) -> None:
        """Publish the groups, once there are enough samples."""
        groups = self.step.groups()
        if groups is not None:
            self.context.outbox.put(Outgoing("density", 0, KEY.encode(), _pack(groups), version))
            self.context.metrics.published_rows.labels(view="density").inc()
            self.context.metrics.density_groups.set(len(groups.shares))
