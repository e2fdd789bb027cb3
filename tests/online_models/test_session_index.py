"""The index of sessions learns facts: of sessions, orders, erasures that leave no trace; a copy goes on."""

from typing import NamedTuple

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from online_models.evidence import ItemNumbers, Renumbered
from online_models.session_candidates import SessionCandidates
from online_models.session_index import SessionIndex
from schemas.messages import Fact, Line
from schemas.state import SessionRows

KEYS = ["u:anna", "u:bert", "s:one", "s:two"]
ITEMS = [f"i{n}" for n in range(7)]
BOUNDS = [(3, 2), (6, 3), (50, 32)]


def a_fact(key: str, items: str | list[str], at: int = 0, *, start: bool = False, kind: str = "view") -> Fact:
    return Fact(key, kind, at, [Line(item, []) for item in items], [0] * len(items), start, [])


def an_erasure(key: str, at: int = 0) -> Fact:
    return Fact(key, "erasure", at, [], [], False, [])


class Session(NamedTuple):
    """A row of an index, its items by name, repeats kept."""

    owners: tuple[int, int]
    last_at: int
    distinct: int
    root: int
    items: list[str]


def sessions_of(index: SessionIndex) -> list[Session]:
    """What an index holds, oldest first; roots are places in this list, -1 where they are forgotten."""
    rows = index.rows()
    about = np.frombuffer(rows.about, np.int64).reshape(-1, 4)
    owners = np.frombuffer(rows.owners, np.int64).reshape(-1, 2)
    items = np.frombuffer(rows.items, np.int32).reshape(-1, rows.width)
    held = [n for n in range(rows.newest - len(about) + 1, rows.newest + 1) if about[n % len(about), 1]]
    found = []
    for number in held:
        row = number % len(about)
        last_at, length, distinct, root = about[row].tolist()
        names = [rows.names[n if n >= 0 else ~n] for n in items[row, :length].tolist()]
        key, owner = owners[row].tolist()
        begun = held.index(root) if root in held else -1
        found.append(Session((key, owner), last_at, distinct, begun, names))
    return found


def counts_of(index: SessionIndex) -> dict[str, int]:
    known = sorted(index.known())
    return dict(zip(known, index.counts[index.numbers(known)].tolist(), strict=True))


def items_of(index: SessionIndex) -> list[list[str]]:
    return [session.items for session in sessions_of(index)]


def neighbours_of(index: SessionIndex, session: list[str], key: str = "") -> list[list[str]]:
    """The items of the sessions like some session."""
    by_row = {}
    for row in index.neighbours(index.numbers(session), index.session_of(key), 99).tolist():
        length = int(index.about[row, 1])
        by_row[row] = [index.names[n if n >= 0 else ~n] for n in index.items[row, :length].tolist()]
    return sorted(by_row.values())


def learn(index: SessionIndex, facts: list[Fact]) -> SessionIndex:
    for fact in facts:
        index.learn_fact(fact)
    return index


def test_a_session_ends_where_the_history_step_opened_the_next() -> None:
    index = SessionIndex(gap_ms=1)
    starts = [True, False, True, False]
    learn(index, [a_fact("u:anna", [item], 99 * n, start=starts[n]) for n, item in enumerate("abca")])
    assert items_of(index) == [["a", "b"], ["c", "a"]]
    assert [session.last_at for session in sessions_of(index)] == [99, 297]
    assert index.session_of("u:anna") == 1


def test_a_guest_is_one_session_whatever_the_history_step_says() -> None:
    index = SessionIndex(gap_ms=1)
    learn(index, [a_fact("s:one", [item], 9_999 * n, start=True) for n, item in enumerate("abc")])
    assert items_of(index) == [["a", "b", "c"]]


def test_all_lines_of_an_order_are_in_the_session_that_it_opens() -> None:
    index = SessionIndex()
    learn(index, [a_fact("u:anna", "x", start=True), a_fact("u:anna", "aba", 5, start=True, kind="purchase")])
    assert items_of(index) == [["x"], ["a", "b", "a"]]
    assert sessions_of(index)[1].distinct == 2
    assert counts_of(index) == {"a": 2, "b": 1, "x": 1}


@pytest.mark.parametrize("kind", ["view", "cart", "purchase", "rating"])
def test_every_action_is_learned(kind: str) -> None:
    assert items_of(learn(SessionIndex(), [a_fact("u:anna", "a", start=True, kind=kind)])) == [["a"]]


@pytest.mark.parametrize("kind", ["customer", "link", "impression"])
def test_what_is_no_action_is_not(kind: str) -> None:
    index = learn(SessionIndex(), [a_fact("u:anna", "a", start=True, kind=kind)])
    assert (index.newest, index.known()) == (-1, [])


def test_a_session_whose_row_is_full_goes_on_in_the_next_and_is_still_one() -> None:
    index = SessionIndex(width=2)
    learn(index, [a_fact("u:anna", "abcde", start=True, kind="purchase"), a_fact("u:bert", "e", start=True)])
    assert items_of(index) == [["a", "b"], ["c", "d"], ["e"], ["e"]]
    assert [session.root for session in sessions_of(index)] == [0, 0, 0, 3]
    assert index.session_of("u:anna") == 0
    assert neighbours_of(index, ["a", "c", "e"], "u:anna") == [["e"]]


def test_a_session_that_was_forgotten_meanwhile_begins_anew() -> None:
    index = SessionIndex(sessions=1)
    learn(
        index, [a_fact("u:anna", "a", start=True), a_fact("u:bert", "b", start=True), a_fact("u:anna", "c")]
    )
    assert items_of(index) == [["c"]]
    assert (index.session_of("u:anna"), index.session_of("u:bert")) == (2, -1)


def test_the_sessions_of_an_erased_key_are_nobodys_neighbours() -> None:
    facts = [a_fact("u:anna", "ab", start=True, kind="purchase"), a_fact("u:bert", "bc", start=True)]
    index = learn(SessionIndex(), [*facts, a_fact("u:anna", "cz", 9, start=True)])
    assert neighbours_of(index, ["b"]) == [["a", "b"], ["b", "c"]]
    index.learn_fact(an_erasure("u:anna", 10))
    assert neighbours_of(index, ["a", "b", "c", "z"]) == [["b", "c"]]
    assert index.numbers(["a", "z"]).tolist() == [-1, -1]
    assert counts_of(index) == {"b": 1, "c": 1}
    assert index.session_of("u:anna") == -1
    assert not {"a", "z"} & set(index.popular(99))
    learn(index, [a_fact("u:anna", "q")])
    assert items_of(index) == [["b", "c"], ["q"]]


def test_an_erasure_of_a_key_that_is_not_held_changes_nothing() -> None:
    index = learn(SessionIndex(), [a_fact("u:anna", "ab", start=True)])
    before = index.rows()
    index.learn_fact(an_erasure("u:bert"))
    assert index.rows() == before


def test_no_key_is_in_what_is_saved() -> None:
    index = learn(SessionIndex(), [a_fact("u:anna", "ab", start=True), a_fact("s:guest-77", "c")])
    raw = msgspec.msgpack.encode(index.rows())
    assert b"anna" not in raw
    assert b"guest-77" not in raw


@pytest.mark.parametrize("erased_first", [True, False])
def test_nothing_is_saved_of_an_erased_key(erased_first: bool) -> None:
    index = SessionIndex(sessions=4, width=3)
    facts = [a_fact("u:bert", "bc", 7_777, start=True), a_fact("u:anna", "abc", 123_456_789, start=True)]
    learn(index, (facts[::-1] if erased_first else facts) + [a_fact("s:one", "ba", 7_779)])
    index.learn_fact(an_erasure("u:anna"))
    rows = index.rows()
    row = 0 if erased_first else 1
    for raw, size in ((rows.items, 12), (rows.links, 24), (rows.about, 32), (rows.owners, 16)):
        assert raw[row * size : (row + 1) * size] == bytes(size)
    assert items_of(index) == [["b", "c"], ["b", "a"]]


def test_nothing_is_left_behind_the_items_of_who_took_the_row_of_an_erased_key() -> None:
    index = SessionIndex(sessions=2, width=3)
    learn(index, [a_fact("u:anna", "abc", start=True), a_fact("s:one", "abc"), a_fact("s:two", "a")])
    index.learn_fact(an_erasure("u:anna"))
    rows = index.rows()
    assert np.frombuffer(rows.items, np.int32).reshape(2, 3)[0].tolist() == [0, 0, 0]
    assert np.frombuffer(rows.links, np.int32).reshape(2, 3, 2)[0, 1:].tolist() == [[0, 0], [0, 0]]


@st.composite
def logs(draw: st.DrawFn, *, erasures: bool = True) -> list[Fact]:
    """Facts of some customers and guests, the first of each opens a session; some ask to be forgotten."""
    at, log, known = 0, list[Fact](), set[str]()
    for step in draw(st.lists(st.integers(0, 4_000), max_size=40)):
        at += step
        key = draw(st.sampled_from(KEYS))
        if erasures and draw(st.integers(0, 9)) == 0:
            log.append(an_erasure(key, at))
            known.discard(key)
            continue
        items = draw(st.lists(st.sampled_from(ITEMS), min_size=1, max_size=3))
        start = key not in known or draw(st.integers(0, 2)) == 0
        log.append(a_fact(key, items, at, start=start, kind="purchase"))
        known.add(key)
    return log


@settings(max_examples=60)
@given(logs(erasures=False), st.sampled_from(KEYS), st.lists(st.sampled_from(ITEMS), min_size=1, max_size=4))
def test_after_an_erasure_all_is_as_if_the_key_had_never_been(
    log: list[Fact], key: str, session: list[str]
) -> None:
    erased, never = SessionIndex(width=3), SessionIndex(width=3)
    learn(erased, [*log, an_erasure(key)])
    learn(never, [fact for fact in log if fact.key != key])
    assert sessions_of(erased) == sessions_of(never)
    assert counts_of(erased) == counts_of(never)
    assert neighbours_of(erased, session) == neighbours_of(never, session)
    assert sorted(name for name in erased.rows().names if name) == sorted(never.known())
    assert set(erased.popular(99)) <= set(never.known())


def answers(index: SessionIndex, session: list[str]) -> list[object]:
    """All that may be asked of an index, apart from what is popular, which is counted now and then."""
    found = SessionCandidates(index).find("u:anna", session, 10**6)
    return [
        [index.session_of(key) for key in KEYS],
        index.numbers(ITEMS).tolist(),
        sorted(index.known()),
        index.neighbours(index.numbers(session), index.session_of("u:anna"), 3).tolist(),
        found.numbers.tolist(),
        found.features.tolist(),
    ]


@settings(max_examples=60)
@given(logs(), logs(), st.lists(st.sampled_from(ITEMS), min_size=1, max_size=4), st.sampled_from(BOUNDS))
def test_a_restored_index_answers_as_the_original_whatever_comes(
    before: list[Fact], behind: list[Fact], session: list[str], bounds: tuple[int, int]
) -> None:
    sessions, width = bounds
    original = learn(SessionIndex(sessions=sessions, width=width), before)
    rows = msgspec.msgpack.decode(msgspec.msgpack.encode(original.rows()), type=SessionRows)
    restored = SessionIndex(sessions=sessions, width=width)
    assert restored.restore(rows)
    assert restored.rows() == original.rows()
    assert answers(restored, session) == answers(original, session)
    for fact in behind:
        original.learn_fact(fact)
        restored.learn_fact(fact)
        assert answers(restored, session) == answers(original, session)
    assert restored.rows() == original.rows()


def test_what_is_saved_is_a_copy() -> None:
    index = learn(SessionIndex(), [a_fact("u:anna", "ab", start=True)])
    rows = index.rows()
    before = msgspec.msgpack.encode(rows)
    learn(index, [a_fact("u:anna", "c"), an_erasure("u:anna")])
    assert msgspec.msgpack.encode(rows) == before
    restored = SessionIndex()
    assert restored.restore(rows)
    learn(restored, [a_fact("u:anna", "d")])
    assert msgspec.msgpack.encode(rows) == before


@pytest.mark.parametrize(("sessions", "width"), [(4, 8), (9, 8), (5, 7)])
def test_an_index_of_other_bounds_takes_nothing_over(sessions: int, width: int) -> None:
    full = learn(SessionIndex(sessions=5, width=8), [a_fact(f"s:{n}", "ab") for n in range(9)])
    other = learn(SessionIndex(sessions=sessions, width=width), [a_fact("u:anna", "xy", start=True)])
    before = other.rows()
    assert not other.restore(full.rows())
    assert other.rows() == before
    assert SessionIndex(sessions=5, width=8).restore(full.rows())


def test_what_an_index_held_before_is_gone_once_it_takes_over_another() -> None:
    index = learn(SessionIndex(sessions=5), [a_fact(f"s:{n}", ["x", f"x{n}"]) for n in range(4)])
    other = learn(SessionIndex(sessions=5), [a_fact("u:anna", "ab", start=True)])
    assert index.restore(other.rows())
    assert sorted(index.known()) == ["a", "b"]
    assert index.session_of("s:0") == -1
    facts = [a_fact(f"s:{n}", ["a", f"y{n}"]) for n in range(9)]
    assert sessions_of(learn(index, facts)) == sessions_of(learn(other, facts))


def test_a_restored_index_knows_what_is_popular_from_the_next_fact_on() -> None:
    index = learn(SessionIndex(), [a_fact(f"s:{n}", ["often", f"i{n}"]) for n in range(9)])
    restored = SessionIndex()
    restored.restore(index.rows())
    restored.learn_fact(a_fact("s:9", ["i0"]))
    assert restored.popular(2) == ["often", "i0"]


def test_memory_is_flat_on_a_stream_ten_times_longer_than_the_bound_with_erasures() -> None:
    index = SessionIndex(sessions=100, width=4)
    sizes = []
    for n in range(1_000):
        for place in range(6):
            index.learn_fact(a_fact(f"u:{n}", [f"i{n}-{place}"], n, start=not place))
        if n % 5 == 4:
            index.learn_fact(an_erasure(f"u:{n - 2}"))
        if n % 100 == 99:
            raw = msgspec.msgpack.encode(index.rows())
            sizes.append((len(index.names), len(index.heads), len(index.counts), len(raw) // 1_000))
    assert max(sizes[1:]) <= sizes[0]
    assert len(index.known()) <= 400
    assert index.session_of("u:0") == -1
    assert index.session_of("u:997") == -1
    assert index.session_of("u:998") >= 0


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abcdefgh")), min_size=1, max_size=60))
def test_numbers_of_the_evidence_are_those_of_the_items_that_have_a_number_now(
    events: list[tuple[int, str]],
) -> None:
    index, numbers = SessionIndex(sessions=3, width=2), ItemNumbers()
    asked = Renumbered(index, numbers)
    for at, (key, item) in enumerate(events):
        index.learn_one(f"s:{key}", None, item, at)
        known = index.known()
        found = asked.of(index.numbers(known))
        assert [numbers.names[number] for number in found.tolist()] == known
    other = SessionIndex(sessions=3, width=2)
    assert other.restore(index.rows())
    after = Renumbered(other, numbers).of(other.numbers(other.known()))
    assert [numbers.names[number] for number in after.tolist()] == other.known()
