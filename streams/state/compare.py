"""Comparing two stores of one stage partition: counts exactly, floats but for rounding.

Bookkeeping of what was published ("~") is no state and is not compared.
"""

import math
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Final

import msgspec
import numpy as np

from schemas.clusters import KMeansState
from schemas.density import DensityRow
from schemas.messages import Position
from schemas.state import ProgressRow
from streams.rocks_store import OWN_KEYS, RocksDatabase

TOLERANCE: Final = 1e-9
"""Largest relative difference of two floats that are the same but for rounding."""

_VECTORS: Final = (KMeansState, DensityRow)
_BOOKKEEPING: Final = b"~"
_LESSONS: Final = "learning/"
_Row = tuple[bytes, bytes]


class RowPair(msgspec.Struct, frozen=True):
    """A row of both stores, encoded; None where a store has none."""

    key: bytes
    expected: bytes | None
    found: bytes | None


def pairs(expected: RocksDatabase, found: RocksDatabase) -> Iterator[RowPair]:
    """Every row of state that one of the stores has, in key order."""
    with closing(_state(expected)) as left, closing(_state(found)) as right:
        one, other = next(left, None), next(right, None)
        while one or other:
            key = min(row[0] for row in (one, other) if row)
            here, there = (row[1] if row and row[0] == key else None for row in (one, other))
            yield RowPair(key, here, there)
            one = next(left, None) if here is not None else one
            other = next(right, None) if there is not None else other


def _state(database: RocksDatabase) -> Generator[_Row, None, None]:
    for key, value in database.rows():
        if key not in OWN_KEYS and not key.startswith(_BOOKKEEPING):
            yield key, value


def same(database: RocksDatabase, pair: RowPair) -> bool:
    """Whether both rows are there and equal; `database` knows the types of its tables' rows."""
    if pair.expected is None or pair.found is None:
        return False
    if pair.expected == pair.found:
        return True
    return close(database.decoded(pair.key, pair.expected), database.decoded(pair.key, pair.found))


def close(left: object, right: object) -> bool:
    """Whether two rows are equal, floats within `TOLERANCE`, also those in the vectors of a clustering.

    Examples
    --------
    >>> close({"a": [1, 0.1 + 0.2]}, {"a": [1, 0.3]}), close([1], [2])
    (True, False)
    >>> close({"a": 1, "b": 1}, {"b": 1, "a": 1})
    False
    """
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=TOLERANCE)
    if isinstance(left, _VECTORS) and isinstance(right, _VECTORS):
        return close(_numbers(left), _numbers(right))
    if isinstance(left, msgspec.Struct) and isinstance(right, msgspec.Struct):
        return close(msgspec.structs.astuple(left), msgspec.structs.astuple(right))
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and close(list(left.values()), list(right.values()))
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(close, left, right))
    return left == right


def _numbers(state: KMeansState | DensityRow) -> list[object]:
    """The fields of a clustering; its vectors are bytes of float64."""
    fields = msgspec.structs.astuple(state)
    return [np.frombuffer(x, "<f8").tolist() if isinstance(x, bytearray) else x for x in fields]


def progress_differences(expected: ProgressRow, found: ProgressRow) -> Iterator[str]:
    """Where batches end is free, so what was sent may reach farther than its last entry.

    Lessons are made of lists as they were, and are not made again.
    """
    if expected.next_offset != found.next_offset:
        yield f"next offset should be {expected.next_offset}, is {found.next_offset}"
    if expected.applied != found.applied:
        yield f"applied should be {expected.applied}, is {found.applied}"
    should, sent = _told(expected), _told(found)
    behind = any(sent[place] < upto for place, upto in should.items() if place in sent)
    if should.keys() != sent.keys() or behind:
        yield f"sent should reach {should}, is {sent}"


def _told(progress: ProgressRow) -> dict[str, Position]:
    """Up to where all was sent that has to be: what is counted on from a snapshot knows of lessons, too."""
    return {place: upto for place, upto in progress.sent.items() if not place.startswith(_LESSONS)}
