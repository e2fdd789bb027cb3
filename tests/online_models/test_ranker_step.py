"""The ranker as a step: it learns as the ranker itself does, keeps all in one row, finds what comes next."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from online_models import bounds
from online_models.checks.doubles import Kept
from online_models.lessons import Teacher
from online_models.list_features import FEATURES, VERSION, prior
from online_models.memory_store import MemoryStore
from online_models.memory_views import MemoryViews
from online_models.protocols import Request
from online_models.ranker import ListwiseRanker
from online_models.ranker_step import KEY, RankerStep
from online_models.ranking import LearnedOrder, ListCandidates
from online_models.session_index import SessionIndex
from schemas.messages import Event, Lesson, Line, RankerWeights
from schemas.settings import RankerSettings, Settings
from schemas.state import HistoryRow, RankerRow, SessionMark
from tests.online_models.shop_views import NOW

Matrix = NDArray[np.float32]


def features_of(candidates: int, seed: int) -> NDArray[np.float16]:
    drawn = np.random.default_rng(seed)
    return (drawn.random((candidates, FEATURES)) * (drawn.random((candidates, FEATURES)) < 0.4)).astype("<f2")


def a_lesson(seed: int, *, candidates: int = 6, chosen: list[int] | None = None) -> Lesson:
    places = [seed % candidates] if chosen is None else chosen
    return Lesson(seed, VERSION, FEATURES, places, features_of(candidates, seed).tobytes())


def flat(ranker: ListwiseRanker) -> list[bytes]:
    return [array.tobytes() for array in ranker.arrays()]


def kept(row: RankerRow | None) -> list[bytes]:
    assert row is not None
    return [bytes(each) for each in (row.weights, row.out, row.squares, row.out_squares)]


@settings(max_examples=20)
@given(
    st.lists(st.tuples(st.integers(2, 9), st.lists(st.integers(0, 1), max_size=3)), min_size=1, max_size=8)
)
def test_it_learns_as_the_ranker_itself_does(lists: list[tuple[int, list[int]]]) -> None:
    step = RankerStep(rows := MemoryStore(RankerRow))
    ranker = ListwiseRanker(FEATURES, prior=prior())
    for seed, (candidates, chosen) in enumerate(lists):
        lesson = a_lesson(seed, candidates=candidates, chosen=chosen)
        assert step.learn_one(lesson) == []
        for place in chosen:
            ranker.learn_one(features_of(candidates, seed).astype(np.float32), place)
    row = rows.get(KEY)
    assert kept(row) == flat(ranker)
    assert row is not None
    assert (row.version, row.width, row.learned) == (VERSION, FEATURES, len(lists))


def test_a_row_is_learned_on_where_it_was_left() -> None:
    whole, first = MemoryStore(RankerRow), MemoryStore(RankerRow)
    for seed in range(9):
        RankerStep(whole).learn_one(a_lesson(seed))
        if seed < 4:
            RankerStep(first).learn_one(a_lesson(seed))
    stored = msgspec.msgpack.decode(first.rows()[KEY], type=RankerRow)
    second = MemoryStore(RankerRow)
    second.put(KEY, stored)
    for seed in range(4, 9):
        RankerStep(second).learn_one(a_lesson(seed))
    assert second.rows() == whole.rows()


def test_all_is_in_one_row_within_its_bound() -> None:
    step = RankerStep(rows := MemoryStore(RankerRow))
    sizes = set()
    for seed in range(5):
        assert step.key(a_lesson(seed)) == KEY
        step.learn_one(a_lesson(seed, candidates=48))
        sizes.add(len(rows.rows()[KEY]))
    assert set(rows.rows()) == {KEY}
    assert len(sizes) == 1
    assert max(sizes) <= bounds.ranker(Settings(), 16)["w"] < max(sizes) + 2_000


@pytest.mark.parametrize(
    ("version", "width"), [(VERSION + 1, FEATURES), (0, FEATURES), (VERSION, FEATURES - 1)]
)
def test_a_lesson_of_other_features_is_passed_over(version: int, width: int) -> None:
    step = RankerStep(rows := MemoryStore(RankerRow))
    other = Lesson(0, version, width, [0], bytes(2 * 3 * width))
    assert step.learn_one(other) == []
    assert (rows.rows(), step.weights()) == ({}, None)
    step.learn_one(a_lesson(1))
    before = rows.rows()
    assert step.learn_one(other) == []
    assert rows.rows() == before


@pytest.mark.parametrize(("version", "width"), [(VERSION + 1, FEATURES), (VERSION, FEATURES + 2)])
def test_what_was_learned_of_other_features_is_begun_anew(version: int, width: int) -> None:
    rows, fresh = MemoryStore(RankerRow), MemoryStore(RankerRow)
    arrays = ListwiseRanker(width).arrays()
    rows.put(KEY, RankerRow(version, width, 77, *(bytearray(array.tobytes()) for array in arrays)))
    assert RankerStep(rows).weights() is None
    RankerStep(rows).learn_one(a_lesson(1))
    RankerStep(fresh).learn_one(a_lesson(1))
    assert rows.rows() == fresh.rows()


def test_weights_are_given_out_as_they_are_and_not_changed_by_what_is_learned_later() -> None:
    rows: Kept[RankerRow] = Kept()
    step = RankerStep(rows)
    assert step.weights() is None
    ranker = ListwiseRanker(FEATURES, prior=prior())
    for seed in range(3):
        step.learn_one(a_lesson(seed))
        ranker.learn_one(features_of(6, seed).astype(np.float32), seed % 6)
    given_out = step.weights()
    weights, out = ranker.weights()
    expected = RankerWeights(VERSION, 3, FEATURES, len(out), weights.tobytes(), out.tobytes())
    assert given_out == expected
    step.learn_one(a_lesson(3))
    assert rows.kept[KEY].learned == 4
    assert given_out == expected
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(given_out), type=RankerWeights) == expected
    assert step.weights() != expected


def test_a_ranker_over_arrays_changes_them_as_it_learns() -> None:
    first = ListwiseRanker(4, units=3, seed=5)
    arrays = tuple(array.copy() for array in first.arrays())
    second = ListwiseRanker.over(*arrays)
    asked: Matrix = np.random.default_rng(2).random((5, 4)).astype(np.float32)
    for n in range(7):
        first.learn_one(asked, n % 5)
        second.learn_one(asked, n % 5)
    assert [array.tobytes() for array in arrays] == flat(first)
    assert second.score_many(asked).tolist() == first.score_many(asked).tolist()


@settings(max_examples=20)
@given(st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=8), st.integers(1, 6), st.integers(0, 99))
def test_before_anything_is_learned_scores_are_as_the_prior_weighs(
    weights: list[float], candidates: int, seed: int
) -> None:
    ranker = ListwiseRanker(len(weights), prior=weights)
    asked = np.random.default_rng(seed).random((candidates, len(weights))).astype(np.float32)
    assert ranker.score_many(asked).tolist() == pytest.approx((asked @ np.array(weights)).tolist(), abs=1e-4)


def test_what_the_prior_does_not_weigh_is_learned_all_the_same() -> None:
    ranker = ListwiseRanker(2, units=16, prior=[4.0, 0.0])
    matrix = np.array([[0, 0], [1, 1], [0, 1], [1, 0]], np.float32)
    for n in range(2_000):
        ranker.learn_one(matrix, 2 + n % 2)
    scores = ranker.score_many(matrix)
    assert scores[2:].min() > scores[:2].max() + 1


def test_it_learns_that_repeats_come_next() -> None:
    """A shop in which everybody comes back to the first item of a session, though others are more popular."""
    index, drawn = SessionIndex(), np.random.default_rng(3)
    items = [f"i{n:02}" for n in range(20)]
    views = MemoryViews(popular={"all": [(item, 20.0 - n) for n, item in enumerate(items)]}, sessions=index)
    step, using = RankerStep(MemoryStore(RankerRow)), Settings(ranker=RankerSettings(warm_up=1))
    teacher = Teacher(views, using)
    for n in range(150):
        key, (first, second) = f"s:{n}", (items[each] for each in drawn.choice(20, 2, replace=False))
        at, history = NOW + 1_000 * n, HistoryRow(sessions=[SessionMark(None, 0, NOW + 1_000 * n, [])])
        for item in (first, second, first):
            event = Event(key, "view", at, "browses", 0, n, at, at, lines=[Line(item, [])])
            made = teacher.lessons(event, history) if history.sessions[0].acts else []
            for lesson in made if item == first else ():
                step.learn_one(lesson)
            index.learn_one(key, None, item, at)
            history.sessions[0].acts.append(item)
        views.ranker_weights = step.weights()
    order, lists = LearnedOrder(views, using.ranker), ListCandidates(views, using)
    assert order.ready()
    assert order.learned == 150
    right = 0
    for _ in range(20):
        acts = [items[each] for each in drawn.choice(20, 2, replace=False)]
        row = HistoryRow(sessions=[SessionMark(None, NOW, NOW, [], acts)])
        described = lists.describe(lists.find(Request(history=row, now=NOW, key="s:new")))
        right += described.names[int(order.scores(described).argmax())] == acts[0]
    assert right >= 18
