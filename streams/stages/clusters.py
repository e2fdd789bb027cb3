"""The clusters stage: samples of all customers in, the centres and the segments' profiles out."""

import msgspec

from online_models.clusters import ClustersStep
from schemas.clusters import ClusterRow
from schemas.messages import Packet, Sample
from streams.outbox import Outgoing, Version
from streams.rocks_store import RocksDatabase
from streams.small_groups import enough, without_small
from streams.stages.partition import StageContext
from streams.stages.single import SinglePartition

_json = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode


class ClustersPartition(SinglePartition):
    """The one clustering; its source has one partition.

    Parameters
    ----------
    partition, database, context :
        As for every stage.
    """

    def __init__(self, partition: int, database: RocksDatabase, context: StageContext) -> None:
        interval_ms = context.settings.segments.publish_interval_ms
        super().__init__("clusters", partition, database, context, Packet[Sample], interval_ms=interval_ms)
        self.step = ClustersStep(database.table("c", ClusterRow), context.settings)
        self._min_customers = context.settings.privacy.min_customers

    def learn(self, entry: Sample) -> None:
        self.step.learn_one(entry)

    def publish(self, version: Version) -> None:
        """Publish centres and profiles."""
        centroids = self.step.centroids()
        if centroids is None:
            return
        put = self.context.outbox.put
        told = without_small(centroids, self._min_customers)
        put(Outgoing("centroids", 0, b"centroids", _pack(told), version))
        for profile in self.step.profiles():
            # A segment that became too small takes back what was told of it.
            value = _json(profile) if enough(profile.size, self._min_customers) else None
            put(Outgoing("segment-profiles", 0, profile.segment.encode(), value, version))
        self.context.metrics.published_rows.labels(view="centroids").inc()
