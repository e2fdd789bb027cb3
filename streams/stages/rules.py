"""The rules stage: item deltas in; item counts, neighbours and association rules out.

Counts only; measures need n of the partner and N, which live elsewhere and are followed, so they are
computed when a row is published. A row is published when it visibly changed; once nothing else is to
do, a sweep publishes what is stale, so that the last message of each item equals a batch recount.
"""

from hashlib import blake2b

import msgspec

from online_models import publishing
from online_models.publishing import ItemPublisher
from online_models.rules import RulesStep
from schemas.messages import ItemDeltas, Packet
from schemas.state import PublishedRow, RuleRow
from streams.outbox import Outgoing, Record
from streams.partitioning import partition_of
from streams.rocks_store import RocksDatabase
from streams.stages.due import DueQueue, still_waiting
from streams.stages.partition import KeptPartition, StageContext
from streams.stages.sweep import Sweep

_json = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode


class RulesPartition(KeptPartition):
    """Counts of the items of one partition and of their pairs.

    Parameters
    ----------
    partition, database, context :
        As for every stage.
    """

    def __init__(self, partition: int, database: RocksDatabase, context: StageContext) -> None:
        super().__init__("rules", partition, database, context)
        self.rows = database.table("r", RuleRow)
        self._published = database.table("~", PublishedRow)
        self._step = RulesStep(self.rows, database.table("n", str), context.settings)
        self._decode = msgspec.msgpack.Decoder(Packet[ItemDeltas]).decode
        self._settings = context.settings.rules
        self._growth = self._settings.republish_growth
        self._interval = self._settings.republish_interval_ms
        self._due = DueQueue()
        self._last: dict[str, int] = {}
        self._sweep = Sweep(database, "r", rows_per_s=self._settings.sweep_rows_per_s)
        # Rows that a predecessor dropped and had not taken back are not among those of the other sweep.
        self._orphans = Sweep(database, "~", rows_per_s=self._settings.sweep_rows_per_s)
        self._orphans.start()
        self._swept_changes = -1
        self._stale = True

    def apply(self, record: Record) -> None:
        """Learn one packet of deltas, unless it was applied before."""
        packet = self._decode(record.value or b"")
        if self.admit(packet):
            changed: dict[str, RuleRow] = {}
            for deltas in packet.entries:
                changed |= self._step.learn_many(deltas, self.mark_of(packet))
            self.applied(packet)
            self._note(changed)
        self.progress.next_offset = record.offset + 1

    def work(self, *, idle: bool, drain: bool = False) -> bool:
        """Publish one row that is due; when idle, look at a few rows of the sweep."""
        now = self.context.now_ms()
        item = self._due.take(now=now, at_once=drain)
        if item is not None:
            self._publish(item, now)
            return True
        return self._look_for_stale(now, drain=drain) if idle else False

    def _note(self, changed: dict[str, RuleRow]) -> None:
        """Mark rows for publishing that grew by the stated share since they were last published."""
        now, due, published, growth = self.context.now_ms(), self._due, self._published, self._growth
        for item in sorted(item for item in changed if item not in due):
            known = published.get(item)
            before = known.updates if known else 0
            if changed[item].updates - before > growth * before or self.rows.get(item) is None:
                due.add_after(item, self._last, interval=self._interval, now=now)
        self._stale = True
        self._last = still_waiting(self._last, interval=self._interval, now=now)

    def _publish(self, item: str, now: int) -> bool:
        """Publish what changed of an item; False when all is as last published."""
        row = self.rows.get(item)
        if row is None:
            return self._withdraw(item)
        views, rules = self.context.views, self._settings
        made = ItemPublisher(item, row, views.counts_of, views.totals(), self.context.settings)
        best = made.neighbours(similar=rules.neighbour_similar, rules=rules.neighbour_rules)
        messages = {"item-counts": _pack(publishing.counts(item, row)), "neighbours": _pack(best)}
        for each in made.association_rules():
            messages[f"association-rules {each.scope}"] = _json(each)
        known = self._published.get(item) or PublishedRow()
        for name in known.digests.keys() - messages.keys():
            # What was published of a scope does not hold any more.
            messages[name] = _json(made.no_rules(name.partition(" ")[2]))
        digests = {name: blake2b(value, digest_size=8).digest() for name, value in messages.items()}
        for name, value in messages.items():
            if known.digests.get(name) != digests[name]:
                self._send(item, name.partition(" ")[0], value)
        self._last[item] = now
        if known.digests == digests and known.updates == row.updates:
            return False
        changed = known.digests != digests
        self._published.put(item, PublishedRow(row.updates, digests))
        return changed

    def _withdraw(self, item: str) -> bool:
        """Take back all that was published of an item without counts; False when there is nothing."""
        known = self._published.get(item)
        if known is None:
            return False
        for topic in sorted({name.partition(" ")[0] for name in known.digests}):
            self._send(item, topic, None)
        self._published.delete(item)
        return True

    def _send(self, item: str, topic: str, value: bytes | None) -> None:
        version = (self.epoch, self.partition, self.progress.next_offset)
        partition = partition_of(item, self.context.partitions(topic))
        self.context.outbox.put(Outgoing(topic, partition, item.encode(), value, version))
        self.context.metrics.published_rows.labels(view=topic).inc()

    def _look_for_stale(self, now: int, *, drain: bool) -> bool:
        """Look at the next rows; a pass that found nothing, while nothing arrived, is the last one."""
        orphans = self._orphans.take(now, at_once=drain)
        for item in orphans:
            if self.rows.get(item) is None:
                self._withdraw(item)
        if orphans:
            return True
        changes = self.context.views.changes
        if not self._sweep.running:
            if not self._stale and changes == self._swept_changes:
                return False
            self._stale, self._swept_changes = False, changes
            self._sweep.start()
            for item in self.rows.dirty_keys():
                self._stale |= self._publish(item, now)
        keys = self._sweep.take(now, at_once=drain)
        for item in keys:
            self._stale |= self._publish(item, now)
        return bool(keys) or (drain and self._stale)
