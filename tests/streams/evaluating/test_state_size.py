"""Bytes of what a model holds."""

import sys

import numpy as np

from schemas.state import HistoryRow, ItemMark
from streams.evaluating.state_size import bytes_of


def test_an_object_that_is_held_twice_counts_once() -> None:
    text = "x" * 10_000
    once, twice = bytes_of([text]), bytes_of([text, text])
    assert twice - once == sys.getsizeof([text, text]) - sys.getsizeof([text])


def test_arrays_count_with_what_they_hold() -> None:
    assert bytes_of({"a": np.zeros(1_000)}) > 8_000


def test_structs_that_the_collector_leaves_alone_are_looked_into() -> None:
    rows = {f"u:{n}": HistoryRow({f"i{m}": ItemMark(m, n) for m in range(20)}) for n in range(50)}
    few = dict(list(rows.items())[:5])
    assert 8 < bytes_of(rows) / bytes_of(few) < 12


def test_a_ring_ends() -> None:
    ring: list[object] = []
    ring.append(ring)
    assert bytes_of(ring) == sys.getsizeof(ring)


def test_code_does_not_count() -> None:
    assert bytes_of([np, bytes_of, HistoryRow]) < 200
