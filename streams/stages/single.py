"""What stages of global models share: one partition, entries in, what was learned out now and then."""

from abc import abstractmethod
from typing import Any

import msgspec

from schemas.messages import Packet
from streams.outbox import Record, Version
from streams.rocks_store import RocksDatabase
from streams.stages.partition import KeptPartition, StageContext


class SinglePartition(KeptPartition):
    """A stage whose source has one partition; entries are learned one by one.

    Parameters
    ----------
    stage, partition, database, context :
        As for every stage.
    packet : type
        Packet of the entries.
    interval_ms : int
        What was learned is published at most so often; 0: always.
    """

    def __init__(
        self,
        stage: str,
        partition: int,
        database: RocksDatabase,
        context: StageContext,
        packet: type[Packet[Any]],
        *,
        interval_ms: int,
    ) -> None:
        super().__init__(stage, partition, database, context)
        self._decode = msgspec.msgpack.Decoder(packet).decode
        self._interval = interval_ms
        # What a predecessor learned may not have been published.
        self._changed = True
        self._last: int | None = None

    @abstractmethod
    def learn(self, entry: Any) -> None:
        """Learn an entry."""

    @abstractmethod
    def publish(self, version: Version) -> None:
        """Put what was learned into the outbox, if there is something."""

    def apply(self, record: Record) -> None:
        """Learn the entries of one packet that were not applied before."""
        packet = self._decode(record.value or b"")
        if self.admit(packet):
            mark = self.mark_of(packet)
            for position, entry in zip(packet.positions, packet.entries, strict=True):
                if position > mark:
                    self.learn(entry)
                    self._changed = True
            self.applied(packet)
        self.progress.next_offset = record.offset + 1

    def work(self, *, idle: bool, drain: bool = False) -> bool:  # noqa: ARG002  # idle or not is the same here
        """Publish what was learned when it changed, at most once per interval."""
        now = self.context.now_ms()
        if self._changed and (drain or self._last is None or now >= self._last + self._interval):
            self._changed, self._last = False, now
            self.publish((self.epoch, self.partition, self.progress.next_offset))
        return False
