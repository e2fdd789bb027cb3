"""SR and AR: equal to a recount while no bound is reached, flat beyond it."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.evaluation.contract import Query
from online_models.open_sessions import OpenSessions
from online_models.sequential_rules import BoundedRows, SequentialRules, SessionRules
from schemas.messages import Event, Line

ITEMS = "abcdef"
SESSIONS = st.lists(st.lists(st.sampled_from(ITEMS), max_size=14), max_size=8)


def ranked(model: SequentialRules | SessionRules, item: str, k: int = 20) -> dict[str, float]:
    return dict(model.rank(Query(key="s:x", now=0, k=k, session=[item])))


def taught(model: SequentialRules | SessionRules, sessions: list[list[str]]) -> None:
    for n, items in enumerate(sessions):
        for item in items:
            line = Line(item, [])
            model.learn_one(
                Event(f"s:{n}", "view", n, "browses", 0, 0, 0, 0, session_id=str(n), lines=[line])
            )


@given(SESSIONS)
def test_sequential_rules_equal_a_recount(sessions: list[list[str]]) -> None:
    model = SequentialRules()
    taught(model, sessions)
    expected: Counter[tuple[str, str]] = Counter()
    for items in sessions:
        for later, item in enumerate(items):
            for earlier in range(max(0, later - 10), later):
                expected[items[earlier], item] += Fraction(1, later - earlier)  # type: ignore[assignment]
    for item in ITEMS:
        mine = {other: float(weight) for (first, other), weight in expected.items() if first == item}
        assert ranked(model, item) == pytest.approx(mine, rel=1e-12)


@given(SESSIONS)
def test_session_rules_equal_a_recount(sessions: list[list[str]]) -> None:
    model = SessionRules()
    taught(model, sessions)
    expected: Counter[tuple[str, str]] = Counter()
    for items in sessions:
        for one in range(len(items)):
            for other in range(len(items)):
                if one != other:
                    expected[items[one], items[other]] += 1
    for item in ITEMS:
        mine = {other: weight for (first, other), weight in expected.items() if first == item}
        assert ranked(model, item) == mine


def test_the_best_come_first_ties_by_id_and_excluded_items_make_room() -> None:
    model = SequentialRules()
    taught(model, [["a", "c"], ["a", "b"], ["a", "d", "d"]])
    assert list(ranked(model, "a")) == ["d", "b", "c"]
    query = Query(key="s:x", now=0, k=1, session=["a"], exclude=frozenset("d"))
    assert model.rank(query) == [("b", 1.0)]
    assert model.rank(Query(key="s:x", now=0, k=1)) == []


def test_only_what_puts_items_into_a_session_teaches() -> None:
    for model in (SequentialRules(), SessionRules()):
        for kind in ("link", "impression"):
            lines = [Line("a", []), Line("b", [])]
            model.learn_one(Event("s:1", kind, 0, "impressions", 0, 0, 0, 0, lines=lines))
        assert ranked(model, "a") == {}


def test_a_session_ends_with_another_id_or_after_a_gap() -> None:
    sessions = OpenSessions(gap_ms=10)
    assert sessions.grow("u:a", "one", "a", 0) == ([], [])
    assert sessions.grow("u:a", "one", "b", 100) == (["a"], [])
    assert sessions.grow("u:a", None, "c", 105) == (["a", "b"], [])
    assert sessions.grow("u:a", "two", "d", 106) == ([], ["a", "b", "c"])
    assert sessions.grow("u:a", None, "e", 120) == ([], ["a", "b", "c", "d"])
    assert sessions.held("u:a") == (["e"], ["a", "b", "c", "d"])
    assert sessions.held("u:b") == ([], [])


def test_memory_is_flat_on_a_stream_ten_times_longer_than_the_bounds() -> None:
    rows, sessions = BoundedRows(rows=20, entries=5), OpenSessions(sessions=10, length=8)
    model = SessionRules(rows, sessions)
    sizes = []
    for n in range(500):
        for place in range(12):
            model.learn_view(f"s:{n}", f"i{(n * 7 + place * (n % 3)) % 101}", n)
        sizes.append((rows.entries(), len(sessions)))
    assert max(entries for entries, _ in sizes) <= 20 * 2 * 5
    assert {keys for _, keys in sizes[10:]} == {10}


def test_a_row_that_has_grown_keeps_its_heaviest_entries() -> None:
    rows = BoundedRows(entries=2)
    for column, weight in (("a", 1), ("b", 3), ("c", 2), ("d", 1)):
        rows.add("x", column, weight)
    assert rows.row("x") == {"b": 3, "c": 2}
