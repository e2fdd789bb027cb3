"""Rows of two stores side by side: what only one has, what differs, and what is the same but for rounding."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec import Struct

from schemas.clusters import ClusterRow, KMeansState, SegmentSums
from schemas.state import ProgressRow, TotalsRow
from streams.rocks_store import RocksBudget, RocksDatabase
from streams.state.compare import close, pairs, progress_differences, same

BUDGET = RocksBudget(2**22)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Callable[..., RocksDatabase]]:
    """Makes stores with the given totals."""
    made: list[RocksDatabase] = []

    def make(**totals: int) -> RocksDatabase:
        database = RocksDatabase(tmp_path / str(len(made)), BUDGET, cache_bytes=2**20)
        rows = database.table("t", TotalsRow)
        for key, total in totals.items():
            rows.put(key, TotalsRow(0, [total, 0, 0], 0))
        database.table("~", str).put("told", f"in store {len(made)}")
        database.write(database.freeze(ProgressRow(len(made))))
        made.append(database)
        return database

    yield make
    for each in made:
        each.close()


def test_every_row_of_both_stores_comes_once_in_key_order_without_bookkeeping(
    store: Callable[..., RocksDatabase],
) -> None:
    expected, found = store(a=1, b=2, d=4), store(b=3, c=4, d=4, e=5)
    rows = list(pairs(expected, found))
    assert [row.key for row in rows] == [b"ta", b"tb", b"tc", b"td", b"te"]
    assert [(row.expected is None, row.found is None) for row in rows] == [
        (False, True),
        (False, False),
        (True, False),
        (False, False),
        (True, False),
    ]
    assert [same(expected, row) for row in rows] == [False, False, False, True, False]


def test_an_empty_store_has_no_rows(store: Callable[..., RocksDatabase]) -> None:
    assert list(pairs(store(), store())) == []


def a_clustering(mean: float, spent: float, size: int) -> ClusterRow:
    state = KMeansState(7, bytearray(np.array([mean, 1.0]).tobytes()))
    return ClusterRow(state, [SegmentSums(size, 1.0, spent)])


@pytest.mark.parametrize(
    ("other", "equal"),
    [
        (a_clustering(0.3, 0.3, 5), True),
        (a_clustering(0.1 + 0.2, 0.1 + 0.2, 5), True),
        (a_clustering(0.3, 0.300001, 5), False),
        (a_clustering(0.300001, 0.3, 5), False),
        (a_clustering(0.3, 0.3, 6), False),
    ],
)
def test_floats_are_equal_but_for_rounding_and_whole_numbers_exactly(other: Struct, equal: bool) -> None:
    assert close(a_clustering(0.3, 0.3, 5), other) is equal


def test_vectors_of_another_length_and_rows_of_another_length_differ() -> None:
    assert not close(KMeansState(1, bytearray(8)), KMeansState(1, bytearray(16)))
    assert not close([1, 2], [1, 2, 3])


def test_bytes_that_are_no_vectors_have_to_be_equal() -> None:
    here, there = (bytearray(np.array([x]).tobytes()) for x in (0.3, 0.1 + 0.2))
    assert close([here], [bytearray(here)]) and not close([here], [there])


def test_what_was_sent_may_reach_farther_and_nothing_else_may_differ() -> None:
    expected = ProgressRow(5, {"events/0": (0, (4, 0))}, {"facts/0": (3, 1)})
    reaches = ProgressRow(5, {"events/0": (0, (4, 0))}, {"facts/0": (4, 0)})
    assert list(progress_differences(expected, reaches)) == []
    other = ProgressRow(6, {"events/0": (1, (4, 0))}, {"facts/1": (9, 0)})
    assert [text.split(" should ")[0] for text in progress_differences(expected, other)] == [
        "next offset",
        "applied",
        "sent",
    ]
    assert len(list(progress_differences(reaches, expected))) == 1


def test_lessons_that_one_of_them_sent_are_no_difference() -> None:
    without = ProgressRow(5, {}, {"facts/0": (4, 0)})
    taught = ProgressRow(5, {}, {"facts/0": (4, 0), "learning/0": (2, 7)})
    assert [*progress_differences(without, taught), *progress_differences(taught, without)] == []
