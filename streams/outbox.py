"""Where stages put what leaves them; the worker's goes to Kafka, replay's to memory.

Delivery: in order per partition; what was put before a cut is acknowledged before that cut is written.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

Version = tuple[int, int, int]
"""(epoch, source partition, offset) of a followed row; a reader ignores an older one."""


class Outgoing(NamedTuple):
    """One record on its way: topic without prefix, explicit partition, key, value, version of a row."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    version: Version | None = None


class Outbox(Protocol):
    """Takes records; never blocks, never drops."""

    def put(self, record: Outgoing) -> None: ...


class Record(NamedTuple):
    """One consumed record; `sent_at` is its Kafka timestamp (epoch ms), None where there is none (files)."""

    offset: int
    sent_at: int | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()
