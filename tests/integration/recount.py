"""A plain recount of what was sent: every event once, whatever was repeated, late or refused between.

Counts what the stages count when decay is off and no bound is reached; nothing of the stages is used.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import combinations

import msgspec

from online_models.history import TOTALS_KEY
from online_models.pair_table import by_key, named
from online_models.worlds import Emitted
from schemas.messages import ORDERS, WEIGHT_ONE
from schemas.settings import Settings
from schemas.state import HistoryRow, PopularityRow, RuleRow, TotalsRow
from streams.topology import TOPIC_BY_NAME, partitions_of
from tests.integration.oracle import read_rows

_ID = {"browses": "event_id", "purchases": "event_id", "ratings": "event_id"}
_WEIGHTS = {"view": 1.0, "cart": 2.0}
_BOUGHT = 4.0


class Counts(msgspec.Struct):
    """How often what happened; popularity in units of `WEIGHT_ONE`."""

    events: Counter[str]
    orders: int
    bought: Counter[str]
    together: Counter[tuple[str, str]]
    popularity: Counter[str]

    @classmethod
    def none(cls) -> "Counts":
        """Before the first event."""
        return cls(Counter(), 0, Counter(), Counter(), Counter())


def sent(records: Iterable[Emitted]) -> Counts:
    """Count the browses, purchases and ratings among what was sent, each event id once.

    Every customer has to allow profiling.
    """
    counts, seen = Counts.none(), set()
    for record in records:
        if record.topic not in _ID:
            continue
        message = msgspec.json.decode(record.value)
        if message["event_id"] in seen:
            continue
        seen.add(message["event_id"])
        if message.get("user_id") is not None:
            counts.events[message["user_id"]] += 1
        _count(counts, message)
    return counts


def _count(counts: Counts, message: dict[str, object]) -> None:
    if message["type"] == "purchase":
        lines = msgspec.convert(message["lines"], list[dict[str, object]])
        items = [str(line["item_id"]) for line in lines]
        counts.orders += 1
        counts.bought.update(set(items))
        counts.together.update(combinations(sorted(set(items)), 2))
        weight = _BOUGHT
    elif message["type"] == "rating":
        items = [str(message["item_id"])]
        value, most = float(str(message["value"])), float(str(message["scale_max"]))
        weight = 1.0 + 2.0 * value / most if value >= most / 2 else 0.0
    else:
        items = [str(message["item_id"])]
        weight = _WEIGHTS[str(message.get("action") or "view")]
    if weight:
        counts.popularity.update(dict.fromkeys(items, 0))
        for item in items:
            counts.popularity[item] += round(weight * WEIGHT_ONE)


def learned(settings: Settings) -> Counts:
    """Read the same counts from a worker's stores, as they are on disk."""
    counts = Counts.none()
    for key, raw in _rows(settings, "history", b"hu:"):
        row = msgspec.msgpack.decode(raw, type=HistoryRow)
        if row.behaviour.events:
            counts.events[key] = row.behaviour.events
    for key, raw in _rows(settings, "history", b"t"):
        if key == TOTALS_KEY:
            counts.orders += msgspec.msgpack.decode(raw, type=TotalsRow).totals[ORDERS]
    names = by_key(msgspec.msgpack.decode(raw, type=str) for _, raw in _rows(settings, "rules", b"n"))
    for item, raw in _rows(settings, "rules", b"r"):
        rule_row = msgspec.msgpack.decode(raw, type=RuleRow)
        if rule_row.counts[ORDERS]:
            counts.bought[item] = rule_row.counts[ORDERS]
        for partner, count in named(rule_row.pairs, ORDERS, names).items():
            if item < partner:
                counts.together[item, partner] = count
    for item, raw in _rows(settings, "popularity", b"i"):
        counts.popularity[item] = sum(msgspec.msgpack.decode(raw, type=PopularityRow).counts.values())
    return counts


def _rows(settings: Settings, stage: str, prefix: bytes) -> Iterable[tuple[str, bytes]]:
    source = {"history": "events"}.get(stage, "item-deltas")
    for partition in range(partitions_of(TOPIC_BY_NAME[source], settings.kafka.partitions)):
        for key, raw in read_rows(settings, stage, partition).items():
            if key.startswith(prefix):
                yield key[len(prefix) :].decode(), raw
