"""The ranker stage: lessons of all customers in, the weights of the ranker out."""

import msgspec

from online_models.ranker_step import KEY, RankerStep
from online_models.training_gap import TrainingGap
from schemas.messages import Lesson, Packet
from schemas.state import RankerRow
from streams.outbox import Outgoing, Version
from streams.rocks_store import RocksDatabase
from streams.stages.partition import StageContext
from streams.stages.single import SinglePartition

_pack = msgspec.msgpack.Encoder().encode


class RankerPartition(SinglePartition):
    """The one ranker; its source has one partition.

    Parameters
    ----------
    partition, database, context :
        As for every stage.
    """

    def __init__(self, partition: int, database: RocksDatabase, context: StageContext) -> None:
        interval_ms = context.settings.ranker.publish_interval_ms
        super().__init__("ranker", partition, database, context, Packet[Lesson], interval_ms=interval_ms)
        self.step = RankerStep(database.table("w", RankerRow))
        self._gap = TrainingGap(self.step)

    def learn(self, entry: Lesson) -> None:
        losses, metrics = self._gap.before(entry), self.context.metrics
        if losses is not None:
            metrics.ranker_losses_compared.inc()
            metrics.ranker_losses.labels(lesson="new").inc(losses.new)
            metrics.ranker_losses.labels(lesson="learned").inc(losses.learned)
        self.step.learn_one(entry)

    def publish(self, version: Version) -> None:
        """Publish the weights."""
        weights = self.step.weights()
        if weights is not None:
            self.context.outbox.put(Outgoing("ranker", 0, KEY.encode(), _pack(weights), version))
            self.context.metrics.published_rows.labels(view="ranker").inc()
