"""Counts by antecedent: exact, halved by time, and flat in memory."""

from hypothesis import given
from hypothesis import strategies as st

from online_models.counted_rows import CountedRows
from online_models.decay import Decay

DAY_S, DAY_MS = 86_400, 86_400_000


def test_counts_are_exact_integers_while_decay_is_off() -> None:
    rows = CountedRows[str](Decay(0))
    for at in (5, 3, 9):
        rows.count("tea", at)
        rows.add("tea", "cup", at)
    rows.add("tea", "pot", 4)
    row = rows.get("tea")
    assert row is not None
    assert (row.count, row.pairs) == (3, {"cup": 3, "pot": 1})
    assert (rows.times("tea", "cup", 9), rows.times("tea", "jam", 9), rows.times("jam", "cup", 9)) == (
        3,
        0,
        0,
    )


def test_after_a_half_life_a_count_is_worth_half_and_in_the_end_nothing() -> None:
    rows = CountedRows[str](Decay(DAY_S))
    rows.count("tea", 0)
    rows.add("tea", "cup", 0)
    assert rows.times("tea", "cup", DAY_MS) == 0.5
    rows.add("tea", "pot", 40 * DAY_MS)
    row = rows.get("tea")
    assert row is not None
    assert (row.count, list(row.pairs)) == (0, ["pot"])


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_an_event_that_comes_late_counts_as_if_it_had_come_in_time(days: list[int]) -> None:
    one, other = CountedRows[str](Decay(DAY_S)), CountedRows[str](Decay(DAY_S))
    for rows, order in ((one, days), (other, sorted(days))):
        for day in order:
            rows.count("tea", day * DAY_MS)
            rows.add("tea", "cup", day * DAY_MS)
    now = max(days) * DAY_MS
    assert abs(one.times("tea", "cup", now) - other.times("tea", "cup", now)) < 1e-3


def test_a_row_that_has_grown_keeps_its_heaviest_entries() -> None:
    rows = CountedRows[str](Decay(0), entries=2)
    rows.count("x", 0)
    for item in ("a", "b", "b", "c", "c", "c", "d"):
        rows.add("x", item, 0)
    row = rows.get("x")
    assert row is not None
    assert row.pairs == {"b": 2, "c": 3}


def test_a_forgotten_row_begins_anew_with_its_antecedent() -> None:
    rows = CountedRows[str](Decay(0), rows=2)
    for item in ("a", "b", "a", "c"):
        rows.count(item, 0)
        rows.add(item, "x", 0)
    rows.add("b", "x", 0)
    assert rows.get("b") is None
    rows.count("b", 0)
    row, kept = rows.get("b"), rows.get("c")
    assert row is not None
    assert kept is not None
    assert (row.count, row.pairs, kept.count) == (1, {}, 1)
    assert len(rows) == 2


def test_memory_is_flat_on_a_stream_ten_times_longer_than_the_bounds() -> None:
    rows = CountedRows[int](Decay(DAY_S), rows=20, entries=5)
    sizes = []
    for n in range(2_000):
        rows.count(n % 200, n)
        for other in range(n % 12):
            rows.add(n % 200, f"i{(n * 7 + other) % 97}", n)
        sizes.append((len(rows), rows.entries()))
    assert {size for size, _ in sizes[100:]} == {20}
    assert max(entries for _, entries in sizes) <= 20 * 2 * 5
