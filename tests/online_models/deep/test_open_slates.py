"""A slate is over when the next one is shown or its session ends, and says what each place earned."""

import pytest

from online_models.deep.open_slates import Ended, OpenSlates, Shown

TEA, CUP, POT = Shown("tea", 0.5), Shown("cup", 0.3, 0.1), Shown("pot")


def slates(most: int = 10) -> OpenSlates:
    return OpenSlates(most, length=3, gap_ms=100)


def test_acts_are_earned_by_the_place_that_showed_the_item_until_the_next_slate() -> None:
    found = slates()
    assert found.show("u:a", None, [TEA, CUP], 0) == []
    for item, worth in (("cup", 1.0), ("ink", 9.0), ("cup", 4.0)):
        assert found.act("u:a", None, item, worth, 10) == []
    (ended,) = found.show("u:a", None, [POT], 20)
    assert (ended.slate.session, ended.slate.shown, ended.earned) == ((), (TEA, CUP), (0.0, 5.0))
    assert ended.following is not None
    assert (ended.following.session, ended.following.shown) == (("cup", "ink", "cup"), (POT,))
    found.act("u:a", None, "tea", 4.0, 30)
    (last,) = found.act("u:a", None, "ink", 1.0, 500)
    assert (last.earned, last.following) == ((0.0,), None)


@pytest.mark.parametrize(("session_id", "at"), [("s2", 10), (None, 101)])
def test_a_session_ends_with_another_id_or_after_a_gap(session_id: str | None, at: int) -> None:
    found = slates()
    found.show("u:a", "s1" if session_id else None, [TEA], 0)
    (ended,) = found.act("u:a", session_id, "tea", 1.0, at)
    assert (ended.earned, ended.following) == ((0.0,), None)
    assert found.session("u:a", session_id, at) == ("tea",)
    assert found.session("u:a", "s3", at + 500) == ()


def test_who_is_silent_is_ended_by_the_time_of_others() -> None:
    found = slates()
    found.show("u:a", None, [TEA], 0)
    found.act("u:a", None, "tea", 2.0, 10)
    assert found.act("u:b", None, "cup", 1.0, 110) == []
    (ended,) = found.act("u:b", None, "cup", 1.0, 111)
    assert (ended.slate.shown, ended.earned, len(found)) == ((TEA,), (2.0,), 1)


def test_sessions_are_bounded_on_a_stream_ten_times_longer_and_all_slates_end_once() -> None:
    found = slates(most=20)
    ended: list[Ended] = []
    for n in range(200):
        ended += found.show(f"u:{n}", None, [Shown(f"i{n}")], 0)
        assert len(found) <= 20
    assert [each.slate.shown[0].item for each in ended] == [f"i{n}" for n in range(180)]


def test_what_comes_late_is_of_the_session_and_does_not_set_the_time_back() -> None:
    found = slates()
    found.act("u:a", None, "tea", 1.0, 1_000)
    found.act("u:a", None, "cup", 1.0, 900)
    assert found.session("u:a", None, 1_050) == ("tea", "cup")


def test_only_the_newest_acts_are_remembered() -> None:
    found = slates()
    for item in "abcde":
        found.act("u:a", None, item, 1.0, 0)
    assert found.session("u:a", None, 0) == ("c", "d", "e")


def test_there_is_room_for_one() -> None:
    with pytest.raises(ValueError, match="most is 0"):
        slates(0)
