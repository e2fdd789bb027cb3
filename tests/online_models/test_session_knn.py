"""Session kNN: equal to a plain version, bounded, and right where the answer is known."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from online_models.evaluation.contract import Query
from online_models.neighbour_kernels import keep_nearest
from online_models.session_index import SessionIndex
from online_models.session_knn import STAN, VSKNN, VSTAN, SessionKnn, Weighting, weights
from schemas.messages import Event, Line
from tests.online_models.plain_session_knn import Log, PlainSessionKnn

KEYS = [f"u:{n}" for n in range(4)]
ITEMS = [f"i{n}" for n in range(9)]
GAP_MS = 5_000
EXACT = Weighting(sample=5, neighbours=2, position="same", match="div", age_days=0.0, distance=0.0, idf=0.0)
WEIGHTINGS = [VSTAN, STAN, VSKNN, EXACT, msgspec.structs.replace(VSTAN, sample=3), EXACT]


@st.composite
def logs(draw: st.DrawFn) -> Log:
    steps = draw(st.lists(st.integers(0, 4_000), max_size=50))
    log: Log = []
    at = 0
    for step in steps:
        at += step
        key, session_id = draw(st.sampled_from(KEYS)), draw(st.sampled_from([None, "a", "b"]))
        log.append((key, session_id, draw(st.sampled_from(ITEMS)), at))
    return log


@settings(max_examples=100)
@given(
    logs(),
    st.lists(st.sampled_from([*ITEMS, "unknown"]), min_size=1, max_size=12),
    st.sampled_from(WEIGHTINGS),
    st.sampled_from([(3, 2), (6, 3), (50, 32)]),
)
def test_scores_equal_those_of_the_plain_version(
    log: Log, session: list[str], weighting: Weighting, bounds: tuple[int, int]
) -> None:
    sessions, width = bounds
    plain = PlainSessionKnn(weighting, sessions=sessions, width=width, gap_ms=GAP_MS)
    knn = SessionKnn(weighting, SessionIndex(sessions=sessions, width=width, gap_ms=GAP_MS))
    for event in log:
        plain.learn(*event)
        knn.index.learn_one(*event)
    query = Query(key=KEYS[0], now=log[-1][3] + 1_000 if log else 0, k=5, session=session)
    assert knn.index.session_of(query.key) == plain.session_of(query.key)
    scored, scores = knn.scores(query)
    found = {knn.index.names[n]: score for n, score in zip(scored.tolist(), scores.tolist(), strict=True)}
    assert found == pytest.approx(plain.scores(query), rel=1e-9, abs=1e-12)
    again = knn.rank(query)
    assert again == sorted(found.items(), key=lambda each: (-each[1], each[0]))[:5]


def test_of_equally_near_sessions_those_that_began_later_are_kept() -> None:
    rows, nearness = np.array([1, 3, 2, 0], np.int64), np.array([0.5, 0.5, 0.9, 0.5])
    # Of four rows the newest session, number 5, is in row 1, the oldest one in row 2.
    assert keep_nearest(rows, nearness, 4, 3, 5, 4) == 3
    assert rows[:3].tolist() == [2, 1, 0]


def test_a_session_is_known_by_its_id_and_without_one_by_the_idle_gap() -> None:
    index = SessionIndex(gap_ms=10)
    index.learn_one("u:a", "one", "tea", 0)
    index.learn_one("u:a", "two", "cup", 1)
    index.learn_one("u:a", "one", "pot", 500)
    assert index.items[0, :2].tolist() == index.numbers(["tea", "pot"]).tolist()
    assert index.session_of("u:a") == 0
    index.learn_one("u:a", None, "mat", 505)
    assert index.newest == 1
    index.learn_one("u:a", None, "mat", 516)
    assert index.newest == 2


def test_popular_items_are_those_held_most_often() -> None:
    index = SessionIndex(sessions=40)
    for n in range(80):
        for item in ("often", f"i{n}", *(["sometimes"] if n % 2 else [])):
            index.learn_one(f"s:{n}", None, item, n)
    assert index.popular(2) == ["often", "sometimes"]
    assert len(index.popular(10)) == 10
    assert set(index.popular(100)) <= set(index.known())


def test_more_places_than_can_be_numbered_are_refused() -> None:
    with pytest.raises(ValueError, match="expected at most 2147483647: hold fewer sessions"):
        SessionIndex(sessions=10**8, width=32)


def test_the_current_session_is_not_its_own_neighbour_even_when_it_is_longer_than_a_row() -> None:
    knn = SessionKnn(VSTAN, SessionIndex(width=2))
    for item in ("tea", "cup", "tea", "pot", "tea"):
        knn.learn_view("s:a", item, 0)
    assert knn.rank(Query(key="s:a", now=1, k=9, session=["tea"])) == []
    assert {item for item, _ in knn.rank(Query(key="s:b", now=1, k=9, session=["tea"]))} == {
        "tea",
        "cup",
        "pot",
    }


def test_excluded_items_make_room_for_others_and_equal_scores_go_by_id() -> None:
    knn = SessionKnn(msgspec.structs.replace(EXACT, sample=100))
    for n in range(6):
        knn.learn_view(f"s:{n}", "tea", n)
        knn.learn_view(f"s:{n}", f"i{n}", n)
    query = Query(key="s:x", now=9, k=2, session=["tea"], exclude=frozenset({"tea", "i5"}))
    assert [item for item, _ in knn.rank(query)] == ["i4"]
    wide = SessionKnn(msgspec.structs.replace(EXACT, sample=100, neighbours=100), knn.index)
    assert [item for item, _ in wide.rank(query)] == ["i0", "i1"]


def test_what_follows_what_is_found_and_learned_from_the_last_event() -> None:
    knn = SessionKnn()
    for n in range(30):
        for place, item in enumerate((f"lamp{n % 3}", f"bulb{n % 3}")):
            line = Line(item, [])
            knn.learn_one(Event(f"s:{n}", "view", 1_000 * n + place, "browses", 0, n, 0, 0, lines=[line]))
    for n in range(3):
        best = knn.rank(Query(key="s:new", now=40_000, k=2, session=[f"lamp{n}"]))
        assert {item for item, _ in best} == {f"lamp{n}", f"bulb{n}"}
    knn.learn_one(Event("s:40", "impression", 40_000, "impressions", 0, 0, 0, 0, lines=[Line("shown", [])]))
    assert knn.index.numbers(["shown"]).tolist() == [-1]


def test_memory_is_flat_on_a_stream_ten_times_longer_than_the_bound() -> None:
    index = SessionIndex(sessions=100, width=4)
    sizes = []
    for n in range(1_000):
        for place in range(6):
            index.learn_one(f"s:{n}", str(n), f"i{n}-{place}", n)
        if n % 100 == 99:
            sizes.append((len(index.known()), len(index.names), len(index.heads), len(index.counts)))
    assert sizes[1:] == sizes[:1] * 9
    assert sizes[0][0] <= 400
    assert index.session_of("s:0") == -1


@pytest.mark.parametrize(
    ("decay", "position", "match"),
    [
        ("same", [1, 1, 1], [1, 1, 1]),
        ("div", [1 / 3, 2 / 3, 1], [1 / 3, 1 / 2, 1]),
        ("linear", [0.8, 0.9, 1], [0.7, 0.8, 0.9]),
        ("quadratic", [1 / 9, 4 / 9, 1], [1 / 9, 1 / 4, 1]),
        ("log", [1.7599, 2.3182, 4.3394], [1.4879, 1.7599, 2.3182]),
        ("exp", [0.3679, 0.6065, 1], [0.3679, 0.6065, 1]),
    ],
)
def test_weights_fall_with_the_distance_from_the_end(
    decay: str, position: list[float], match: list[float]
) -> None:
    weighting = msgspec.convert(
        {"position": decay, "match": decay, "position_span": 2.0, "match_span": 2.0}, Weighting
    )
    in_similarity, of_match = weights(weighting, 3)
    assert in_similarity == pytest.approx(position, abs=1e-4)
    assert of_match == pytest.approx(match, abs=1e-4)
