"""The outcomes stage: facts in; what came of sessions out, for the trees."""

import msgspec

from online_models.outcomes import OutcomesStep
from schemas.messages import Fact, Packet
from schemas.trees import OpenVisits, Outcome, VisitRow
from streams.outbox import Outgoing, Record
from streams.packing import EntryPacker, PacketSealer
from streams.rocks_store import RocksDatabase
from streams.stages.partition import KeptPartition, StageContext


class OutcomesPartition(KeptPartition):
    """Open sessions of the customers of one partition.

    Parameters
    ----------
    partition, database, context :
        As for every stage.
    """

    def __init__(self, partition: int, database: RocksDatabase, context: StageContext) -> None:
        super().__init__("outcomes", partition, database, context)
        opened = database.table("o", OpenVisits)
        self.step = OutcomesStep(database.table("v", VisitRow), opened, context.settings)
        self._decode = msgspec.msgpack.Decoder(Packet[Fact]).decode
        sealer = PacketSealer("outcomes", "facts", partition, self.epoch, self.progress.sent)
        self._outcomes: EntryPacker[Outcome] = EntryPacker(context.partitions("outcomes"), sealer)
        self._upto = (-1, -1)

    def apply(self, record: Record) -> None:
        """Learn the facts of one packet that were not applied before."""
        packet = self._decode(record.value or b"")
        if self.admit(packet):
            mark = self.mark_of(packet)
            for ordinal, (position, fact) in enumerate(zip(packet.positions, packet.entries, strict=True)):
                if position > mark:
                    self._upto = (record.offset, ordinal)
                    for outcome in self.step.learn_one(fact):
                        self._outcomes.add(self._upto, "", outcome)
            self.applied(packet)
        self.progress.next_offset = record.offset + 1

    def end_batch(self) -> None:
        """Seal the outcomes of the batch."""
        for sealed in self._outcomes.seal(self._upto):
            self.context.outbox.put(Outgoing("outcomes", sealed.partition, None, sealed.value))
