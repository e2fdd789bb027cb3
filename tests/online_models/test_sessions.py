"""Where a session begins and ends, which events it takes, how its set grows and which acts it remembers."""

from hypothesis import given
from hypothesis import strategies as st

from online_models.sessions import (
    MAX_ACTS,
    acts_of,
    extend_session,
    find_session,
    grow_session,
    note_acts,
    open_session,
)
from schemas.messages import SESSIONS
from schemas.state import HistoryRow, SessionMark

GAP = 1_000


def a_mark(session_id: str | None = "a", first_at: int = 0, last_at: int = 0) -> SessionMark:
    return SessionMark(session_id, first_at, last_at, [])


def test_a_session_takes_events_until_the_gap_is_over() -> None:
    mark = a_mark(last_at=500)
    assert find_session([mark], "a", 1_500, gap_ms=GAP) is mark
    assert find_session([mark], "a", 1_501, gap_ms=GAP) is None


def test_a_late_event_finds_its_session_by_id_however_late() -> None:
    old, new = a_mark("a", 100_000, 100_000), a_mark("b", 900_000, 900_000)
    assert find_session([old, new], "a", 50_000, gap_ms=GAP) is old


def test_another_id_is_another_session_even_within_the_gap() -> None:
    assert find_session([a_mark("a")], "b", 1, gap_ms=GAP) is None


def test_an_event_without_id_belongs_to_the_newest_session_near_it() -> None:
    marks = [a_mark("a", 0, 0), a_mark("b", 500, 500)]
    assert find_session(marks, None, 600, gap_ms=GAP) is marks[1]
    assert find_session(marks, None, -600, gap_ms=GAP) is marks[0]
    assert find_session(marks, None, -1_001, gap_ms=GAP) is None
    assert find_session(marks, None, 1_501, gap_ms=GAP) is None


def test_a_session_without_id_takes_the_first_id_that_comes_near() -> None:
    mark = a_mark(None, 0, 0)
    assert find_session([mark], "a", 10, gap_ms=GAP) is mark
    extend_session(mark, "a", 10)
    assert (mark.session_id, mark.first_at, mark.last_at) == ("a", 0, 10)
    assert find_session([mark], "b", 20, gap_ms=GAP) is None


def test_a_late_event_moves_the_start_and_not_the_end() -> None:
    mark = a_mark("a", 500, 900)
    extend_session(mark, "a", 100)
    assert (mark.first_at, mark.last_at) == (100, 900)


def test_the_session_that_ended_first_makes_room() -> None:
    marks: list[SessionMark] = []
    first = open_session(marks, "a", 0, max_sessions=2)
    open_session(marks, "b", 10, max_sessions=2)
    extend_session(first, "a", 100)
    open_session(marks, "c", 110, max_sessions=2)
    assert [mark.session_id for mark in marks] == ["a", "c"]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 50)), max_size=30), st.integers(1, 4))
def test_sessions_are_bounded_and_the_latest_one_is_kept(
    events: list[tuple[str, int]], max_sessions: int
) -> None:
    marks: list[SessionMark] = []
    latest = -1
    for name, at in events:
        mark = find_session(marks, name, at, gap_ms=5)
        if mark is None:
            mark = open_session(marks, name, at, max_sessions=max_sessions)
        else:
            extend_session(mark, name, at)
        latest = max(latest, at)
        assert len(marks) <= max_sessions
        assert max(each.last_at for each in marks) == latest
        assert all(each.first_at <= each.last_at for each in marks)


def test_a_set_pairs_each_new_item_with_the_earlier_ones() -> None:
    mark = a_mark()
    groups = [grow_session(mark, item, max_set_size=100) for item in "aba"]
    assert [None if group is None else (group.scope, group.partners, group.amounts) for group in groups] == [
        (SESSIONS, [], []),
        (SESSIONS, ["a"], [1]),
        None,
    ]


def test_a_full_set_takes_no_more_and_has_no_bound_at_zero() -> None:
    mark = a_mark()
    assert [grow_session(mark, item, max_set_size=2) is None for item in "abca"] == [False, False, True, True]
    assert grow_session(mark, "c", max_set_size=0) is not None
    assert mark.items == ["a", "b", "c"]


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=30), max_size=8))
def test_the_last_acts_are_remembered_repeats_and_all(acts: list[list[str]]) -> None:
    mark = a_mark()
    for items in acts:
        note_acts(mark, items)
    assert mark.acts == [item for items in acts for item in items][-MAX_ACTS:]


def test_the_oldest_acts_beyond_the_bound_are_let_go_of() -> None:
    mark = a_mark()
    for n in range(MAX_ACTS + 7):
        note_acts(mark, [f"i{n}"])
    assert mark.acts == [f"i{n}" for n in range(7, MAX_ACTS + 7)]
    note_acts(mark, ["x"] * 2 * MAX_ACTS)
    assert mark.acts == ["x"] * MAX_ACTS


def test_acts_of_a_new_session_are_its_own() -> None:
    marks: list[SessionMark] = []
    for name in "ab":
        note_acts(open_session(marks, name, 0, max_sessions=2), [name])
    assert [mark.acts for mark in marks] == [["a"], ["b"]]


def test_the_open_session_is_the_newest_until_the_gap_is_over() -> None:
    marks = [SessionMark("a", 0, 10, [], ["x", "x"]), SessionMark("b", 20, 30, [], ["y"])]
    row = HistoryRow(sessions=marks)
    assert acts_of(row, "u:anna", 30 + GAP, gap_ms=GAP) == (["y"], ["x", "x"])
    assert acts_of(row, "u:anna", 31 + GAP, gap_ms=GAP) == ([], ["x", "x", "y"])
    # What comes late, comes into the session that was open.
    assert acts_of(row, "u:anna", 0, gap_ms=GAP) == (["y"], ["x", "x"])


def test_a_guest_has_one_session_however_long_nothing_happened() -> None:
    marks = [SessionMark("a", 0, 10, [], ["x"]), SessionMark("b", 20, 30, [], ["y"])]
    for now in (0, 30, 10**9):
        assert acts_of(HistoryRow(sessions=marks), "s:one", now, gap_ms=GAP) == (["x", "y"], [])


def test_strangers_acted_on_nothing_and_what_is_given_out_is_a_copy() -> None:
    for key in ("u:anna", "s:one"):
        assert acts_of(None, key, 0, gap_ms=GAP) == ([], [])
        assert acts_of(HistoryRow(), key, 0, gap_ms=GAP) == ([], [])
        row = HistoryRow(sessions=[SessionMark("a", 0, 10, [], ["x"])])
        acts_of(row, key, 5, gap_ms=GAP)[0].append("y")
        assert row.sessions[0].acts == ["x"]
