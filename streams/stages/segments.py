"""The segments stage: facts in; samples for the clustering and each customer's segment out.

What is learned depends on the facts alone; the segment is assigned against the centres that are known
when it is published. Once nothing else is to do, a sweep publishes the segments of customers whom centres
that moved, or a crash, left behind.
"""

from collections import OrderedDict

import msgspec

from online_models.kmeans import assign
from online_models.segments import SegmentsStep
from schemas.messages import Centroids, Fact, Packet, Sample
from schemas.recommendations import Segment
from schemas.state import SegmentRow
from streams.outbox import Outgoing, Record
from streams.packing import EntryPacker, PacketSealer
from streams.partitioning import partition_of
from streams.rocks_store import RocksDatabase
from streams.stages.partition import KeptPartition, StageContext
from streams.stages.sweep import Sweep

_json = msgspec.json.Encoder().encode


class SegmentsPartition(KeptPartition):
    """Newest features of the customers of one partition.

    Parameters
    ----------
    partition, database, context :
        As for every stage.
    """

    def __init__(self, partition: int, database: RocksDatabase, context: StageContext) -> None:
        super().__init__("segments", partition, database, context)
        self.rows = database.table("s", SegmentRow)
        self._published = database.table("~", str)
        self._step = SegmentsStep(self.rows)
        self._decode = msgspec.msgpack.Decoder(Packet[Fact]).decode
        sealer = PacketSealer("samples", "facts", partition, self.epoch, self.progress.sent)
        self._samples: EntryPacker[Sample] = EntryPacker(context.partitions("samples"), sealer)
        self._due: OrderedDict[str, int] = OrderedDict()
        self._upto = (-1, -1)
        self._sweep = Sweep(database, "s", rows_per_s=context.settings.segments.sweep_rows_per_s)
        self._swept_version = ""

    def apply(self, record: Record) -> None:
        """Learn the facts of one packet that were not applied before."""
        packet = self._decode(record.value or b"")
        if self.admit(packet):
            mark = self.mark_of(packet)
            for ordinal, (position, fact) in enumerate(zip(packet.positions, packet.entries, strict=True)):
                if position > mark:
                    self._upto = (record.offset, ordinal)
                    if fact.kind == "erasure":
                        self._withdraw(fact.key)
                    for sample in self._step.learn_one(fact):
                        self._samples.add(self._upto, "", sample)
                        self._due[fact.key] = fact.at
            self.applied(packet)
        self.progress.next_offset = record.offset + 1

    def end_batch(self) -> None:
        """Seal the samples of the batch."""
        for sealed in self._samples.seal(self._upto):
            self.context.outbox.put(Outgoing("samples", sealed.partition, None, sealed.value))

    def work(self, *, idle: bool, drain: bool = False) -> bool:
        """Publish one customer's segment if it changed; when idle, look at a few that had no event."""
        centroids = self.context.views.centroids()
        if centroids is None:
            # The sweep finds them all once there are centres.
            self._due.clear()
            return False
        if self._due:
            key, at = self._due.popitem(last=False)
            self._publish(key, at, centroids)
            return True
        return self._look_for_stale(centroids, drain=drain) if idle else False

    def _look_for_stale(self, centroids: Centroids, *, drain: bool) -> bool:
        """Look at the next customers; other centres begin another pass once this one has ended."""
        if not self._sweep.running and centroids.version != self._swept_version:
            self._swept_version = centroids.version
            self._sweep.start()
            for key in self.rows.dirty_keys():
                self._publish(key, None, centroids)
        keys = self._sweep.take(self.context.now_ms(), at_once=drain)
        for key in keys:
            self._publish(key, None, centroids)
        return bool(keys)

    def _publish(self, key: str, at: int | None, centroids: Centroids) -> None:
        row = self.rows.get(key)
        assigned = assign(centroids, row.features) if row and row.features else None
        if row is None or assigned is None:
            return
        known = self._published.get(key)
        if known is not None:
            self.context.metrics.segments_compared.inc()
        if known == assigned[0]:
            self.context.metrics.segments_kept.inc()
            return
        self._published.put(key, assigned[0])
        user = key.partition(":")[2]
        self._put(
            user, _json(Segment(user, assigned[0], round(assigned[1], 6), row.at if at is None else at))
        )

    def _withdraw(self, key: str) -> None:
        self._due.pop(key, None)
        self._published.delete(key)
        self._put(key.partition(":")[2], None)

    def _put(self, user: str, value: bytes | None) -> None:
        partition = partition_of(user, self.context.partitions("segments"))
        self.context.outbox.put(Outgoing("segments", partition, user.encode(), value))
