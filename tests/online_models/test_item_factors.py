"""Factors equal those of a plain version; they are bounded, follow from ids, and tell tastes apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from online_models.factor_kernels import step
from online_models.item_factors import ASKED, ItemFactors

ITEMS = "abcdefg"
RATE, PULL_BACK, PULL, NEGATIVES = 0.3, 0.02, 0.5, 2
Vector = NDArray[np.float64]


class Plain:
    """Lists and dicts, and numpy's solver."""

    def __init__(self, most: int, beginnings: dict[str, Vector]) -> None:
        self.most, self.beginnings = most, beginnings
        self.vectors: dict[str, Vector] = {}
        self.acted: list[str] = []
        self.waiting: list[str] = []

    def user(self, had: list[str]) -> Vector | None:
        known = [(np.exp(-n / 10), self.vectors[x]) for n, x in enumerate(had[:ASKED]) if x in self.vectors]
        if not known:
            return None
        gram = PULL * np.eye(3) + sum(weight * np.outer(v, v) for weight, v in known)
        return np.linalg.solve(gram, sum(weight * v for weight, v in known))

    def learn(self, had: list[str], item: str) -> None:
        user = self.user([each for each in had[: ASKED + 1] if each != item])
        if item not in self.vectors:
            if len(self.acted) == self.most:
                oldest = self.acted.pop(0)
                self.waiting.remove(oldest)
                del self.vectors[oldest]
            self.vectors[item] = self.beginnings[item].copy()
        for order in (self.acted, self.waiting):
            if item in order:
                order.remove(item)
            order.append(item)
        if user is None:
            return
        self.move(item, user, 1.0)
        for other in self.waiting[:NEGATIVES]:
            if other != item:
                self.move(other, user, 0.0)
                self.waiting.remove(other)
                self.waiting.append(other)

    def move(self, item: str, user: Vector, wanted: float) -> None:
        vector = self.vectors[item]
        error = np.clip(wanted - user @ vector, -2, 2)
        self.vectors[item] = vector + RATE * (error * user - PULL_BACK * vector)


def a_model(items: int, *, factors: int = 3) -> ItemFactors:
    return ItemFactors(
        factors=factors, rate=RATE, regularisation=PULL_BACK, pull=PULL, negatives=NEGATIVES, items=items
    )


def beginning(item: str) -> Vector:
    model = a_model(1)
    model.learn_one([], item)
    return model.vector(item)


BEGINNINGS = {item: beginning(item) for item in ITEMS}
_had = st.lists(st.sampled_from(ITEMS), unique=True, max_size=5)


@settings(max_examples=100)
@given(st.lists(st.tuples(_had, st.sampled_from(ITEMS)), max_size=40), st.sampled_from([2, 4, 7]), _had)
def test_vectors_and_scores_are_those_of_the_plain_version(
    log: list[tuple[list[str], str]], items: int, asked: list[str]
) -> None:
    model, plain = a_model(items), Plain(items, BEGINNINGS)
    for had, item in log:
        model.learn_one(had, item)
        plain.learn(had, item)
    assert len(model) == len(plain.vectors) <= items
    for item, vector in plain.vectors.items():
        assert model.vector(item) == pytest.approx(vector, rel=1e-9, abs=1e-12)
    user = plain.user(asked)
    expected = {} if user is None else {item: user @ each for item, each in plain.vectors.items()}
    found = {item: score for score, item in model.scores(asked)}
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_vector_begins_with_what_follows_from_the_id_and_from_nothing_else() -> None:
    late = a_model(9)
    for item in ITEMS:
        late.learn_one([], item)
    assert late.vector("d").tolist() == BEGINNINGS["d"].tolist()
    assert BEGINNINGS["d"].tolist() != BEGINNINGS["e"].tolist()


def test_a_stranger_has_no_vector_and_an_item_alone_teaches_nothing() -> None:
    model = a_model(9)
    model.learn_one(["unknown", "a"], "a")
    assert model.vector("a").tolist() == BEGINNINGS["a"].tolist()
    assert (model.user([]), model.user(["unknown"]), model.scores(["unknown"])) == (None, None, [])


def test_an_event_pushes_those_away_that_were_pushed_or_acted_on_longest_ago() -> None:
    model = a_model(9)
    for item in ITEMS:
        model.learn_one([], item)
    moved = []
    for _ in range(3):
        before = {item: model.vector(item).tolist() for item in ITEMS}
        model.learn_one(["f"], "g")
        moved.append([item for item in ITEMS if model.vector(item).tolist() != before[item]])
    # g is acted on each time; of the others two at a time, f as well.
    assert moved == [["a", "b", "g"], ["c", "d", "g"], ["e", "f", "g"]]


def test_items_are_bounded_on_a_stream_ten_times_longer_and_the_one_longest_ago_makes_room() -> None:
    model = ItemFactors(factors=2, items=30)
    for n in range(300):
        model.learn_one([f"i{n - 1}"], "often" if n % 2 else f"i{n}")
        assert len(model) <= 30
    names = [item for _, item in model.scores(["often"])]
    assert len(names) == 30
    assert set(names) == {"often", *(f"i{n}" for n in range(242, 300, 2))}
    with pytest.raises(KeyError):
        model.vector("i0")


def test_room_grows_with_the_items() -> None:
    model = ItemFactors(factors=2, items=1_500)
    for n in range(2_000):
        model.learn_one([], f"i{n}")
    assert len(model) == len(model.scores(["i1999"])) == 1_500


def test_a_large_error_counts_as_2_so_that_vectors_cannot_run_away() -> None:
    vector, user = np.array([100.0]), np.array([1.0])
    step(vector, user, 1.0, 0.5, 0.0)
    assert vector.tolist() == [99.0]
    model = ItemFactors(rate=1.0, factors=4)
    for n in range(3_000):
        model.learn_one(["a", "b"] if n % 2 else ["b"], "c" if n % 3 else "a")
    assert (
        max(float(np.abs(model.vector(item)).max()) for item in "abc" if model.user([item]) is not None) < 100
    )


def test_two_tastes_are_told_apart() -> None:
    drawn, model = np.random.default_rng(3), ItemFactors(factors=8)
    for n in range(400):
        taste, had = "left" if n % 2 else "right", list[str]()
        for item in drawn.choice(15, 6, replace=False).tolist():
            model.learn_one(had[::-1], f"{taste}{item}")
            had.append(f"{taste}{item}")
    for taste in ("left", "right"):
        best = sorted(model.scores([f"{taste}0", f"{taste}1"]))[-10:]
        assert sum(item.startswith(taste) for _, item in best) >= 9
