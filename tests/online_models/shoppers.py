"""Events made by hand, a history step to learn them, and what its deltas add up to."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from online_models.deltas import Delta
from online_models.history import TOTALS_KEY, HistoryStep
from online_models.memory_store import MemoryStore
from schemas.messages import ORDERS, SESSIONS, SIMILARITY, WEIGHT_ONE, Event, Fact, Line
from schemas.settings import HistorySettings, RulesSettings, Settings
from schemas.state import ExpiryRow, GuestChunk, HistoryRow, TotalsRow

T0 = 1_700_000_000_000
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
EXACT = Settings(rules=RulesSettings(half_life_s=0))
"""Without decay, so that counts are whole numbers."""


def settings_with(*, history: dict[str, int] | None = None, rules: dict[str, int] | None = None) -> Settings:
    """No decay, and bounds as given."""
    return Settings(
        history=msgspec.convert(history or {}, HistorySettings),
        rules=msgspec.convert({"half_life_s": 0} | (rules or {}), RulesSettings),
    )


class Shopper:
    """Makes the events of one customer or guest, with ids of their own."""

    def __init__(self, key: str = "u:anna") -> None:
        self.key = key
        self._made = 0

    def event(self, kind: str, items: Sequence[str], at: int, **fields: Any) -> Event:
        self._made += 1
        given = {"event_id": f"{self.key}-{self._made}", "lines": [Line(item, []) for item in items]} | fields
        return Event(self.key, kind, at, f"{kind}s", 0, self._made, at, at, **given)

    def view(self, item: str, at: int = T0, session: str | None = "s", **fields: Any) -> Event:
        return self.event("view", [item], at, session_id=session, **fields)

    def cart(self, item: str, at: int = T0, session: str | None = "s", **fields: Any) -> Event:
        return self.event("cart", [item], at, session_id=session, **fields)

    def buy(self, *items: str, at: int = T0, session: str | None = "s", **fields: Any) -> Event:
        return self.event("purchase", items, at, session_id=session, **fields)

    def rate(self, item: str, value: float, at: int = T0, scale_max: float = 5.0) -> Event:
        return self.event("rating", [item], at, value=value, scale_max=scale_max)

    def erase(self, at: int) -> Event:
        return self.event("erasure", [], at, event_id=None)


class Shop:
    """A history step on stores in memory."""

    def __init__(self, settings: Settings = EXACT) -> None:
        self.rows, self.totals = MemoryStore(HistoryRow), MemoryStore(TotalsRow)
        self.clock, self.chunks = MemoryStore(ExpiryRow), MemoryStore(GuestChunk)
        self.step = HistoryStep(self.rows, self.totals, self.clock, self.chunks, settings)

    def learn(self, *events: Event) -> "Tally":
        return tally(output for event in events for output in self.step.learn_one(event))

    def row(self, key: str = "u:anna") -> HistoryRow:
        row = self.rows.get(key)
        assert row is not None
        return row

    def n(self) -> tuple[int, int]:
        """N of orders and of sessions."""
        row = self.totals.get(TOTALS_KEY) or TotalsRow()
        return row.totals[ORDERS], row.totals[SESSIONS]


class Tally(msgspec.Struct):
    """Sums of deltas: n by scope and item, and of each pair by scope and (smaller id, larger id)."""

    facts: list[Fact]
    deltas: list[Delta]
    own: tuple[Counter[str], Counter[str], Counter[str]]
    pairs: tuple[Counter[tuple[str, str]], Counter[tuple[str, str]], Counter[tuple[str, str]]]

    @property
    def weights(self) -> dict[str, float]:
        """Sum over customers of r[u, i], by item."""
        return {item: count / WEIGHT_ONE for item, count in self.own[SIMILARITY].items() if count}

    @property
    def co_ratings(self) -> dict[tuple[str, str], float]:
        """Sum over customers of min(r[u, i], r[u, j]), by pair."""
        return {pair: count / WEIGHT_ONE for pair, count in self.pairs[SIMILARITY].items()}

    @property
    def popularity(self) -> dict[str, float]:
        """What was added to the popularity of each item."""
        found: Counter[str] = Counter()
        for delta in self.deltas:
            for touch in delta.touches:
                found[touch.item] += touch.weight
        return {item: weight / WEIGHT_ONE for item, weight in found.items() if weight}

    def n(self, scope: int) -> dict[str, int]:
        return {item: count for item, count in self.own[scope].items() if count}

    def together(self, scope: int) -> dict[tuple[str, str], int]:
        return dict(self.pairs[scope])


def tally(outputs: Iterable[Fact | Delta]) -> Tally:
    """Add up what a step put out."""
    found = Tally([], [], (Counter(), Counter(), Counter()), (Counter(), Counter(), Counter()))
    for output in outputs:
        if isinstance(output, Fact):
            found.facts.append(output)
            continue
        found.deltas.append(output)
        for touch in output.touches:
            for scope, amount in enumerate(touch.added):
                found.own[scope][touch.item] += amount
        for group in output.groups:
            for partner, amount in zip(group.partners, group.amounts, strict=True):
                found.pairs[group.scope][min(group.item, partner), max(group.item, partner)] += amount
    return found
