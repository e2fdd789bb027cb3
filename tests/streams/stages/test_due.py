from hypothesis import given
from hypothesis import strategies as st

from streams.stages.due import DueQueue


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 9))))
def test_keys_come_once_each_the_earliest_first_and_never_too_early(adds: list[tuple[str, int]]) -> None:
    queue, expected = DueQueue(), dict[str, int]()
    for key, due in adds:
        queue.add(key, due)
        expected.setdefault(key, due)
        assert key in queue
    for now in range(10):
        while (taken := queue.take(now=now, at_once=False)) is not None:
            assert expected.pop(taken) <= now
            assert taken not in queue
        assert all(due > now for due in expected.values())
    assert not expected


def test_all_that_is_given_at_the_start_is_due_at_once() -> None:
    queue = DueQueue(["b", "a"])
    assert [queue.take(now=0, at_once=False) for _ in range(3)] == ["a", "b", None]


def test_nothing_waits_when_all_is_taken_at_once() -> None:
    queue = DueQueue()
    queue.add("later", 10)
    assert queue.take(now=0, at_once=True) == "later"
