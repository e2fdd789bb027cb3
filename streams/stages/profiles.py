"""The profiles stage: facts in; lessons about needs and each customer's profile out.

What is learned depends on the facts alone; a profile is concluded from them, the needs of all customers and
the clustering as they are known when it is published, at most once per interval and customer. A sweep
publishes what a crash, or too long a queue, left behind.
"""

from typing import Final

import msgspec

from online_models.profile_answers import profile_of
from online_models.profiles import ProfilesStep
from schemas.messages import Fact, Packet
from schemas.profiles import KINDS, NeedLesson, ProfileRow
from schemas.state import PublishedRow
from streams.outbox import Outgoing, Record
from streams.packing import EntryPacker, PacketSealer
from streams.partitioning import partition_of
from streams.rocks_store import RocksDatabase
from streams.small_groups import told_profile
from streams.stages.due import DueQueue
from streams.stages.partition import KeptPartition, StageContext
from streams.stages.sweep import Sweep

MOST_WAITING: Final = 100_000
"""Customers that wait to be published; those after them are found by the sweep."""

TOPIC: Final = "customer-profiles"
_TOLD: Final = frozenset({*KINDS, "customer"})
"""Kinds of facts that change a profile."""

_json = msgspec.json.Encoder().encode


class ProfilesPartition(KeptPartition):
    """Profiles of the customers of one partition.

    Parameters
    ----------
    partition, database, context :
        As for every stage.
    """

    def __init__(self, partition: int, database: RocksDatabase, context: StageContext) -> None:
        super().__init__("profiles", partition, database, context)
        self._settings = context.settings.profiles
        self._interval = self._settings.publish_interval_s * 1000
        self.rows = database.table("p", ProfileRow)
        self._published = database.table("~", PublishedRow)
        self._step = ProfilesStep(self.rows, context.settings)
        self._decode = msgspec.msgpack.Decoder(Packet[Fact]).decode
        sealer = PacketSealer("need-lessons", "facts", partition, self.epoch, self.progress.sent)
        self._lessons: EntryPacker[NeedLesson] = EntryPacker(context.partitions("need-lessons"), sealer)
        self._upto = (-1, -1)
        self._due, self._waiting = DueQueue(), 0
        self._sweep = Sweep(database, "p", rows_per_s=self._settings.sweep_rows_per_s)
        # What a predecessor learned may not have been published.
        self._missed = True

    def apply(self, record: Record) -> None:
        """Learn the facts of one packet that were not applied before; switched off, pass over them."""
        packet = self._decode(record.value or b"")
        if self.admit(packet):
            mark = self.mark_of(packet)
            for ordinal, (position, fact) in enumerate(zip(packet.positions, packet.entries, strict=True)):
                if position > mark and self._settings.enabled:
                    self._upto = (record.offset, ordinal)
                    self._learn(fact)
            self.applied(packet)
        self.progress.next_offset = record.offset + 1

    def _learn(self, fact: Fact) -> None:
        if fact.kind == "erasure":
            self._withdraw(fact.key)
        for lesson in self._step.learn_one(fact):
            self._lessons.add(self._upto, "", lesson)
        if fact.kind in _TOLD and fact.key.startswith("u:") and fact.key not in self._due:
            self._note(fact.key)

    def _note(self, key: str) -> None:
        """Let a customer be published once the interval is over, together with what they do until then."""
        if self._waiting >= MOST_WAITING:
            self._missed = True
            return
        self._due.add(key, self.context.now_ms() + self._interval)
        self._waiting += 1

    def end_batch(self) -> None:
        """Seal the lessons of the batch."""
        for sealed in self._lessons.seal(self._upto):
            self.context.outbox.put(Outgoing("need-lessons", sealed.partition, None, sealed.value))

    def work(self, *, idle: bool, drain: bool = False) -> bool:
        """Publish one profile that is due; when idle, look at a few customers of the sweep."""
        now = self.context.now_ms()
        key = self._due.take(now=now, at_once=drain)
        if key is not None:
            self._waiting -= 1
            self._publish(key, now)
            return True
        return self._look_for_stale(now, drain=drain) if idle else False

    def _look_for_stale(self, now: int, *, drain: bool) -> bool:
        if not self._sweep.running:
            if not self._missed:
                return False
            self._missed = False
            self._sweep.start()
            for key in self.rows.dirty_keys():
                self._publish(key, now)
        keys = self._sweep.take(now, at_once=drain)
        for key in keys:
            if key not in self._due:
                self._publish(key, now)
        return bool(keys)

    def _publish(self, key: str, now: int) -> None:
        row, known = self.rows.get(key), self._published.get(key)
        if row is None or (known is not None and known.updates == row.changes):
            return
        user, views = key.partition(":")[2], self.context.views
        centroids = views.centroids()
        horizon_s = self._settings.horizon_s
        profile = profile_of(
            user, row, views.needs(), centroids, views.density(), now=now, horizon_s=horizon_s
        )
        least = self.context.settings.privacy.min_customers
        self._published.put(key, PublishedRow(row.changes))
        self._put(user, _json(told_profile(profile, centroids, least)))
        self.context.metrics.published_rows.labels(view=TOPIC).inc()

    def _withdraw(self, key: str) -> None:
        self._published.delete(key)
        self._put(key.partition(":")[2], None)

    def _put(self, user: str, value: bytes | None) -> None:
        partition = partition_of(user, self.context.partitions(TOPIC))
        self.context.outbox.put(Outgoing(TOPIC, partition, user.encode(), value))
