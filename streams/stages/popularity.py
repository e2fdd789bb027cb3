"""The popularity stage: item deltas in, the leading items of each scope out."""

import msgspec

from online_models.popularity import PopularityStep
from schemas.messages import ItemTouches, Packet
from schemas.state import PopularityRow, PublishedRow
from streams.outbox import Outgoing, Record
from streams.partitioning import partition_of
from streams.rocks_store import RocksDatabase
from streams.stages.due import DueQueue, still_waiting
from streams.stages.partition import KeptPartition, StageContext

_pack = msgspec.msgpack.Encoder().encode


class PopularityPartition(KeptPartition):
    """Decayed popularity of the items of one partition, overall and per category.

    Parameters
    ----------
    partition, database, context :
        As for every stage.
    """

    def __init__(self, partition: int, database: RocksDatabase, context: StageContext) -> None:
        super().__init__("popularity", partition, database, context)
        items, leaders = database.table("i", PopularityRow), database.table("l", PopularityRow)
        self.step = PopularityStep(items, leaders, context.settings)
        self._decode = msgspec.msgpack.Decoder(Packet[ItemTouches]).decode
        self._interval = context.settings.popularity.publish_interval_ms
        self._withdrawn = database.table("~", PublishedRow)
        # What a predecessor learned and had not published yet is not known: everything is, once more.
        self._due = DueQueue(key[1:].decode() for prefix in "l~" for key, _ in database.rows(prefix))
        self._last: dict[str, int] = {}

    def apply(self, record: Record) -> None:
        """Learn one packet of deltas, unless it was applied before."""
        packet = self._decode(record.value or b"")
        if self.admit(packet):
            changed: set[str] = set()
            for deltas in packet.entries:
                changed |= self.step.learn_many(deltas, self.mark_of(packet))
            self.applied(packet)
            now = self.context.now_ms()
            for scope in sorted(changed):
                if self.step.leaders.get(scope) is None:
                    self._withdrawn.put(scope, PublishedRow())
                self._due.add_after(scope, self._last, interval=self._interval, now=now)
        self.progress.next_offset = record.offset + 1

    def work(self, *, idle: bool, drain: bool = False) -> bool:  # noqa: ARG002  # idle or not is the same here
        """Publish the leaders of one scope that is due."""
        now = self.context.now_ms()
        scope = self._due.take(now=now, at_once=drain)
        if scope is None:
            return False
        self._last[scope] = now
        self._last = still_waiting(self._last, interval=self._interval, now=now)
        popular = self.step.popular(scope, self.partition)
        key = f"{self.partition}|{scope}"
        partition = partition_of(key, self.context.partitions("popular"))
        version = (self.epoch, self.partition, self.progress.next_offset)
        value = None if popular is None else _pack(popular)
        self.context.outbox.put(Outgoing("popular", partition, key.encode(), value, version))
        self.context.metrics.published_rows.labels(view="popular").inc()
        if self._withdrawn.get(scope) is not None:
            self._withdrawn.delete(scope)
        return True
