"""The clusters stage: samples of all customers in, the centres and the segments' profiles out."""

import msgspec

from online_models.clusters import ClustersStep
from schemas.clusters import ClusterRow
from schemas.messages import Packet, Sample
from streams.outbox import Outgoing, Record
from streams.rocks_store import RocksDatabase
from streams.small_groups import enough, without_small
from streams.stages.partition import KeptPartition, StageContext

_json = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode


class ClustersPartition(KeptPartition):
    """The one clustering; its source has one partition.

    Parameters
    ----------
    partition, database, context :
        As for every stage.
    """

    def __init__(self, partition: int, database: RocksDatabase, context: StageContext) -> None:
        super().__init__("clusters", partition, database, context)
        self.step = ClustersStep(database.table("c", ClusterRow), context.settings)
        self._decode = msgspec.msgpack.Decoder(Packet[Sample]).decode
        self._min_customers = context.settings.privacy.min_customers
        self._interval = context.settings.segments.publish_interval_ms
        # What a predecessor learned may not have been published.
        self._changed = True
        self._last: int | None = None

    def apply(self, record: Record) -> None:
        """Learn the samples of one packet that were not applied before."""
        packet = self._decode(record.value or b"")
        if self.admit(packet):
            mark = self.mark_of(packet)
            for position, sample in zip(packet.positions, packet.entries, strict=True):
                if position > mark:
                    self.step.learn_one(sample)
                    self._changed = True
            self.applied(packet)
        self.progress.next_offset = record.offset + 1

    def work(self, *, idle: bool, drain: bool = False) -> bool:  # noqa: ARG002  # idle or not is the same here
        """Publish centres and profiles when they changed, at most once per interval."""
        now = self.context.now_ms()
        if not self._changed or not (drain or self._last is None or now >= self._last + self._interval):
            return False
        self._changed, self._last = False, now
        centroids = self.step.centroids()
        if centroids is None:
            return False
        version = (self.epoch, self.partition, self.progress.next_offset)
        put = self.context.outbox.put
        told = without_small(centroids, self._min_customers)
        put(Outgoing("centroids", 0, b"centroids", _pack(told), version))
        for profile in self.step.profiles():
            # A segment that became too small takes back what was told of it.
            value = _json(profile) if enough(profile.size, self._min_customers) else None
            put(Outgoing("segment-profiles", 0, profile.segment.encode(), value, version))
        self.context.metrics.published_rows.labels(view="centroids").inc()
        return False
