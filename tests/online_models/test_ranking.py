"""Chances, the ranker's weights as they are published, and what is asked for the candidates of a list."""

from math import exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from online_models.evidence import ItemNumbers
from online_models.list_features import BY_EVIDENCE, FEATURES, VERSION, Described
from online_models.memory_store import MemoryStore
from online_models.memory_views import MemoryViews
from online_models.protocols import Request
from online_models.ranker import ListwiseRanker
from online_models.ranker_step import RankerStep
from online_models.ranking import LearnedOrder, ListCandidates, as_chances
from online_models.session_index import SessionIndex
from schemas.messages import Lesson, RankerWeights
from schemas.settings import HistorySettings, RankerSettings, SessionsSettings, Settings
from schemas.state import HistoryRow, RankerRow, SessionMark
from tests.online_models.shop_views import NOW, facts, history, partners, viewed

_scores = st.lists(st.floats(-2_000, 2_000), min_size=1, max_size=20)


@settings(max_examples=100)
@given(_scores)
def test_chances_are_a_softmax_of_six_digits(scores: list[float]) -> None:
    chances = as_chances(np.array(scores)).tolist()
    most = max(scores)
    total = sum(exp(score - most) for score in scores)
    exact = [max(exp(score - most) / total, 1e-12) for score in scores]
    assert chances == pytest.approx(exact, rel=5.1e-6)
    assert all(0 < chance <= 1 for chance in chances)
    assert all(chance == float(f"{chance:.5e}") for chance in chances)


@settings(max_examples=100)
@given(_scores)
def test_a_higher_score_never_has_a_lower_chance(scores: list[float]) -> None:
    chances = as_chances(np.array(sorted(scores))).tolist()
    assert chances == sorted(chances)


@given(_scores, st.integers(-100, 100))
def test_chances_depend_on_differences_alone(scores: list[float], shift: int) -> None:
    whole = np.round(np.array(scores))
    assert as_chances(whole + shift).tolist() == as_chances(whole).tolist()


def test_no_candidates_have_no_chances_and_one_has_all() -> None:
    assert as_chances(np.zeros(0)).tolist() == []
    assert as_chances(np.array([-7.0])).tolist() == [1.0]


def a_list(candidates: int, seed: int = 0) -> Described:
    features = np.random.default_rng(seed).random((candidates, FEATURES)).astype(np.float32)
    known = ItemNumbers()
    return Described(known, known.of([f"i{n}" for n in range(candidates)]), features, 0)


def taught(lessons: int, *, chosen: int = 0) -> RankerStep:
    step = RankerStep(MemoryStore(RankerRow))
    for n in range(lessons):
        features = a_list(5, n).features.astype("<f2").tobytes()
        step.learn_one(Lesson(n, VERSION, FEATURES, [chosen], features))
    return step


def published(lessons: int, *, chosen: int = 0) -> RankerWeights:
    weights = taught(lessons, chosen=chosen).weights()
    assert weights is not None
    return weights


def test_nothing_is_ordered_before_enough_is_learned() -> None:
    views = MemoryViews()
    order = LearnedOrder(views, RankerSettings(warm_up=3))
    found = []
    for lessons in range(5):
        views.ranker_weights = taught(lessons).weights()
        found.append((order.learned, order.ready()))
    assert found == [(0, False), (1, False), (2, False), (3, True), (4, True)]


def test_a_ranker_that_is_switched_off_orders_nothing() -> None:
    views = MemoryViews(ranker=published(3))
    assert LearnedOrder(views, RankerSettings(warm_up=3)).ready()
    assert not LearnedOrder(views, RankerSettings(warm_up=3, enabled=False)).ready()


@pytest.mark.parametrize("version", [VERSION - 1, VERSION + 1])
def test_weights_of_other_features_are_as_none(version: int) -> None:
    known = published(3)
    other = RankerWeights(version, 99, known.width, known.units, known.weights, known.out)
    views = MemoryViews(ranker=other)
    order = LearnedOrder(views, RankerSettings(warm_up=1))
    assert (order.learned, order.ready()) == (0, False)
    views.ranker_weights = known
    assert (order.learned, order.ready()) == (3, True)


def test_scores_are_the_chances_that_the_ranker_itself_gives() -> None:
    step = RankerStep(rows := MemoryStore(RankerRow))
    for n in range(20):
        step.learn_one(Lesson(n, VERSION, FEATURES, [n % 5], a_list(5, n).features.astype("<f2").tobytes()))
    row = rows.get("ranker")
    assert row is not None
    arrays = (
        np.frombuffer(each, np.float32) for each in (row.weights, row.out, row.squares, row.out_squares)
    )
    order = LearnedOrder(MemoryViews(ranker=step.weights()), RankerSettings(warm_up=1))
    assert order.ready()
    asked = a_list(9, 99)
    own = ListwiseRanker.over(*arrays).score_many(asked.features)
    assert order.scores(asked).tolist() == as_chances(own.astype(np.float64)).tolist()
    assert len(set(order.scores(asked).tolist())) > 1
    assert order.scores(a_list(0)).tolist() == []


def test_new_weights_are_used_from_the_next_question_on() -> None:
    first, second, asked = published(30, chosen=0), published(30, chosen=3), a_list(6, 77)
    views = MemoryViews(ranker=first)
    order = LearnedOrder(views, RankerSettings(warm_up=1))
    assert order.ready()
    before = order.scores(asked).tolist()
    views.ranker_weights = second
    assert order.ready()
    after = order.scores(asked).tolist()
    assert before != after
    views.ranker_weights = first
    assert order.ready()
    assert order.scores(asked).tolist() == before


def test_weights_of_a_list_of_another_width_of_network_are_read_as_they_say() -> None:
    ranker = ListwiseRanker(FEATURES, units=3)
    weights, out = ranker.weights()
    views = MemoryViews(ranker=RankerWeights(VERSION, 9, FEATURES, 3, weights.tobytes(), out.tobytes()))
    order = LearnedOrder(views, RankerSettings(warm_up=1))
    assert order.ready()
    expected = as_chances(ranker.score_many(a_list(4).features).astype(np.float64))
    assert order.scores(a_list(4)).tolist() == expected.tolist()


def sessions(*lists: str) -> SessionIndex:
    index = SessionIndex()
    for n, items in enumerate(lists):
        for item in items:
            index.learn_one(f"s:{n}", None, item, NOW)
    return index


def a_request(acts: str = "", *, earlier: str = "", key: str = "u:anna", ago_ms: int = 0) -> Request:
    marks = [SessionMark("old", 0, 5, [], list(earlier))] if earlier else []
    marks += [SessionMark("new", NOW - ago_ms, NOW - ago_ms, [], list(acts))] if acts else []
    return Request(history=HistoryRow(sessions=marks), now=NOW, key=key)


def test_sessions_and_all_other_sources_are_asked() -> None:
    views = MemoryViews(
        neighbours=[partners("tea", [("cup", 0.8, 15.0)])],
        popular={"all": [("jam", 2.0)]},
        sessions=sessions("ab", "bc"),
    )
    row = history(tea=viewed())
    row.sessions.append(SessionMark(None, NOW, NOW, [], ["a"]))
    lists = ListCandidates(views, Settings())
    found = lists.describe(lists.find(Request(history=row, now=NOW, key="u:anna")))
    assert set(found.names[: found.by_sessions]) == {"a", "b", "c"}
    assert set(found.names[found.by_sessions :]) == {"tea", "cup", "jam"}


def test_without_a_session_index_or_a_history_the_evidence_is_all_there_is() -> None:
    views = MemoryViews(popular={"all": [("jam", 2.0), ("mat", 1.0)]})
    lists = ListCandidates(views, Settings())
    for history_row in (None, HistoryRow(), a_request("a").history):
        found = lists.describe(lists.find(Request(history=history_row, now=NOW)))
        assert (found.names, found.by_sessions) == (["jam", "mat"], 0)
    views.session_index = sessions("ab")
    assert lists.describe(lists.find(Request(history=None, now=NOW))).by_sessions == 0
    assert lists.describe(lists.find(a_request("a"))).by_sessions == 2


def test_another_index_is_asked_as_soon_as_it_is_there() -> None:
    views = MemoryViews(sessions=sessions("ab"))
    lists = ListCandidates(views, Settings())
    assert set(lists.describe(lists.find(a_request("a"))).names) == {"a", "b"}
    views.session_index = sessions("ac")
    assert set(lists.describe(lists.find(a_request("a"))).names) == {"a", "c"}
    views.session_index = None
    assert lists.describe(lists.find(a_request("a"))).names == []


def test_the_own_session_proposes_nothing_to_itself() -> None:
    views = MemoryViews(sessions=sessions("ab"))
    lists = ListCandidates(views, Settings())
    by_others = lists.describe(lists.find(a_request("a", key="u:anna")))
    by_itself = lists.describe(lists.find(a_request("a", key="s:0")))
    assert set(by_others.names) == {"a", "b"}
    assert by_itself.names == ["a"]


def test_a_session_is_open_until_the_gap_is_over_and_a_guests_for_ever() -> None:
    using = Settings(history=HistorySettings(session_gap_s=10))
    lists = ListCandidates(MemoryViews(), using)

    def asked(ago_ms: int, key: str) -> tuple[list[str], list[str]]:
        found = lists.find(a_request("ab", earlier="x", key=key, ago_ms=ago_ms))
        return found.session, found.earlier

    assert asked(10_000, "u:anna") == (["a", "b"], ["x"])
    assert asked(10_001, "u:anna") == ([], ["x", "a", "b"])
    assert asked(10_001, "s:one") == (["x", "a", "b"], [])


def test_sessions_propose_no_more_than_is_set() -> None:
    index = sessions(*(f"a{chr(98 + n)}" for n in range(20)))
    few = ListCandidates(MemoryViews(sessions=index), Settings(sessions=SessionsSettings(candidates=4)))
    many = ListCandidates(MemoryViews(sessions=index), Settings())
    assert few.describe(few.find(a_request("a"))).by_sessions == 4
    assert many.describe(many.find(a_request("a"))).by_sessions == 21


def test_what_is_found_can_be_widened_before_it_is_described() -> None:
    views = MemoryViews(
        popular={"all": [("tea", 2.0)], "category:x": [("mint", 1.0), ("sage", 0.5)]},
        items=[facts("tea", ["x"])],
    )
    lists = ListCandidates(views, Settings())
    found = lists.find(Request(history=None, now=NOW))
    assert lists.describe(found).names == ["tea"]
    found.widen(lambda _: True, missing=9)
    wide = lists.describe(found)
    assert wide.names == ["tea", "mint", "sage"]
    assert wide.features[:, BY_EVIDENCE].tolist() == sorted(wide.features[:, BY_EVIDENCE].tolist())[::-1]
