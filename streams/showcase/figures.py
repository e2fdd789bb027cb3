"""What the demonstration counts: lists, latencies, hits against popularity, refused records."""

from collections import Counter
from time import perf_counter

import msgspec
import numpy as np
from rich.table import Table

from online_models.metrics import PrequentialHits
from online_models.worlds import Emitted
from schemas.recommendations import Recommendation

K = 10
_ACTIONS = frozenset({"browses", "purchases", "ratings"})


class Figures:
    """Follows what is sent and what comes back.

    Lists are compared with what their customers do next, and with the most popular items that the
    customer has not bought.
    """

    def __init__(self) -> None:
        self.sent = self.lists = 0
        self.rejected: Counter[str] = Counter()
        self.newest: dict[str, Recommendation] = {}
        self._sent_at: dict[str, float] = {}
        self._latencies_ms: list[float] = []
        self._popular: Counter[str] = Counter()
        self._bought: dict[str, set[str]] = {}
        self._hits = PrequentialHits(K)

    def note_sent(self, message: Emitted) -> None:
        """Take a message that is about to be sent."""
        self.sent += 1
        if message.topic not in _ACTIONS:
            return
        try:
            event = msgspec.json.decode(message.value)
            customer = event.get("user_id") or event["session_id"]
            items = [event["item_id"]] if "item_id" in event else [line["item_id"] for line in event["lines"]]
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
            return
        if not isinstance(customer, str) or not all(isinstance(item, str) for item in items):
            return
        self._sent_at[str(event.get("event_id"))] = perf_counter()
        self._hits.learn(customer, items)
        self._popular.update(items)
        if message.topic != "browses":
            self._bought.setdefault(customer, set()).update(items)

    def note_list(self, message: Recommendation) -> None:
        """Take a list that arrived."""
        self.lists += 1
        customer = message.user_id or message.session_id or ""
        self.newest[customer] = message
        had = self._bought.get(customer, set())
        popular = [item for item, _ in self._popular.most_common(K + len(had)) if item not in had]
        self._hits.give(customer, [item.item_id for item in message.items], popular=popular)
        started = self._sent_at.get(message.caused_by[-1]) if message.caused_by else None
        if started is not None:
            self._latencies_ms.append((perf_counter() - started) * 1000)

    def table(self) -> Table:
        """The figures at the end."""
        table = Table(show_header=False, title="figures")
        p50, p95, p99 = np.percentile(np.array(self._latencies_ms or [0.0]), [50, 95, 99])
        refused = ", ".join(f"{reason} {count}" for reason, count in sorted(self.rejected.items())) or "none"
        table.add_row("messages in", f"{self.sent:,}")
        table.add_row("recommendations out", f"{self.lists:,}")
        table.add_row("event to recommendation, p50 / p95 / p99", f"{p50:.0f} / {p95:.0f} / {p99:.0f} ms")
        table.add_row("rejected", f"{self.rejected.total():,} ({refused})")
        table.add_row(f"hit rate of the lists at {K}", f"{self._hits.hit_rate:.3f}")
        table.add_row(f"hit rate of popularity at {K}", f"{self._hits.popular_hit_rate:.3f}")
        table.add_row("compared on", f"{self._hits.queries:,} events")
        return table
