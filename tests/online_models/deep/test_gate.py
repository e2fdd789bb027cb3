"""The gate is open when, and only when, the newest scores of the deep model are not below the other's."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.deep.gate import Gate, Gated
from online_models.evaluation.contract import Query
from schemas.messages import Event
from tests.online_models.evaluation.events import act

_scores = st.floats(0, 1).map(lambda score: round(score, 6))


@given(st.lists(st.tuples(_scores, _scores), max_size=40), st.integers(1, 10), st.integers(1, 10))
def test_it_is_open_when_the_newest_scores_say_so(
    scores: list[tuple[float, float]], one: int, other: int
) -> None:
    warm_up, window = sorted((one, other))
    gate = Gate(window=window, warm_up=warm_up)
    for n, (deep, shallow) in enumerate(scores, start=1):
        gate.add(deep, shallow)
        newest = scores[max(0, n - window) : n]
        lead = sum(round(1e6 * each[0]) - round(1e6 * each[1]) for each in newest)
        assert gate.open == (n >= warm_up and lead >= 0)


def test_it_is_closed_before_anything_is_known() -> None:
    assert not Gate().open
    with pytest.raises(ValueError, match="warm_up is 9 and window 3"):
        Gate(window=3, warm_up=9)


class Fixed:
    """The same list, whatever is learned."""

    def __init__(self, *items: str) -> None:
        self.items = items
        self.learned: list[Event] = []

    def learn_one(self, x: Event) -> None:
        self.learned.append(x)

    def rank(self, query: Query) -> Sequence[tuple[str, float]]:
        items = [item for item in self.items if item not in query.exclude]
        return [(item, 1.0 / (1 + n)) for n, item in enumerate(items[: query.k])]


QUERY = Query(key="u:a", now=0, k=1)


def test_who_was_better_of_late_is_served_and_both_learn() -> None:
    deep, shallow = Fixed("tea", "cup"), Fixed("cup", "tea")
    model = Gated(deep, shallow, Gate(window=4, warm_up=2), k=2, repeats=True)
    served = []
    for n, item in enumerate(("tea", "tea", "tea", "cup", "cup", "cup", "tea", "tea")):
        model.learn_one(act("u:a", item, n))
        served.append(model.rank(QUERY)[0][0])
    # The first act of a session is compared with nothing; with as many right, the deep one is served.
    assert served == ["cup", "cup", "tea", "tea", "tea", "cup", "cup", "tea"]
    assert deep.learned == shallow.learned
    assert len(deep.learned) == 8


def test_what_must_not_be_ranked_again_is_not_compared() -> None:
    gate = Gate(window=4, warm_up=1)
    model = Gated(Fixed("tea"), Fixed("cup"), gate, k=2, repeats=False)
    for n in range(3):
        model.learn_one(act("u:a", "cup", n))
    assert not gate.open
    model.learn_one(act("u:a", "tea", 9))
    assert gate.open


def test_an_event_without_an_act_is_learned_and_not_compared() -> None:
    gate, deep = Gate(window=4, warm_up=1), Fixed("tea")
    model = Gated(deep, Fixed("cup"), gate, k=2, repeats=True)
    model.learn_one(act("u:a", "tea", 0))
    model.learn_one(act("u:a", "tea", 1, kind="impression"))
    assert not gate.open
    assert [each.kind for each in deep.learned] == ["view", "impression"]
