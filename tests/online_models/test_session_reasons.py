"""Reasons of what sessions propose: shares and items equal those counted in plain Python, and by hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from online_models.memory_views import MemoryViews
from online_models.protocols import Request
from online_models.ranking import Found, ListCandidates
from online_models.session_index import SessionIndex
from online_models.session_reasons import session_reasons
from schemas.recommendations import Reason
from schemas.settings import Settings
from schemas.state import HistoryRow, SessionMark
from tests.online_models.shop_views import NOW

ITEMS = "abcdefgh"


def an_index(*sessions: str, width: int = 32) -> SessionIndex:
    index = SessionIndex(width=width)
    for n, items in enumerate(sessions):
        for item in items:
            index.learn_one(f"s:{n}", None, item, NOW)
    return index


def found_for(acts: str, earlier: str = "") -> Found:
    marks = [SessionMark("old", 0, 5, [], list(earlier)), SessionMark("new", NOW, NOW, [], list(acts))]
    history = HistoryRow(sessions=marks if acts else marks[:1])
    return ListCandidates(MemoryViews(), Settings()).find(Request(history=history, now=NOW, key="u:anna"))


def a_reason(items: str, similarity: float) -> Reason:
    return {"source": "session", "session_items": list(items), "similarity": similarity}


def test_the_share_and_the_items_are_those_counted_by_hand() -> None:
    index = an_index("ax", "abx", "bx", "x", "ay")
    told = session_reasons(index, ["x", "y", "b"], found_for("ab"))
    # Of four sessions with x two hold a, two hold b and three any of them; a's last act is the older one.
    assert told == {"x": a_reason("ba", 0.75), "y": a_reason("a", 1.0), "b": a_reason("a", 0.5)}


def test_items_that_are_held_most_often_come_first_of_equal_ones_the_newest_at_most_three() -> None:
    index = an_index("abcdx", "abcx", "ax")
    assert session_reasons(index, ["x"], found_for("dcba"))["x"]["session_items"] == ["a", "b", "c"]
    assert session_reasons(index, ["x"], found_for("bcda"))["x"]["session_items"] == ["a", "c", "b"]


def test_an_item_is_no_reason_for_itself() -> None:
    index = an_index("ab", "a")
    assert session_reasons(index, ["a"], found_for("ab"))["a"] == a_reason("b", 0.5)
    assert session_reasons(index, ["a"], found_for("ba"))["a"] == a_reason("b", 0.5)


def test_what_only_comes_two_steps_behind_is_told_with_the_last_item_and_no_share() -> None:
    index = an_index("ab", "bc")
    assert session_reasons(index, ["c"], found_for("xa"))["c"] == a_reason("a", 0.0)
    assert session_reasons(index, ["c"], found_for("ac"))["c"] == a_reason("a", 0.0)
    assert session_reasons(index, ["c"], found_for("c"))["c"] == a_reason("c", 0.0)


def test_an_item_that_was_forgotten_meanwhile_still_has_a_reason() -> None:
    assert session_reasons(an_index("ab"), ["gone"], found_for("a")) == {"gone": a_reason("a", 0.0)}


def test_earlier_sessions_are_the_reason_only_where_the_open_one_holds_nothing() -> None:
    index = an_index("ax", "bx")
    assert session_reasons(index, ["x"], found_for("a", earlier="b"))["x"] == a_reason("a", 0.5)
    assert session_reasons(index, ["x"], found_for("", earlier="b"))["x"] == a_reason("b", 0.5)


def test_only_the_newest_sessions_of_an_item_count() -> None:
    index = an_index(*["ax"] * 10, *["bx"] * 45)
    assert session_reasons(index, ["x"], found_for("ab"))["x"] == a_reason("ba", 1.0)
    assert session_reasons(index, ["x"], found_for("a"))["x"] == a_reason("a", 0.1)


def test_only_the_last_items_of_a_long_session_are_looked_at() -> None:
    index = an_index("ax")
    others = "".join(chr(200 + n) for n in range(30))
    assert session_reasons(index, ["x"], found_for("a" + others))["x"]["similarity"] == 0.0
    assert session_reasons(index, ["x"], found_for("a" + others[:19]))["x"] == a_reason("a", 1.0)


def test_sessions_of_whoever_asks_and_items_that_come_again_do_not_count_twice() -> None:
    index = an_index("xax", "x")
    assert session_reasons(index, ["x"], found_for("a"))["x"] == a_reason("a", 0.5)
    for item in "xx":
        index.learn_one("u:anna", None, item, NOW)
    assert session_reasons(index, ["x"], found_for("a"))["x"] == a_reason("a", 0.5)


def test_nothing_asked_is_nothing_told() -> None:
    assert session_reasons(an_index("ab"), [], found_for("a")) == {}


def plain(sessions: list[str], item: str, acts: str, width: int) -> Reason:
    """The reason of an item, counted over the newest rows that hold it."""
    distinct = list(dict.fromkeys(reversed(acts)))
    rows = [session[n : n + width] for session in sessions for n in range(0, len(session), width)]
    places = [row for row in rows if item in row][-100:]
    held = [sum(act in row for row in places) if act != item else 0 for act in distinct]
    best = sorted((n for n in range(len(distinct)) if held[n]), key=lambda n: (-held[n], n))[:3]
    any_of_them = sum(any(act in row and act != item for act in distinct) for row in places)
    names = [distinct[n] for n in best] or [act for act in distinct if act != item][:1] or distinct[:1]
    share = round(any_of_them / len(places), 6) if places else 0.0
    return {"source": "session", "session_items": names, "similarity": share}


@settings(max_examples=100)
@given(
    st.lists(st.text(ITEMS, min_size=1, max_size=9), max_size=10),
    st.text([*ITEMS, "z"], min_size=1, max_size=12),
    st.sampled_from([3, 32]),
)
def test_reasons_equal_those_counted_in_plain_python(sessions: list[str], acts: str, width: int) -> None:
    told = session_reasons(an_index(*sessions, width=width), list(ITEMS), found_for(acts))
    assert told == {item: plain(sessions, item, acts, width) for item in ITEMS}


@pytest.mark.parametrize("acts", ["a", "ab", "zz"])
def test_telling_reasons_changes_nothing(acts: str) -> None:
    index = an_index("abx", "bx")
    before = index.rows()
    first = session_reasons(index, ["x", "a"], found_for(acts))
    assert session_reasons(index, ["a", "x"], found_for(acts)) == first
    assert index.rows() == before
