"""What is told of a history is all that lists are made of, and nothing of what only learning needs."""

import msgspec

from schemas.histories import KnownHistory
from schemas.state import Behaviour, HistoryRow, ItemMark, OrderMark, SessionMark

TOLD = {"items", "sessions", "behaviour", "follows"}
KEPT = {
    *("seen", "last_at", "taught_hour", "taught", "newest", "erased_until", "orders", "met", "shown"),
    *("shown_at", "exposure"),
}


def test_every_field_of_a_row_is_told_or_known_to_be_of_no_use_for_lists() -> None:
    assert set(HistoryRow.__struct_fields__) == TOLD | KEPT


def test_what_is_told_comes_back_and_the_rest_does_not() -> None:
    row = HistoryRow(
        {"tea": ItemMark(4, 7, had=True)},
        [SessionMark("s", 1, 7, ["tea", "cup"], ["tea", "tea"])],
        b"digests!",
        Behaviour(events=3, categories={"food": 1.0}),
        orders=[OrderMark(7, ["tea"])],
        follows={-5: 0.5, 2**63 - 1: 1.0},
    )
    told = KnownHistory.of("anna", 7, row)
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(told), type=KnownHistory)
    assert again == told
    found = again.row()
    assert all(getattr(found, name) == getattr(row, name) for name in TOLD - {"sessions"})
    assert found.sessions == [SessionMark("s", 1, 7, [], ["tea", "tea"])]
    assert (found.seen, found.orders, found.last_at) == (b"", [], 7)
