"""A step changes the rows that it is about, by the sum of what was said of each, and no other."""

import numpy as np
import pytest

from online_models.deep.row_vectors import RowVectors


def a_table() -> RowVectors:
    table = RowVectors(5, 3, rate=0.1, deviation=0.5)
    for row in range(5):
        table.begin(row, f"i{row}")
    return table


def test_a_step_changes_the_rows_that_it_names_and_leaves_out_what_is_nobody() -> None:
    table = a_table()
    before = table.vectors.copy()
    table.descend(np.array([3, -1, 1]), np.ones((3, 3), np.float32))
    assert np.flatnonzero((table.vectors != before).any(axis=1)).tolist() == [1, 3]


def test_repeated_rows_are_added_up_before_the_step() -> None:
    one, other = a_table(), a_table()
    one.descend(np.array([2, 2]), np.array([[1, 2, 3], [3, 2, 1]], np.float32))
    other.descend(np.array([2]), np.array([[4, 4, 4]], np.float32))
    assert one.vectors == pytest.approx(other.vectors)


def test_steps_become_shorter_in_each_row_for_itself() -> None:
    table = a_table()
    lengths = []
    for row in (0, 0, 1):
        before = table.vectors[row].copy()
        table.descend(np.array([row]), np.ones((1, 3), np.float32))
        lengths.append(float(np.abs(table.vectors[row] - before).max()))
    assert lengths[1] < 0.8 * lengths[0]
    assert lengths[2] == pytest.approx(lengths[0])


def test_an_item_begins_anew_with_what_follows_from_its_id() -> None:
    table = a_table()
    first = table.vectors[0].copy()
    table.descend(np.array([0]), np.ones((1, 3), np.float32))
    table.begin(0, "i0")
    assert table.vectors[0].tolist() == first.tolist()
    table.begin(0, "i1")
    assert table.vectors[0].tolist() == table.vectors[1].tolist() != first.tolist()
