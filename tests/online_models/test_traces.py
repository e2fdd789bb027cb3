"""Which items of a history speak, and how strongly."""

import pytest

from online_models.traces import Trace, newest_traces
from schemas.messages import WEIGHT_ONE
from schemas.state import HistoryRow, ItemMark
from tests.online_models.shop_views import NOW, bought, history, viewed


def traces(row: HistoryRow | None, *, history_items: int = 20) -> list[Trace]:
    return newest_traces(row, now=NOW, history_items=history_items, half_life_s=100)


def test_strangers_leave_no_trace() -> None:
    assert traces(None) == []
    assert traces(HistoryRow()) == []


def test_newest_come_first_and_only_so_many() -> None:
    row = history(a=viewed(NOW - 2_000), b=bought(NOW - 1_000), c=viewed(NOW))
    assert [trace.item for trace in traces(row, history_items=2)] == ["c", "b"]


def test_disliked_items_neither_speak_nor_take_a_place() -> None:
    row = history(a=viewed(NOW), b=ItemMark(0, NOW, had=True, disliked=True), c=viewed(NOW))
    assert [trace.item for trace in traces(row, history_items=2)] == ["c", "a"]


def test_strength_falls_with_age_and_place_and_rises_with_the_weight() -> None:
    row = history(old=viewed(NOW - 100_000), middle=bought(NOW - 100_000), new=ItemMark(2 * WEIGHT_ONE, NOW))
    strengths = {trace.item: trace.strength for trace in traces(row)}
    assert strengths == pytest.approx({"new": 2 / 3, "middle": 0.8 / 2 / 2, "old": 0.5 / 2 / 2})


def test_the_lines_of_one_order_share_a_place() -> None:
    row = history(a=viewed(NOW - 1_000), b=bought(NOW), c=bought(NOW))
    strengths = [trace.strength for trace in traces(row)]
    assert strengths[0] == strengths[1] == 0.8
    assert strengths[2] == pytest.approx(0.5 * 0.5 ** (1 / 100) / 2)


def test_an_event_ahead_of_the_question_is_as_strong_as_one_now() -> None:
    assert traces(history(a=viewed(NOW + 50_000)))[0].strength == 0.5
