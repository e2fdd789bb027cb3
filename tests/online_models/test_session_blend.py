"""The blend learns its weights from the stream, beats what it is made of, and stays as large as it is."""

import random

from online_models.evaluation.contract import Contender, Query
from online_models.open_sessions import OpenSessions
from online_models.session_blend import SessionBlend
from online_models.session_contenders import SESSION_CONTENDERS
from online_models.session_index import SessionIndex
from schemas.messages import Event, Line

Session = list[str]


def event(key: str, item: str, at: int, kind: str = "view") -> Event:
    return Event(key, kind, at, "browses", 0, at, at, at, session_id=key, lines=[Line(item, [])])


def world(seed: int, sessions: int, *, back: float) -> list[Session]:
    """Make sessions that hop between two items of one group, and with some chance return to the first."""
    drawn = random.Random(seed)  # noqa: S311
    made = []
    for _ in range(sessions):
        group = drawn.randrange(15)
        session = [f"{group}-{drawn.randrange(6)}"]
        for _ in range(4):
            onward = f"{group}-{(int(session[-1].split('-')[1]) + 1) % 6}"
            session.append(session[0] if drawn.random() < back else onward)
        made.append(session)
    return made


def reciprocal_ranks(model: Contender, sessions: list[Session], first: int) -> float:
    """Predict, score, learn; the mean reciprocal rank from session number `first` on."""
    found = []
    for n, session in enumerate(sessions):
        key = f"s:{n}"
        for place, item in enumerate(session):
            at = 10_000 * n + place
            if place and n >= first:
                ranked = [
                    each for each, _ in model.rank(Query(key=key, now=at, k=10, session=session[:place]))
                ]
                found.append(1 / (1 + ranked.index(item)) if item in ranked else 0.0)
            model.learn_one(event(key, item, at))
    return sum(found) / len(found)


def test_it_learns_what_to_trust_and_beats_what_it_is_made_of() -> None:
    sessions = world(1, 600, back=0.6)
    found = {name: reciprocal_ranks(make(), sessions, first=400) for name, make in SESSION_CONTENDERS.items()}
    assert set(found) == {"vsknn", "stan", "vstan", "ar", "sr", "session-blend", "users", "factors"}
    blend = found.pop("session-blend")
    assert blend > 1.05 * max(found.values())


def test_the_same_stream_gives_the_same_lists() -> None:
    sessions = world(2, 60, back=0.3)
    first, second = SessionBlend(), SessionBlend()
    for model in (first, second):
        reciprocal_ranks(model, sessions, first=50)
    query = Query(key="s:x", now=10**7, k=10, session=["3-1", "3-2"])
    assert first.rank(query) == second.rank(query)
    assert first.rank(query) == first.rank(query)
    assert len(first.rank(query)) >= 5


def test_excluded_items_are_not_ranked_and_popular_ones_fill_up() -> None:
    model = SessionBlend()
    reciprocal_ranks(model, [["a", "b", "c"]] * 5 + [["d", "e"], ["d", "d"]], first=6)
    ranked = model.rank(Query(key="s:x", now=10**7, k=4, session=["a"], exclude=frozenset({"b"})))
    assert {item for item, _ in ranked[:2]} == {"a", "c"}
    assert [item for item, _ in ranked[2:]] == ["d", "e"]
    assert ranked == sorted(ranked, key=lambda each: -each[1])
    assert [item for item, _ in model.rank(Query(key="s:x", now=10**7, k=2))] == ["a", "b"]


def test_all_lines_of_a_large_order_are_learned() -> None:
    model = SessionBlend()
    lines = [Line(f"i{n}", []) for n in range(40)]
    for n in range(3):
        model.learn_one(Event(f"s:{n}", "purchase", n, "purchases", 0, n, n, n, lines=lines))
    assert model.held() == (40, 3)
    assert len(model.rank(Query(key="s:x", now=9, k=40, session=["i39"]))) == 40


def test_who_comes_back_is_asked_by_the_last_session() -> None:
    model = SessionBlend()
    for n in range(30):
        for place, item in enumerate(("tea", "cup", "pot")):
            model.learn_view(f"s:{n}", item, n)
            model.learn_view(f"r:{n}", f"{item}s", n + place)
    model.learn_view("u:anna", "pot", 1_000)
    ranked = model.rank(Query(key="u:anna", now=10**9, k=2))
    assert [item for item, _ in ranked[:1]] != ["teas"]
    assert {item for item, _ in ranked} <= {"tea", "cup", "pot"}


def test_only_what_puts_items_into_a_session_teaches() -> None:
    model = SessionBlend()
    for item in "ab":
        model.learn_one(event("s:a", item, 0, kind="impression"))
    assert model.rank(Query(key="s:x", now=1, k=10, session=["a"])) == []


def test_memory_is_flat_on_a_stream_ten_times_longer_than_the_bound() -> None:
    model = SessionBlend(SessionIndex(sessions=40, width=8), sessions=OpenSessions(sessions=30))
    sizes = []
    for n in range(400):
        for place in range(5):
            model.learn_one(event(f"s:{n}", f"i{n % 97}-{place % 3}", 10 * n + place))
        if n % 40 == 39:
            sizes.append(model.held())
    assert sizes == [(120, 30)] * 10
