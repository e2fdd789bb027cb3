"""Where the events go in a demo and the lists come from: one contract, with a broker or without.

Delivery is that of what stands behind it; what was sent and never answered shows in the counts.
"""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from online_models.worlds import Emitted
from schemas.settings import Settings

EVENT_TYPES = frozenset({"browse", "purchase", "rating", "impression"})
"""Types of what customers do; the others tell of items and customers."""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What the stages counted so far: events and catalogue messages, repetitions, processes started again."""

    accepted: int = 0
    rejected: int = 0
    catalogue: int = 0
    duplicates: int = 0
    restarts: int = 0


class Listener(Protocol):
    """Who is told of each list and each refusal, at the moment it comes (seconds of `perf_counter`)."""

    def received(self, value: bytes, now_s: float) -> None: ...

    def refused(self, value: bytes) -> None: ...


class House(Protocol):
    """The topology at work."""

    settings: Settings

    def connected(self, listener: Listener) -> AbstractAsyncContextManager[None]:
        """Be ready to send; the listener is told what comes out."""
        ...

    async def send(self, record: Emitted) -> None:
        """Send a record to its public topic."""
        ...

    async def counts(self) -> Counts:
        """What was counted so far."""
        ...

    def check(self) -> None:
        """Raise if a part of it has ended or failed."""
        ...


def counts_of(text: str) -> Counts:
    r"""Read the counts out of metrics in the Prometheus text format, over all processes.

    Examples
    --------
    >>> text = '# TYPE freshrec_events counter\nfreshrec_events_total{type="browse",result="accepted"} 3\n'
    >>> counts_of(text)
    Counts(accepted=3, rejected=0, catalogue=0, duplicates=0, restarts=0)
    """
    found = {"accepted": 0, "rejected": 0, "catalogue": 0, "duplicates": 0, "restarts": 0}
    names = {"freshrec_duplicates_total": "duplicates", "freshrec_child_restarts_total": "restarts"}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = names.get(sample.name)
            if sample.name == "freshrec_events_total":
                event = sample.labels["type"] in EVENT_TYPES
                name = sample.labels["result"] if event else "catalogue"
            if name in found:
                found[name] += int(sample.value)
    return Counts(**found)
