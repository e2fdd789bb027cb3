"""The store in memory keeps encoded rows, and refuses a row that encoding would change."""

import pytest

from online_models.memory_store import MemoryStore
from schemas.state import HistoryRow, ItemMark, SegmentRow


def test_rows_are_kept_as_encoded() -> None:
    store = MemoryStore(HistoryRow)
    store.put("u:anna", HistoryRow({"tea": ItemMark(1, 2)}))
    assert set(store.rows()) == {"u:anna"}
    assert isinstance(store.rows()["u:anna"], bytes)


def test_what_rows_returns_is_a_copy() -> None:
    store = MemoryStore(HistoryRow)
    store.rows()["u:anna"] = b""
    assert store.get("u:anna") is None


def test_a_row_that_does_not_survive_encoding_is_refused() -> None:
    store = MemoryStore(SegmentRow)
    tuples = SegmentRow(features=(1.0,))  # type: ignore[arg-type]  # the fault that is to be seen
    with pytest.raises(ValueError, match="'u:anna' does not survive encoding"):
        store.put("u:anna", tuples)
    assert store.get("u:anna") is None


def test_not_a_number_does_not_survive_either() -> None:
    with pytest.raises(ValueError, match="does not survive"):
        MemoryStore(SegmentRow).put("u:anna", SegmentRow(spent=float("nan")))
