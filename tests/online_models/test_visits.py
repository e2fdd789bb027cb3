"""Where a visit begins and ends, and what was browsed in it before something is bought."""

import pytest

from online_models.visits import Visits


def test_a_visit_is_a_session_by_its_id_or_by_the_gap() -> None:
    visits = Visits(gap_ms=10)
    assert visits.browse("u:a", "one", "tea", 0) == (True, True)
    assert visits.browse("u:a", "one", "cup", 100) == (False, True)
    assert visits.buy("u:a", None, "pot", 105) == (False, ["tea", "cup"])
    assert visits.buy("u:a", "two", "pot", 106) == (True, [])
    assert visits.browse("u:a", None, "tea", 120) == (True, True)


def test_with_a_window_a_visit_goes_on_over_sessions_and_a_browse_is_forgotten_after_it() -> None:
    visits = Visits(window_ms=100)
    assert visits.browse("u:a", "one", "tea", 0) == (True, True)
    assert visits.browse("u:a", "two", "cup", 90) == (False, True)
    assert visits.buy("u:a", "three", "pot", 150) == (False, ["cup"])
    assert visits.buy("u:a", "three", "pot", 160) == (False, None)
    assert visits.buy("u:a", "four", "pot", 261) == (True, [])


def test_what_was_browsed_again_is_the_newest() -> None:
    visits = Visits()
    for at, item in enumerate(("tea", "cup", "tea")):
        visits.browse("u:a", None, item, at)
    assert visits.buy("u:a", None, "pot", 9) == (False, ["cup", "tea"])


def test_customers_are_apart() -> None:
    visits = Visits()
    visits.browse("u:a", "one", "tea", 0)
    assert visits.buy("u:b", "one", "tea", 1) == (True, [])


@pytest.mark.parametrize(("now", "going_on"), [(30, True), (31, False)])
def test_a_visit_goes_on_until_the_gap_has_passed(now: int, *, going_on: bool) -> None:
    visits = Visits(gap_ms=10)
    visits.browse("u:a", None, "tea", 20)
    assert (visits.going_on("u:a", now) is not None) == going_on
    assert visits.going_on("u:b", now) is None


def test_memory_is_flat_on_a_stream_ten_times_longer_than_the_bounds() -> None:
    visits = Visits(visits=10, length=5)
    held = []
    for n in range(1_000):
        key = f"u:{n // 10}"
        visits.browse(key, None, f"i{n}", n)
        visits.buy(key, None, f"i{n}", n)
        visit = visits.going_on(key, n)
        assert visit is not None
        held.append((len(visits), len(visit.browsed), len(visit.bought)))
    assert {size for size, *_ in held[100:]} == {10}
    assert max(browsed for _, browsed, _ in held) == max(bought for *_, bought in held) == 5
