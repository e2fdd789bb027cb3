"""A made-up history goes on from what is known, and leaves that as it was."""

import msgspec

from online_models.sessions import MAX_ACTS, acts_of
from schemas.messages import WEIGHT_ONE
from schemas.state import HistoryRow
from streams.serving.made_up import with_acts
from tests.online_models.shop_views import NOW
from tests.streams.serving.parts import a_history

GAP = 1_000


def known() -> HistoryRow:
    return a_history("anna", had="tea", looked_at="cup").row()


def test_the_open_session_goes_on_and_an_ended_one_is_followed_by_another() -> None:
    soon, late = (with_acts(known(), ["pot"], at, gap_ms=GAP) for at in (NOW + GAP, NOW + GAP + 1))
    assert acts_of(soon, "", NOW + GAP, gap_ms=GAP) == (["tea", "cup", "pot"], [])
    assert acts_of(late, "", NOW + GAP + 1, gap_ms=GAP) == (["pot"], ["tea", "cup"])


def test_what_was_bought_stays_bought_and_the_newest_comes_last() -> None:
    made = with_acts(known(), ["tea", "pot"], NOW, gap_ms=GAP)
    assert list(made.items) == ["cup", "tea", "pot"]
    assert (made.items["tea"].had, made.items["tea"].weight) == (True, 4 * WEIGHT_ONE)
    assert (made.items["pot"].had, made.items["pot"].weight) == (False, WEIGHT_ONE)


def test_what_is_known_stays_as_it_was() -> None:
    row = known()
    before = msgspec.msgpack.encode(row)
    with_acts(row, ["tea", "pot"], NOW, gap_ms=GAP)
    assert msgspec.msgpack.encode(row) == before


def test_a_long_session_counts_with_its_end() -> None:
    items = [f"i{n}" for n in range(3 * MAX_ACTS)]
    made = with_acts(None, items, NOW, gap_ms=GAP)
    assert made.sessions[0].acts == items[-MAX_ACTS:]
    assert list(made.items) == items[-MAX_ACTS:]
