"""Where a session begins and ends, which events it takes, and how its set grows."""

from hypothesis import given
from hypothesis import strategies as st

from online_models.sessions import extend_session, find_session, grow_session, open_session
from schemas.messages import SESSIONS
from schemas.state import SessionMark

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
