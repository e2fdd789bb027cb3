"""Rows are as many as they are told to be; which item has one is who was acted on last."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.deep.item_rows import NO_ROW, ItemRows


@given(st.lists(st.sampled_from("abcdef")), st.integers(1, 4))
def test_the_items_acted_on_last_have_the_rows_each_its_own(log: list[str], rows: int) -> None:
    items = ItemRows(rows)
    newest: dict[str, None] = {}
    for item in log:
        had = item in newest
        newest.pop(item, None)
        newest[item] = None
        if len(newest) > rows:
            del newest[next(iter(newest))]
        row, given_now = items.enter(item)
        assert items.names[row] == item
        assert given_now is not had
    assert sorted(items.names) == sorted(newest)
    found = items.of([*newest, "unknown"]).tolist()
    assert sorted(found[:-1]) == list(range(len(newest)))
    assert found[-1] == NO_ROW


def test_what_was_noted_before_a_row_was_given_away_is_stale() -> None:
    items = ItemRows(2)
    items.enter("tea")
    items.enter("cup")
    noted = items.acts
    assert not items.stale(np.array([0, 1]), np.array([noted])).any()
    items.enter("pot")
    assert items.stale(np.array([0, 1]), np.array([noted])).tolist() == [True, False]
    assert items.stale(np.array([0]), np.array([items.acts])).tolist() == [False]


def test_there_is_a_row() -> None:
    with pytest.raises(ValueError, match="rows is 0"):
        ItemRows(0)
