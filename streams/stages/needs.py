"""The needs stage: lessons about the needs of all customers in, what was learned of them out."""

import msgspec

from online_models.needs import KEY, NeedsStep
from schemas.messages import Packet
from schemas.profiles import NeedLesson, NeedsRow
from streams.outbox import Outgoing, Version
from streams.rocks_store import RocksDatabase
from streams.small_groups import without_few
from streams.stages.partition import StageContext
from streams.stages.single import SinglePartition

_pack = msgspec.msgpack.Encoder().encode


class NeedsPartition(SinglePartition):
    """The one model of needs; its source has one partition.

    Parameters
    ----------
    partition, database, context :
        As for every stage.
    """

    def __init__(self, partition: int, database: RocksDatabase, context: StageContext) -> None:
        interval_ms = context.settings.profiles.needs_interval_ms
        super().__init__("needs", partition, database, context, Packet[NeedLesson], interval_ms=interval_ms)
        self.step = NeedsStep(database.table("n", NeedsRow), context.settings)
        self._min_customers = context.settings.privacy.min_customers

    def learn(self, entry: NeedLesson) -> None:
        self.step.learn_one(entry)

    def publish(self, version: Version) -> None:
        """Publish what is known."""
        needs = self.step.needs()
        if needs is None:
            return
        told = _pack(without_few(needs, self._min_customers))
        self.context.outbox.put(Outgoing("needs", 0, KEY.encode(), told, version))
        metrics = self.context.metrics
        metrics.published_rows.labels(view="needs").inc()
        metrics.buying_answers.set(needs.answers)
        if needs.calibration_error >= 0:
            metrics.buying_calibration_error.set(needs.calibration_error)
