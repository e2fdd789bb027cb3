"""Lessons: which events become one, and what is in it."""

from zlib import crc32

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from online_models.lessons import MOST_WAITING, Teacher
from online_models.list_features import BY_EVIDENCE, FEATURES, VERSION, Described
from online_models.memory_views import MemoryViews
from online_models.protocols import Request
from online_models.ranker import ListwiseRanker
from online_models.ranking import LearnedOrder, ListCandidates
from online_models.session_index import SessionIndex
from schemas.messages import Event, Lesson, Line, RankerWeights
from schemas.settings import RankerSettings, Settings
from schemas.state import HistoryRow, SessionMark
from tests.online_models.shop_views import NOW, viewed

ACTIONS = ["view", "cart", "purchase", "rating"]


def an_event(*items: str, kind: str = "view", offset: int = 0, topic: str = "browses") -> Event:
    """An event that ingest read in a second of its own."""
    lines = [Line(item, []) for item in items]
    return Event("u:anna", kind, NOW, topic, 2, offset, NOW, NOW + 1_000 * offset, lines=lines)


def weights(learned: int, *, version: int = VERSION, seed: int = 1) -> RankerWeights:
    """A ranker's weights, drawn by chance."""
    matrix, out = ListwiseRanker(FEATURES, seed=seed).weights()
    return RankerWeights(version, learned, FEATURES, len(out), matrix.tobytes(), out.tobytes())


def a_teacher(learned: int = 0, **changes: float) -> Teacher:
    using = Settings(ranker=msgspec.convert(changes, RankerSettings))
    return Teacher(MemoryViews(ranker=weights(learned) if learned else None), using)


@pytest.mark.parametrize("kind", ACTIONS)
def test_every_action_becomes_a_lesson_at_first(kind: str) -> None:
    teacher = a_teacher(all_lessons=10)
    assert all(teacher.wants(an_event("tea", kind=kind, offset=n)) for n in range(50))
    assert a_teacher(10, all_lessons=10).wants(an_event("tea", kind=kind))


@pytest.mark.parametrize("kind", ["customer", "link", "impression", "erasure"])
def test_what_is_no_action_becomes_none(kind: str) -> None:
    assert not a_teacher().wants(an_event("tea", kind=kind))


def test_neither_do_events_without_items_or_consent_nor_any_for_a_ranker_that_is_switched_off() -> None:
    assert not a_teacher().wants(an_event())
    assert not a_teacher().wants(msgspec.structs.replace(an_event("tea"), profiling=False))
    assert not a_teacher(enabled=False).wants(an_event("tea"))


@pytest.mark.parametrize("times", [2, 10, 50])
def test_the_more_is_learned_the_fewer_events_become_lessons(times: int) -> None:
    teacher, asked = a_teacher(100 * times, all_lessons=100), 20_000
    wanted = sum(teacher.wants(an_event("tea", offset=n)) for n in range(asked))
    # Four standard deviations of so many draws.
    assert wanted / asked == pytest.approx(1 / times, abs=4 * (1 / times / asked) ** 0.5)


def test_an_event_that_becomes_a_lesson_later_would_have_become_one_before() -> None:
    teachers = [a_teacher(learned, all_lessons=100) for learned in (1_000, 500, 200, 100)]
    wanted = [{n for n in range(500) if teacher.wants(an_event("tea", offset=n))} for teacher in teachers]
    assert wanted[0] < wanted[1] < wanted[2] < wanted[3] == set(range(500))


@settings(max_examples=50)
@given(st.sampled_from(["browses", "purchases"]), st.integers(0, 3), st.integers(0, 10**6))
def test_whether_an_event_becomes_a_lesson_depends_on_its_place_alone(
    topic: str, partition: int, offset: int
) -> None:
    teacher = a_teacher(300, all_lessons=100)
    one = Event("u:anna", "view", 5, topic, partition, offset, 5, 6, lines=[Line("tea", [])])
    two = Event("s:x", "cart", 9, topic, partition, offset, 8, 9, "b-1", "s", lines=[Line("cup", ["a"], 2.0)])
    drawn = crc32(f"{topic}:{partition}:{offset}".encode()) / 2**32
    assert teacher.wants(one) == teacher.wants(two) == (drawn < 1 / 3)
    assert a_teacher(300, all_lessons=100).wants(one) == teacher.wants(one)


def test_weights_of_another_version_count_as_nothing_learned() -> None:
    views = MemoryViews(ranker=weights(10**9, version=VERSION + 1))
    teacher = Teacher(views, Settings(ranker=RankerSettings(all_lessons=1)))
    assert all(teacher.wants(an_event("tea", offset=n)) for n in range(20))


@pytest.mark.parametrize(("most", "tried"), [(3, [3, 3, 1]), (0, [10, 5, 1])])
def test_of_the_events_of_a_second_only_the_first_are_tried(most: int, tried: list[int]) -> None:
    teacher = a_teacher(tries_per_s=most)
    seconds = [[an_event("tea", offset=second)] * n for second, n in enumerate([10, 5, 1])]
    assert [sum(map(teacher.wants, events)) for events in seconds] == tried


def test_until_the_ranker_is_heard_of_only_so_many_lessons_are_made() -> None:
    views = a_shop()
    teacher = Teacher(views, Settings())
    made = 0
    for n in range(MOST_WAITING + 20):
        event = an_event("c", offset=n)
        if teacher.wants(event):
            made += len(teacher.lessons(event, HISTORY))
    assert made == MOST_WAITING
    views.ranker_weights = weights(MOST_WAITING)
    assert teacher.wants(an_event("c"))


ITEMS = [f"i{n:02}" for n in range(30)]
HISTORY = HistoryRow({"i05": viewed()}, [SessionMark(None, NOW, NOW, [], ["a", "b"])])


def a_shop(*, ranker: RankerWeights | None = None) -> MemoryViews:
    """Thirty popular items, the first of them most, and sessions that go on from a or b."""
    index = SessionIndex()
    for n, items in enumerate(["ac", "bd", "abe"]):
        for item in items:
            index.learn_one(f"s:{n}", None, item, NOW - 9)
    leaders = [(item, 30.0 - n) for n, item in enumerate(ITEMS)]
    return MemoryViews(popular={"all": leaders}, sessions=index, ranker=ranker)


def all_candidates(views: MemoryViews, using: Settings) -> Described:
    lists = ListCandidates(views, using)
    return lists.describe(lists.find(Request(history=HISTORY, now=NOW, key="u:anna")))


def features_of(lesson: Lesson) -> NDArray[np.float16]:
    found: NDArray[np.float16] = np.frombuffer(lesson.features, "<f2").reshape(-1, lesson.width)
    return found


def places_of(lesson: Lesson, described: Described) -> list[int]:
    """Which candidates are in a lesson: told by their features, which differ."""
    rounded = [row.tobytes() for row in described.features.astype("<f2")]
    assert len(set(rounded)) == len(rounded)
    return [rounded.index(row.tobytes()) for row in features_of(lesson)]


def a_lesson(
    *items: str, most: int = 12, ranker: RankerWeights | None = None
) -> tuple[Lesson, Described, list[str]]:
    """A lesson, all candidates there were, and the names of those that are in it."""
    using = Settings(ranker=RankerSettings(lesson_candidates=most, warm_up=1))
    views = a_shop(ranker=ranker)
    (lesson,) = Teacher(views, using).lessons(an_event(*items), HISTORY)
    described = all_candidates(views, using)
    return lesson, described, [described.names[n] for n in places_of(lesson, described)]


def test_a_lesson_says_what_was_acted_on() -> None:
    lesson, _, names = a_lesson("c", "i29", "nobody proposes it", kept := "i00")
    assert [names[place] for place in lesson.chosen] == ["c", "i29", kept]
    assert (lesson.at, lesson.version, lesson.width) == (NOW, VERSION, FEATURES)


def test_a_lesson_holds_the_best_some_of_the_others_and_what_was_acted_on() -> None:
    lesson, described, names = a_lesson("i29", most=12)
    assert 12 <= len(names) <= 13
    by_evidence = described.features[:, BY_EVIDENCE]
    best = [described.names[n] for n in np.argsort(-by_evidence, kind="stable")[:8]]
    assert {*best, "i29"} <= set(names)
    others = [n for n, name in enumerate(described.names) if name in set(names) - {*best, "i29"}]
    # Evenly: not those next to the best alone.
    assert by_evidence[others].min() < np.median(by_evidence)
    assert np.all(features_of(lesson) == described.features[places_of(lesson, described)].astype("<f2"))


def test_of_a_large_order_the_first_ten_lines_are_learned() -> None:
    lesson, _, names = a_lesson(*ITEMS[:14])
    assert [names[place] for place in lesson.chosen] == ITEMS[:10]


@settings(max_examples=30)
@given(
    st.integers(1, 60),
    st.lists(st.sampled_from([*ITEMS, *"abcdex"]), min_size=1, max_size=14).filter(lambda x: set(x) != {"x"}),
)
def test_a_lesson_is_bounded_and_holds_what_was_acted_on(most: int, items: list[str]) -> None:
    using = Settings(ranker=RankerSettings(lesson_candidates=most))
    made = Teacher(a_shop(), using).lessons(an_event(*items, kind="purchase"), HISTORY)
    acted = [item for item in items[:10] if item != "x"]
    if not acted:
        assert made == []
        return
    (lesson,) = made
    described = all_candidates(a_shop(), using)
    places = places_of(lesson, described)
    assert [described.names[places[n]] for n in lesson.chosen] == acted
    total = len(described.names)
    assert min(most, total) <= len(places) <= min(total, most + len(set(acted)))
    assert places == sorted(set(places))


def test_once_the_ranker_orders_lists_the_best_are_those_it_scores_best() -> None:
    known = weights(5, seed=7)
    _, described, names = a_lesson("i29", most=12, ranker=known)
    order = LearnedOrder(MemoryViews(ranker=known), RankerSettings(warm_up=1))
    assert order.ready()
    best = np.argsort(-order.scores(described), kind="stable")[:8].tolist()
    assert {described.names[n] for n in best} <= set(names)
    assert {described.names[n] for n in best} != {
        described.names[n] for n in np.argsort(-described.features[:, BY_EVIDENCE], kind="stable")[:8]
    }


def test_features_come_back_from_a_message_as_they_were_in_half_precision() -> None:
    lesson, described, _ = a_lesson("c")
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(lesson), type=Lesson)
    assert again == lesson
    found = features_of(again).astype(np.float32)
    exact = described.features[places_of(lesson, described)]
    assert found == pytest.approx(exact, rel=2**-11, abs=2**-24)


def test_nothing_is_learned_of_strangers() -> None:
    teacher = Teacher(a_shop(), Settings())
    for item in ("c", "i00"):
        assert teacher.lessons(an_event(item), None) == []
        assert teacher.lessons(an_event(item), HistoryRow()) == []
        assert len(teacher.lessons(an_event(item), HISTORY)) == 1


def test_nothing_is_learned_where_nobody_proposed_it_or_nothing_else() -> None:
    assert Teacher(a_shop(), Settings()).lessons(an_event("x"), HISTORY) == []
    only = MemoryViews(popular={"all": [("tea", 1.0)]})
    row = HistoryRow(sessions=[SessionMark(None, NOW, NOW, [], ["a"])])
    assert Teacher(only, Settings()).lessons(an_event("tea"), row) == []
    only.popular_scopes["all"] = [("tea", 2.0), ("cup", 1.0)]
    assert len(Teacher(only, Settings()).lessons(an_event("tea"), row)) == 1


def test_a_lesson_changes_neither_views_nor_history() -> None:
    views = a_shop(ranker=weights(5))
    index = views.sessions()
    assert index is not None
    before = msgspec.msgpack.encode([index.rows(), HISTORY])
    one = Teacher(views, Settings()).lessons(an_event("c"), HISTORY)
    assert msgspec.msgpack.encode([index.rows(), HISTORY]) == before
    assert Teacher(views, Settings()).lessons(an_event("c"), HISTORY) == one != []


SHOWN = msgspec.structs.replace(
    HISTORY, shown=["i07", "nobody proposes it", "c", "i03"], shown_at=NOW - 60_000
)


def test_of_what_was_shown_and_acted_on_comes_a_lesson_of_its_own() -> None:
    views, using = a_shop(), Settings()
    first, second = Teacher(views, using).lessons(an_event("i03"), SHOWN)
    described = all_candidates(views, using)
    assert [first] == Teacher(views, using).lessons(an_event("i03"), HISTORY)
    names = [described.names[n] for n in places_of(second, described)]
    assert sorted(names) == ["c", "i03", "i07"]
    assert [names[place] for place in second.chosen] == ["i03"]


@pytest.mark.parametrize(
    ("item", "history"),
    [
        ("i05", SHOWN),
        ("i03", msgspec.structs.replace(SHOWN, shown_at=NOW - 1_800_001)),
        ("i03", msgspec.structs.replace(SHOWN, shown_at=NOW + 1)),
        ("i03", msgspec.structs.replace(SHOWN, shown=["i03", "nobody proposes it"])),
    ],
    ids=["was not shown", "long ago", "shown only later", "nothing else to choose"],
)
def test_what_was_not_chosen_among_what_was_shown_teaches_as_if_nothing_had_been(
    item: str, history: HistoryRow
) -> None:
    assert len(Teacher(a_shop(), Settings()).lessons(an_event(item), history)) == 1
