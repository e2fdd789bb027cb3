"""Figures of a demo: counted from what was really watched, and told in words without anything left out."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.worlds import Emitted
from schemas.recommendations import Latency, Recommendation, RecommendedItem, Rejection
from schemas.settings import RecommendSettings, Settings
from streams.demo.figures import Figures, Parting, figures_of, percentile, rows
from streams.demo.house import Counts
from streams.demo.watcher import Watcher

COUNTS = Counts(accepted=1_234, rejected=5, catalogue=42, duplicates=6)
PARTING = Parting("anna", "ben", places=7, k=10, after_s=0.0213)


def look(event_id: str, item_id: str) -> Emitted:
    value = {"type": "browse", "event_id": event_id, "user_id": "carla", "item_id": item_id, "at": 1}
    return Emitted("browses", "carla", msgspec.json.encode(value), 1)


def answer(event_id: str, *items: str) -> bytes:
    places = [
        RecommendedItem(item, rank, 0.5, None, [{"source": "recent"}])
        for rank, item in enumerate(items, start=1)
    ]
    latency = Latency(1, 1, 1)
    return msgspec.json.encode(
        Recommendation("r", "carla", None, 1, [event_id], places, None, {}, None, latency)
    )


def refusal(reason: str) -> bytes:
    return msgspec.json.encode(Rejection(reason, "", "browses", 0, 0, 1, ""))


@pytest.fixture
def watcher() -> Watcher:
    """Four looks; the second and the fourth are at what the list held, after 10, 20, 30 and 500 ms."""
    watcher = Watcher(Settings(recommend=RecommendSettings(k=1)), ("carla",), ())
    latencies_s = (0.01, 0.02, 0.03, 0.5)
    for n, (latency_s, item, next_item) in enumerate(
        zip(latencies_s, ("tea", "cup", "jam", "pot"), ("cup", "tea", "pot", "tea"), strict=True)
    ):
        watcher.sending(look(f"b-{n}", item), float(n))
        watcher.received(answer(f"b-{n}", next_item), n + latency_s)
    watcher.refused(refusal("invalid_json"))
    return watcher


def figures(parting: Parting | None = PARTING, counts: Counts = COUNTS, **rejected: int) -> Figures:
    return Figures(
        sent=1_239,
        catalogue=42,
        counts=counts,
        lists=1_100,
        latency_ms=(12.34, 56.0, 1_078.9),
        rejected=rejected,
        queries=900,
        hit_rate=0.4567,
        popular_hit_rate=0.2,
        k=10,
        seconds=41.9,
        parting=parting,
    )


def test_figures_sum_up_what_was_watched(watcher: Watcher) -> None:
    found = figures_of(watcher, COUNTS, catalogue=42, seconds=4.0, parting=None)
    assert (found.sent, found.lists, found.k, found.queries) == (4, 4, 1, 3)
    assert found.hit_rate == pytest.approx(2 / 3)
    assert found.popular_hit_rate == 0
    assert found.latency_ms == pytest.approx((20, 500, 500))
    assert found.rejected == {"invalid_json": 1}
    assert found.counts == COUNTS


def test_figures_stay_as_they_are_while_the_watcher_goes_on(watcher: Watcher) -> None:
    found = figures_of(watcher, COUNTS, catalogue=42, seconds=4.0, parting=None)
    watcher.refused(refusal("bad_value"))
    assert found.rejected == {"invalid_json": 1}


def test_a_demo_in_which_nothing_came_has_figures_too() -> None:
    empty = figures_of(Watcher(Settings(), (), ()), Counts(), catalogue=0, seconds=0.0, parting=None)
    assert empty.latency_ms == (0.0, 0.0, 0.0)
    assert dict(rows(empty))["event to recommendation"] == "p50 0.0 ms, p95 0.0 ms, p99 0.0 ms"


def test_rows_tell_each_figure_in_words() -> None:
    assert rows(figures(bad_value=2, invalid_json=3)) == [
        ("events sent", "1,239 in 42 s, after 42 messages about items and customers"),
        ("events accepted", "1,234, of which 6 duplicates changed nothing"),
        ("events rejected", "5 (bad_value 2, invalid_json 3)"),
        ("recommendations out", "1,100 lists of 10 items"),
        ("event to recommendation", "p50 12.3 ms, p95 56.0 ms, p99 1,078.9 ms"),
        ("hit rate at 10", "lists 0.457, popularity 0.200 (900 acts of customers who had a list)"),
        ("one past, two ways", "anna's and ben's lists differ in 7 of 10 places, 21 ms after"),
    ]


def test_what_did_not_happen_has_no_row() -> None:
    told = dict(rows(figures(parting=None)))
    assert "one past, two ways" not in told
    assert "processes restarted" not in told
    assert told["events rejected"] == "5"


def test_a_restart_is_not_kept_quiet() -> None:
    restarted = msgspec.structs.replace(COUNTS, restarts=2)
    assert rows(figures(counts=restarted))[-1] == ("processes restarted", "2: see the worker's log")


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_one_of_the_values_and_not_below_its_share_of_them(
    values: list[float], share: float
) -> None:
    values.sort()
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (0.5, 2.0), (0.75, 3.0), (0.76, 4.0), (1.0, 4.0)])
def test_a_percentile_is_the_smallest_such_value(share: float, value: float) -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0], share) == value
