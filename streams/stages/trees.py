"""The trees stage: outcomes of sessions in, a tree for each task out; changes they notice are counted."""

import msgspec

from online_models.trees import TreesStep
from schemas.messages import Packet
from schemas.trees import LeafRow, Outcome, TreesRow
from streams.outbox import Outgoing, Version
from streams.rocks_store import RocksDatabase
from streams.stages.partition import StageContext
from streams.stages.single import SinglePartition

_json = msgspec.json.Encoder().encode


class TreesPartition(SinglePartition):
    """The trees of all tasks; their source has one partition.

    Parameters
    ----------
    partition, database, context :
        As for every stage.
    """

    def __init__(self, partition: int, database: RocksDatabase, context: StageContext) -> None:
        settings = context.settings
        interval_ms = settings.trees.publish_interval_ms
        super().__init__("trees", partition, database, context, Packet[Outcome], interval_ms=interval_ms)
        self.step = TreesStep(database.table("t", TreesRow), database.table("l", LeafRow), settings)

    def learn(self, entry: Outcome) -> None:
        for drift in self.step.learn_one(entry):
            self.context.metrics.drifts.labels(series=drift.task).inc()

    def publish(self, version: Version) -> None:
        """Publish the trees."""
        for tree in self.step.published():
            self.context.outbox.put(Outgoing("trees", 0, tree.task.encode(), _json(tree), version))
            self.context.metrics.drift_error.labels(series=tree.task).set(tree.error)
            self.context.metrics.drift_last_at.labels(series=tree.task).set(tree.drifted_at / 1000)
