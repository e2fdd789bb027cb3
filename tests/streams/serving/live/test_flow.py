"""What comes through, second by second."""

import msgspec

from schemas.page import FlowPoint, Quantiles
from schemas.recommendations import Latency
from streams.serving.live.flow import KEPT_S, LIVE_MS, MOST_TIMED, NEWEST, Flow
from tests.online_models.shop_views import NOW
from tests.streams.serving.parts import a_list


def told(user: str | None, *, happened_ms: int = 30, read_ms: int = 10) -> bytes:
    """A list that was told so long after its event happened, and after it was read."""
    found = msgspec.structs.replace(
        a_list(user, "tea"), latency=Latency(NOW - happened_ms, NOW - read_ms, NOW)
    )
    return msgspec.json.encode(found)


def test_a_second_holds_what_came_in_it() -> None:
    flow = Flow(names=True)
    flow.start({"view": 5}, 7)
    for n in range(1, 101):
        flow.note_list("anna", told("anna", happened_ms=2 * n, read_ms=n))
    flow.tick(1_000, {"view": 8, "cart": 1, "rating": 0}, 9)
    flow.tick(2_000, {"view": 8, "cart": 1, "rating": 0}, 9)
    assert flow.since(0).points == [
        FlowPoint(1_000, {"view": 3, "cart": 1}, 100, 2, Quantiles(100, 190, 198), Quantiles(50, 95, 99)),
        FlowPoint(2_000, {}, 0, 0, None, None),
    ]
    assert [point.at for point in flow.since(1_000).points] == [2_000]


def test_events_of_an_old_file_have_no_latency_but_that_of_the_work() -> None:
    flow = Flow(names=True)
    flow.note_list("anna", told("anna", happened_ms=LIVE_MS + 20, read_ms=20))
    flow.tick(1_000, {}, 0)
    (point,) = flow.since(0).points
    assert (point.event_ms, point.work_ms) == (None, Quantiles(20, 20, 20))


def test_what_is_kept_is_bounded() -> None:
    flow = Flow(names=True)
    for n in range(MOST_TIMED + 1):
        flow.note_list(f"u{n}", told(f"u{n}", read_ms=5 if n < MOST_TIMED else 500))
    flow.tick(1, {}, 0)
    (point,) = flow.since(0).points
    assert (point.lists, point.work_ms) == (MOST_TIMED + 1, Quantiles(5, 5, 5))
    for at in range(KEPT_S):
        flow.tick(at + 2, {}, 0)
    news = flow.since(0)
    assert (len(news.points), len(news.customers)) == (KEPT_S, NEWEST)


def test_the_newest_customers_are_named_until_they_are_forgotten() -> None:
    flow = Flow(names=True)
    for user in ("anna", "berta", "anna"):
        flow.note_list(user, told(user))
    flow.note_list("s1", told(None))
    assert flow.since(0).customers == ["anna", "berta"]
    flow.note_list("anna", None)
    assert flow.since(0).customers == ["berta"]


def test_what_is_no_list_is_counted_and_stops_nothing() -> None:
    flow = Flow(names=True)
    for nonsense in (b"", b"{", b"{}", b'{"user_id":"\xff"}'):
        flow.note_list("anna", nonsense)
    flow.tick(1, {}, 0)
    assert [(point.lists, point.work_ms) for point in flow.since(0).points] == [(4, None)]
    assert flow.since(0).customers == []


def test_pseudonyms_are_not_named() -> None:
    flow = Flow(names=False)
    flow.note_list("x", told("x"))
    assert flow.since(0).customers == []
