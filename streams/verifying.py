"""Rules as learned event by event against a batch run of mlxtend over the same baskets.

Learning goes the usual way, through packed deltas and `RulesStep`, with bounds and decay off, on rows
in memory. Nothing is written; no delivery is involved.
"""

import importlib
import warnings
from collections.abc import Iterable, Iterator
from math import isinf
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any, Final, TypeVar

import msgspec

from online_models import publishing
from online_models.deltas import Delta, PairGroup, Touch
from online_models.landmarks import counts_by_key
from online_models.pair_table import by_key, named, used
from online_models.rules import RulesStep
from schemas.events import Purchase
from schemas.messages import BEFORE_ALL, ORDERS, ItemDeltas, Packet, Rule, Totals
from schemas.settings import RulesSettings, Settings
from schemas.state import RuleRow
from streams.errors import FreshrecError
from streams.formats import FileRecord, read_file
from streams.packing import DeltaPacker, PacketSealer

EXACT: Final = Settings(rules=RulesSettings(half_life_s=0, max_set_size=0, max_row=0, min_count=0))
"""No bound and no decay: every count is a whole number."""

TOLERANCE: Final = 1e-9
"""Largest difference of a measure, relative to the measure where that is above 1."""

_PACKED_PAIRS = 100_000
_MEASURES = ("support", "confidence", "lift", "leverage", "conviction")
_decode_purchase = msgspec.json.Decoder(Purchase).decode
_decode_packet = msgspec.msgpack.Decoder(Packet[ItemDeltas]).decode


Value = TypeVar("Value")


class Comparison(msgspec.Struct):
    """What was compared, the largest difference of a measure, and what differs in words."""

    baskets: int = 0
    items: int = 0
    pairs: int = 0
    counts_compared: int = 0
    rules_compared: int = 0
    largest_difference: float = 0.0
    learn_seconds: float = 0.0
    batch_seconds: float = 0.0
    differences: list[str] = []


class InMemory(dict[str, Value]):
    """A store of rows in a plain dict, neither copied nor encoded: all of them are held at once."""

    def put(self, key: str, value: Value) -> None:
        self[key] = value

    def delete(self, key: str) -> None:
        self.pop(key, None)


Rows = InMemory[RuleRow]


def read_baskets(file: Path, format_: str) -> list[list[str]]:
    """Return the distinct items of each purchase of a file, in the order of the file.

    Raises
    ------
    FormatError
        There is no such format or file, or it is not of that format.
    FreshrecError
        The file has no purchase.
    """
    baskets = [
        list(dict.fromkeys(line.item_id for line in _decode_purchase(record.value).lines))
        for record in read_file(file, format_)
        if isinstance(record, FileRecord) and record.topic == "purchases"
    ]
    if not baskets:
        raise FreshrecError(f"{file} has no purchase; rules are compared over the baskets of purchases.")
    return baskets


def compare(baskets: list[list[str]], min_support: float) -> Comparison:
    """Learn baskets one by one, have mlxtend mine them at once, and compare counts and measures.

    Parameters
    ----------
    baskets : list of lists of str
        Distinct items of each purchase.
    min_support : float
        Pairs below this share of all baskets are learned, but not compared.

    Raises
    ------
    FreshrecError
        mlxtend is not installed.
    """
    found = Comparison(baskets=len(baskets))
    _mlxtend("frequent_patterns")
    started = perf_counter()
    rows = learn(baskets)
    found.learn_seconds = perf_counter() - started
    found.items = len(rows)
    found.pairs = sum(used(row.pairs, ORDERS) for row in rows.values()) // 2

    started = perf_counter()
    frequent = frequent_sets(baskets, min_support)
    rules = _mined(frequent)
    found.batch_seconds = perf_counter() - started

    _compare_counts(rows, frequent, min_support, found)
    if rules is not None:
        _compare_rules(rows, rules, found)
    return found


def learn(baskets: Iterable[list[str]]) -> Rows:
    """Learn baskets through packed deltas, as the rules stage does."""
    learning = Learning()
    learning.learn(baskets)
    return learning.rows


class Learning:
    """Rules that learn baskets, some after others.

    Attributes
    ----------
    rows : Rows
        What is known of each item.
    """

    def __init__(self) -> None:
        self.rows: Rows = InMemory()
        self._step = RulesStep(self.rows, InMemory[str](), EXACT)
        self._packer = DeltaPacker(1, PacketSealer("item-deltas", "events", 0, 0, {}))
        self._mark, self._learned = BEFORE_ALL, 0

    def learn(self, baskets: Iterable[list[str]]) -> None:
        """Learn these, too."""
        for basket in baskets:
            groups = [PairGroup(ORDERS, item, basket[:n], [1] * n) for n, item in enumerate(basket) if n]
            touches = [Touch(item, (0, 1, 0), 0, []) for item in basket]
            self._packer.add((self._learned, 0), Delta(0, touches, groups))
            self._learned += 1
            if self._packer.size >= _PACKED_PAIRS:
                self._learn_packed()
        self._learn_packed()

    def _learn_packed(self) -> None:
        upto = (self._learned, -1)
        for sealed in self._packer.seal(upto):
            for deltas in _decode_packet(sealed.value).entries:
                self._step.learn_many(deltas, self._mark)
        self._mark = upto


def _mlxtend(name: str) -> ModuleType:
    try:
        return importlib.import_module(f"mlxtend.{name}")
    except ImportError as error:
        raise FreshrecError(
            f"verify-rules compares with mlxtend, which cannot be imported ({error}); install it with"
            " `pip install 'freshrec[dev]'`."
        ) from error


def frequent_sets(baskets: list[list[str]], min_support: float) -> Any:
    """Frequent item sets of at most two items, as mlxtend's FP-growth finds them.

    Raises
    ------
    FreshrecError
        mlxtend is not installed.
    """
    patterns = _mlxtend("frequent_patterns")
    return patterns.fpgrowth(_one_hot(baskets), min_support=min_support, use_colnames=True, max_len=2)


def _mined(frequent: Any) -> Any:
    """The rules made of frequent sets; None if there are none."""
    if frequent.empty:
        return None
    patterns = _mlxtend("frequent_patterns")
    with warnings.catch_warnings():
        # Measures that are not compared here divide by zero for items that are in every basket.
        warnings.simplefilter("ignore", RuntimeWarning)
        # Above a threshold of 0, mlxtend loses rules whose confidence equals it, by rounding.
        return patterns.association_rules(frequent, metric="confidence", min_threshold=0)


def _one_hot(baskets: list[list[str]]) -> Any:
    encoder = _mlxtend("preprocessing").TransactionEncoder()
    matrix = encoder.fit(baskets).transform(baskets, sparse=True)
    frames = importlib.import_module("pandas").DataFrame
    return frames.sparse.from_spmatrix(matrix, columns=encoder.columns_)


def _compare_counts(rows: Rows, frequent: Any, min_support: float, found: Comparison) -> None:
    """Counts of all frequent items and pairs, and that none of them is missing on the other side."""
    mined = {
        tuple(sorted(items)): round(support * found.baskets)
        for items, support in zip(frequent["itemsets"], frequent["support"], strict=True)
    }
    learned = dict(_frequent_counts(rows, min_support * found.baskets * (1 + TOLERANCE)))
    for items in mined.keys() | learned.keys():
        expected, seen = mined.get(items, 0), _count(rows, items)
        found.counts_compared += 1
        if expected != seen:
            found.differences.append(f"count of {', '.join(items)}: learned {seen}, mlxtend {expected}")


def _frequent_counts(rows: Rows, least: float) -> Iterator[tuple[tuple[str, ...], int]]:
    names = by_key(rows)
    for item, row in rows.items():
        if row.counts[ORDERS] >= least:
            yield (item,), row.counts[ORDERS]
        for partner, count in named(row.pairs, ORDERS, names).items():
            if count >= least and item < partner:
                yield (item, partner), count


def _count(rows: Rows, items: tuple[str, ...]) -> int:
    """Count of an item, or of a pair under its first item; -1 when its two rows disagree."""
    if any(item not in rows for item in items):
        return 0
    if len(items) == 1:
        return rows[items[0]].counts[ORDERS]
    one, other = items
    count, back = (
        named(rows[mine].pairs, ORDERS, by_key([its])).get(its, 0)
        for mine, its in ((one, other), (other, one))
    )
    return count if back == count else -1


def _compare_rules(rows: Rows, mined: Any, found: Comparison) -> None:
    totals = [Totals(0, 0, (0, found.baskets, 0), 0)]
    counts_of = counts_by_key(publishing.counts(item, row) for item, row in rows.items())
    published: dict[str, dict[str, Rule]] = {}
    for expected in mined.to_dict("records"):
        (item,), (partner,) = expected["antecedents"], expected["consequents"]
        if item not in published:
            row = rows.get(item, RuleRow())
            messages = publishing.association_rules(item, row, counts_of, totals, EXACT, everything=True)
            published[item] = {rule.item_id: rule for message in messages for rule in message.rules}
        _compare_rule(published[item].get(partner), expected, found, f"{item} -> {partner}")


def _compare_rule(rule: Rule | None, expected: dict[str, Any], found: Comparison, name: str) -> None:
    found.rules_compared += 1
    if rule is None:
        found.differences.append(f"{name}: not learned")
        return
    for measure in _MEASURES:
        seen, wanted = getattr(rule, measure), expected[measure]
        if seen is None or isinf(wanted):
            difference = 0.0 if seen is None and isinf(wanted) else float("inf")
        else:
            difference = abs(seen - wanted) / max(1.0, abs(wanted))
        found.largest_difference = max(found.largest_difference, difference)
        if difference > TOLERANCE:
            found.differences.append(f"{measure} of {name}: learned {seen}, mlxtend {wanted}")
