"""The ranker stage: lessons of all customers in, the weights of the ranker out."""

import msgspec

from online_models.ranker_step import KEY, RankerStep
from schemas.messages import Lesson, Packet
from schemas.state import RankerRow
from streams.outbox import Outgoing, Record
from streams.rocks_store import RocksDatabase
from streams.stages.partition import KeptPartition, StageContext

_pack = msgspec.msgpack.Encoder().encode


class RankerPartition(KeptPartition):
    """The one ranker; its source has one partition.

    Parameters
    ----------
    partition, database, context :
        As for every stage.
    """

    def __init__(self, partition: int, database: RocksDatabase, context: StageContext) -> None:
        super().__init__("ranker", partition, database, context)
        self.step = RankerStep(database.table("w", RankerRow))
        self._decode = msgspec.msgpack.Decoder(Packet[Lesson]).decode
        self._interval = context.settings.ranker.publish_interval_ms
        # What a predecessor learned may not have been published.
        self._changed = True
        self._last: int | None = None

    def apply(self, record: Record) -> None:
        """Learn the lessons of one packet that were not applied before."""
        packet = self._decode(record.value or b"")
        if self.admit(packet):
            mark = self.mark_of(packet)
            for position, lesson in zip(packet.positions, packet.entries, strict=True):
                if position > mark:
                    self.step.learn_one(lesson)
                    self._changed = True
            self.applied(packet)
        self.progress.next_offset = record.offset + 1

    def work(self, *, idle: bool, drain: bool = False) -> bool:  # noqa: ARG002  # idle or not is the same here
        """Publish the weights when they changed, at most once per interval."""
        now = self.context.now_ms()
        if not self._changed or not (drain or self._last is None or now >= self._last + self._interval):
            return False
        self._changed, self._last = False, now
        weights = self.step.weights()
        if weights is None:
            return False
        version = (self.epoch, self.partition, self.progress.next_offset)
        self.context.outbox.put(Outgoing("ranker", 0, KEY.encode(), _pack(weights), version))
        self.context.metrics.published_rows.labels(view="ranker").inc()
        return False
