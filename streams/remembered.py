"""The newest sessions of all customers, which a process holds in memory and saves for its next start.

They are learned from `facts`, in the order of each partition; a packet that comes again changes nothing.
"""

from collections import Counter
from pathlib import Path
from typing import Final

import msgspec

from online_models.session_index import SessionIndex
from schemas.messages import BEFORE_ALL, Fact, Packet, Position
from schemas.settings import Settings
from schemas.state import SavedSessions
from streams.whole_files import replace_file

FACTS: Final = "facts"
FILE: Final = "sessions"
_VERSION: Final = 1
_decode = msgspec.msgpack.Decoder(Packet[Fact]).decode
_decode_saved = msgspec.msgpack.Decoder(SavedSessions).decode
_encode = msgspec.msgpack.Encoder().encode


class RememberedSessions:
    """A session index that follows `facts`, and its file.

    Parameters
    ----------
    path : Path
        Where it is saved; what is there is taken over.
    settings : Settings
        `sessions`, and when a session ends.
    topic_id : str or None
        Kafka's id of the topic: what was saved of another one is left alone; None takes over any.

    Attributes
    ----------
    index : SessionIndex
        What models read.
    offsets : dict of int to int
        Next record of each partition.
    learned : Counter of str
        How many facts of each kind have been learned since the start.
    """

    def __init__(self, path: Path, settings: Settings, *, topic_id: str | None = FACTS) -> None:
        self._path, self._topic_id = path, topic_id or FACTS
        self._held, self._gap_ms = settings.sessions.held, settings.history.session_gap_s * 1000
        self.index = self._fresh()
        self.offsets: dict[int, int] = {}
        self._marks: dict[int, tuple[int, Position]] = {}
        saved = read(path)
        same = saved is not None and topic_id in (None, saved.topic_id)
        if saved is not None and same and self.index.restore(saved.rows):
            self.offsets, self._marks = saved.offsets, saved.marks
        self.changed = False
        self.learned: Counter[str] = Counter()

    def _fresh(self) -> SessionIndex:
        return SessionIndex(sessions=self._held, gap_ms=self._gap_ms)

    def restart(self) -> None:
        """Forget everything: the topic is not what it was."""
        self.index, self.offsets, self._marks, self.changed = self._fresh(), {}, {}, True

    def first(self, beginning: int, end: int, partition: int, partitions: int) -> int:
        """Return the offset at which to read a partition: where it stopped, or where enough is left."""
        known = self.offsets.get(partition)
        if known is not None:
            return max(beginning, known)
        return max(beginning, end - self._held // partitions - 1)

    def learn(self, partition: int, offset: int, value: bytes | None) -> None:
        """Learn a record: what of it was not learned before."""
        packet = _decode(value or b"")
        source = packet.source_partition
        epoch, mark = self._marks.get(source, (packet.epoch, BEFORE_ALL))
        if packet.epoch >= epoch:
            if packet.epoch > epoch:
                mark = BEFORE_ALL
            for position, fact in zip(packet.positions, packet.entries, strict=True):
                if position > mark:
                    self.index.learn_fact(fact)
                    self.learned[fact.kind] += 1
            self._marks[source] = (packet.epoch, max(mark, packet.upto))
        self.offsets[partition] = offset + 1
        self.changed = True

    def frozen(self) -> SavedSessions:
        """Return a copy of all as of now, to be written by `save`."""
        self.changed = False
        return SavedSessions(
            _VERSION, self._topic_id, dict(self.offsets), dict(self._marks), self.index.rows()
        )

    def save(self, frozen: SavedSessions) -> None:
        """Put a copy in the place of the one before, as a whole."""
        replace_file(self._path, _encode(frozen))


def read(path: Path) -> SavedSessions | None:
    """Return what was saved; None where nothing is, or what this version doesn't read."""
    try:
        saved = _decode_saved(path.read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None
    return saved if saved.version == _VERSION else None
