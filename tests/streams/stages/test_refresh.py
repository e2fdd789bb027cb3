"""Refreshes: the first is never delayed, the newest never dropped, and there is one per interval at most."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.state import Pending
from streams.stages.refresh import MAX_CAUSES, RefreshQueue

INTERVAL = 100
KEYS = st.sampled_from("ab")


def a_cause(n: int) -> Pending:
    return Pending("browses", 0, n, n, n, n, [f"b-{n}"])


def taken(queue: RefreshQueue, now: int) -> list[tuple[str, Pending]]:
    found = []
    while (due := queue.take(now=now)) is not None:
        found.append(due)
    return found


def keys_taken(queue: RefreshQueue, now: int) -> list[str]:
    return [key for key, _ in taken(queue, now)]


def test_the_first_is_due_at_once_and_the_next_after_the_interval() -> None:
    queue = RefreshQueue({}, interval_ms=INTERVAL)
    queue.add("a", a_cause(1), now=1_000)
    assert keys_taken(queue, 1_000) == ["a"]
    queue.add("a", a_cause(2), now=1_001)
    assert keys_taken(queue, 1_099) == []
    assert keys_taken(queue, 1_100) == ["a"]


def test_a_customer_who_waited_long_enough_is_first_again() -> None:
    queue = RefreshQueue({}, interval_ms=INTERVAL)
    queue.add("a", a_cause(1), now=0)
    assert keys_taken(queue, 0) == ["a"]
    queue.add("a", a_cause(2), now=100)
    assert keys_taken(queue, 100) == ["a"]


def test_coalesced_refreshes_name_the_newest_record_and_all_their_events() -> None:
    queue = RefreshQueue({}, interval_ms=INTERVAL)
    for n in range(3):
        queue.add("a", a_cause(n), now=n)
    ((_, cause),) = taken(queue, 5)
    assert (cause.offset, cause.event_ids) == (2, ["b-0", "b-1", "b-2"])
    assert queue.coalesced == 2


def test_the_newest_causes_are_named_when_there_are_too_many() -> None:
    queue = RefreshQueue({}, interval_ms=INTERVAL)
    for n in range(MAX_CAUSES + 5):
        queue.add("a", a_cause(n), now=n)
    ((_, cause),) = taken(queue, 50)
    assert cause.event_ids == [f"b-{n}" for n in range(5, MAX_CAUSES + 5)]


def test_without_an_interval_every_event_is_due_at_once() -> None:
    queue = RefreshQueue({}, interval_ms=0)
    for n in range(3):
        queue.add("a", a_cause(n), now=7)
        assert keys_taken(queue, 7) == ["a"]


def test_refreshes_owed_before_a_crash_are_due_when_the_store_opens() -> None:
    pending = {"a": a_cause(1), "b": a_cause(2)}
    queue = RefreshQueue(pending, interval_ms=INTERVAL)
    queue.add("a", a_cause(3), now=0)
    assert [(key, cause.event_ids) for key, cause in taken(queue, 0)] == [
        ("a", ["b-1", "b-3"]),
        ("b", ["b-2"]),
    ]
    assert pending == {}


def test_what_is_owed_is_part_of_the_progress() -> None:
    pending: dict[str, Pending] = {}
    queue = RefreshQueue(pending, interval_ms=INTERVAL)
    queue.add("a", a_cause(1), now=0)
    assert pending == {"a": a_cause(1)}


def test_all_that_is_owed_can_be_taken_at_once() -> None:
    queue = RefreshQueue({}, interval_ms=INTERVAL)
    queue.add("a", a_cause(1), now=0)
    assert keys_taken(queue, 0) == ["a"]
    queue.add("a", a_cause(2), now=1)
    queue.add("b", a_cause(3), now=1)
    assert sorted(key for key, _ in queue.take_all()) == ["a", "b"]
    assert keys_taken(queue, 10**6) == []


def test_a_customer_who_is_dropped_is_owed_nothing() -> None:
    queue = RefreshQueue({}, interval_ms=INTERVAL)
    queue.add("a", a_cause(1), now=0)
    queue.drop("a")
    queue.drop("never seen")
    assert keys_taken(queue, 10**6) == []


def test_a_customer_who_was_dropped_and_came_back_is_refreshed_once_per_interval() -> None:
    queue = RefreshQueue({}, interval_ms=INTERVAL)
    queue.add("a", a_cause(1), now=0)
    queue.drop("a")
    queue.add("a", a_cause(2), now=0)
    assert queue.take(now=0) == ("a", a_cause(2))
    queue.add("a", a_cause(3), now=0)
    assert queue.take(now=0) is None
    assert queue.take(now=INTERVAL) == ("a", a_cause(3))


def test_a_clock_that_is_set_back_delays_by_an_interval_at_most_and_loses_nothing() -> None:
    queue = RefreshQueue({}, interval_ms=INTERVAL)
    for key in "ab":
        queue.add(key, a_cause(1), now=10**6)
    assert keys_taken(queue, 10**6) == ["a", "b"]
    for key in "ab":
        queue.add(key, a_cause(2), now=10**6 + 1)
    assert queue.take(now=10**6 + INTERVAL) == ("a", a_cause(2))
    assert keys_taken(queue, 1_000) == []
    queue.add("a", a_cause(3), now=1_000)
    assert sorted(keys_taken(queue, 1_000 + INTERVAL)) == ["a", "b"]


_moves = st.lists(
    st.one_of(
        st.tuples(st.just("add"), KEYS),
        st.tuples(st.just("drop"), KEYS),
        st.tuples(st.just("take"), st.just("")),
        st.tuples(st.just("wait"), st.sampled_from(["1", "50", "99", "100", "3000"])),
    ),
    max_size=60,
)


@given(_moves, st.sampled_from([0, 1, INTERVAL]))
def test_the_promises_hold_for_every_course_of_events(moves: list[tuple[str, str]], interval: int) -> None:
    queue = RefreshQueue({}, interval_ms=interval)
    now, n = 10**6, 0
    owed: dict[str, list[str]] = {}
    answered_at: dict[str, int] = {}

    def take() -> None:
        free = {key for key in owed if now >= answered_at.get(key, 0) + interval}
        for key, cause in taken(queue, now):
            assert now >= answered_at.get(key, 0) + interval, "two in one interval"
            assert cause.event_ids == owed.pop(key)[-MAX_CAUSES:]
            answered_at[key] = now
        assert not free & owed.keys(), "one that was due was delayed"

    for move, what in moves:
        if move == "add":
            n += 1
            queue.add(what, a_cause(n), now=now)
            owed.setdefault(what, []).append(f"b-{n}")
        elif move == "drop":
            queue.drop(what)
            owed.pop(what, None)
        elif move == "wait":
            now += int(what)
        else:
            take()
    now += interval
    take()
    assert owed == {}


@given(_moves)
def test_taking_one_at_a_time_between_events_keeps_the_interval(moves: list[tuple[str, str]]) -> None:
    """As a worker does: it learns on between two refreshes."""
    queue = RefreshQueue({}, interval_ms=INTERVAL)
    now, n = 10**6, 0
    newest: dict[str, int] = {}
    answered: dict[str, tuple[int, int]] = {}
    for move, what in [*moves, *[("wait", "100"), ("take", ""), ("take", "")]]:
        if move == "add":
            n += 1
            newest[what] = n
            queue.add(what, a_cause(n), now=now)
        elif move == "drop":
            newest.pop(what, None)
            queue.drop(what)
        elif move == "wait":
            now += int(what)
        elif (due := queue.take(now=now)) is not None:
            key, cause = due
            assert now >= answered.get(key, (0, 0))[0] + INTERVAL
            answered[key] = now, cause.offset
    assert {key: answered[key][1] for key in newest} == newest
