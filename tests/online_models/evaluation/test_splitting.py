"""Cutting logs into sessions and parts."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.evaluation.splitting import first_share, last_sessions, prepared, sessions_of
from schemas.messages import Event
from tests.online_models.evaluation.events import act, logs


def items(session: list[Event]) -> list[str]:
    return [event.lines[0].item for event in session]


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        first_share(10, share)


def test_an_id_makes_a_session_however_long_it_takes() -> None:
    log = [
        act("s:1", "a", 0, session="1"),
        act("s:1", "b", 10**9, session="1"),
        act("s:2", "c", 5, session="2"),
    ]
    assert [items(session) for session in sessions_of(log, gap_ms=1_000)] == [["a", "b"], ["c"]]


@given(logs(), st.integers(0, 5_000))
def test_sessions_hold_every_action_once_and_keep_the_order(log: list[Event], gap_ms: int) -> None:
    sessions = sessions_of(log, gap_ms=gap_ms)
    assert sorted(id(event) for session in sessions for event in session) == sorted(map(id, log))
    for session in sessions:
        assert len({event.key for event in session}) == 1
        assert all(b.at - a.at <= gap_ms for a, b in pairwise(session))


@given(logs(), st.floats(0, 1))
def test_a_split_by_time_takes_the_sessions_that_end_last(log: list[Event], share: float) -> None:
    train, test = last_sessions(log, share, gap_ms=2_000)
    sessions = sessions_of(log, gap_ms=2_000)
    assert len(train) + sum(map(len, test)) == len(log)
    assert len(test) == len(sessions) - first_share(len(sessions), 1 - share)
    tested = {id(event) for session in test for event in session}
    ends = [session[-1].at for session in sessions if id(session[0]) not in tested]
    assert not ends or not test or max(ends) <= min(session[-1].at for session in test)


def test_test_sessions_come_in_the_order_of_the_file_whatever_their_times() -> None:
    first, second = ([act(f"s:{n}", item, 10 - n) for item in "ab"] for n in (1, 2))
    lines = {"s:1": 5, "s:2": 7}
    placed = [[msgspec.structs.replace(e, offset=lines[e.key]) for e in each] for each in (second, first)]
    assert [session[0].key for session in prepared(placed, first)] == ["s:1", "s:2"]


def test_of_a_test_unknown_items_go_first_then_sessions_of_one_item() -> None:
    train = [act("s:1", "a"), act("s:1", "b")]
    test = [[act("s:2", "a"), act("s:2", "x"), act("s:2", "a")], [act("s:3", "b"), act("s:3", "x")]]
    assert [items(session) for session in prepared(test, train)] == [["a", "a"]]
