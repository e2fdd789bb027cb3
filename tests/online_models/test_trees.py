"""The trees as a step: what was planted is found, and after a change a new tree takes over."""

from typing import Any

import msgspec
import numpy as np
import pytest

from online_models import bounds
from online_models.evaluation.plain_store import PlainStore
from online_models.tree_answers import BUYS, CLASSES, NEXT
from online_models.trees import KEY, MET, ROUND, Drift, TreesStep
from online_models.visit_features import CATEGORIES, NUMBERS, VERSION
from schemas.settings import Settings, TreesSettings
from schemas.trees import LeafRow, Outcome, TreesRow

NAMES = ["tea", "cups", "jam", "pots"]
VIEWS, CARTS = 0, 1


def outcomes(seed: int, count: int, *, turned: bool = False, names: list[str] = NAMES) -> list[Outcome]:
    """Who has a cart buys (or, turned, does not); then comes what was before, without one the last again."""
    drawn = np.random.default_rng(seed)
    found = []
    for at in range(count):
        views, carts, last = drawn.integers(1, 9), drawn.integers(0, 3), int(drawn.integers(0, len(names)))
        numbers = [0.0] * len(NUMBERS)
        numbers[VIEWS], numbers[CARTS] = float(views), float(carts)
        chance = (0.9 if views > 3 else 0.5) if (carts > 0) != turned else 0.05
        before = names[(last + 1) % len(names)]
        categories = [names[last], before, before, names[last]]
        follows = names[int(drawn.integers(0, len(names)))]
        following = follows if drawn.random() < 0.2 else before if carts else names[last]
        found.append(Outcome(at, VERSION, numbers, categories, following, bool(drawn.random() < chance)))
    return found


class Grove:
    """The step with its rows."""

    def __init__(self, **trees: Any) -> None:
        self.settings = Settings(trees=TreesSettings(**trees))
        self.rows, self.leaves = PlainStore[TreesRow](), PlainStore[LeafRow]()
        self.step = TreesStep(self.rows, self.leaves, self.settings)

    def learn(self, some: list[Outcome]) -> list[Drift]:
        return [drift for x in some for drift in self.step.learn_one(x)]

    def error(self, some: list[Outcome]) -> float:
        """Mean squared error of the chance of an order."""
        errors = []
        for x in some:
            answer = dict(self.step.answer(x, BUYS))
            assert sum(answer.values()) == pytest.approx(1.0)
            errors.append((answer["order"] - x.bought) ** 2)
        return float(np.mean(errors))

    def row(self) -> TreesRow:
        row = self.rows.get(KEY)
        assert row is not None
        return row


@pytest.mark.parametrize("criterion", ["entropy", "gini"])
def test_planted_questions_are_found_and_answered_in_place(criterion: str) -> None:
    grove = Grove(criterion=criterion)
    grove.learn(outcomes(1, 4_000))
    buys, following = grove.step.published()
    first = buys.features[0], buys.places[0]
    assert first == (CARTS, 0)
    assert grove.error(outcomes(2, 1_000)) < 0.13
    assert (following.features[0], following.places[0]) == first
    assert tuple(following.classes) == CLASSES[NEXT]
    assert sum(grove.step.answer(x, NEXT)[0][0] == x.next for x in outcomes(3, 500)) > 400


def test_after_a_change_a_new_tree_takes_over_and_without_adapting_none_does() -> None:
    adaptive, fixed = Grove(), Grove(adaptive=False)
    errors = []
    for grove in (adaptive, fixed):
        assert grove.learn(outcomes(1, 4_000)) == []
        drifts = grove.learn(outcomes(2, 3_000, turned=True))
        assert drifts[0].task == BUYS
        assert drifts[0].after > drifts[0].before + 0.1
        assert drifts[0].at < 300
        errors.append(grove.error(outcomes(3, 1_000, turned=True)))
    assert errors[0] < 0.13
    assert errors[1] > errors[0] + 0.03
    assert adaptive.row().tasks[BUYS].replaced > 0 == fixed.row().tasks[BUYS].replaced
    assert adaptive.row().tasks[BUYS].drifted_at > 0


def test_leaves_of_trees_that_went_are_gone() -> None:
    grove = Grove()
    for seed in range(4):
        grove.learn(outcomes(seed, 2_000, turned=seed % 2 == 1))
    state = grove.row().tasks[BUYS]
    assert state.replaced
    living = {state.tree.number} | ({state.rival.number} if state.rival else set())
    gone = set(range(state.trees)) - living
    assert gone
    held = {tuple(key.split("/")[:2]) for key in grove.leaves.rows}
    assert not {("buys", str(number)) for number in gone} & held


def test_categories_that_became_frequent_get_a_tree_that_knows_them() -> None:
    grove = Grove(categories=4)
    grove.learn(outcomes(1, 1_000))
    new = ["milk", "bread", "oats", "rice"]
    grove.learn(outcomes(2, 8 * ROUND, names=new))
    assert [sorted(tree.categories) for tree in grove.step.published()] == [sorted(new)] * 2


def test_the_first_outcomes_only_say_which_categories_there_are() -> None:
    grove = Grove(warm_up=50, categories=2)
    grove.learn(outcomes(1, 49))
    assert grove.step.published() == []
    assert grove.step.answer(outcomes(1, 1)[0], BUYS) == []
    grove.learn(outcomes(2, 1))
    assert [tree.learned for tree in grove.step.published()] == [1, 1]
    assert [len(tree.categories) for tree in grove.step.published()] == [2, 2]


def test_outcomes_of_another_version_are_passed_over_and_names_are_bounded() -> None:
    grove = Grove()
    x = outcomes(1, 1)[0]
    assert grove.step.learn_one(Outcome(x.at, VERSION + 1, [], [])) == []
    assert grove.rows.get(KEY) is None
    grove.learn([Outcome(n, VERSION, x.numbers, [f"c{n}"] * len(CATEGORIES), "") for n in range(300)])
    assert len(grove.row().categories) == MET


def test_rows_stay_as_large_as_their_bounds_say_on_a_stream_ten_times_longer() -> None:
    grove, sizes = Grove(depth=3), list[tuple[int, int]]()
    for seed in range(10):
        grove.learn(outcomes(seed, 600, turned=seed % 3 == 2))
        sizes.append(grove_size(grove))
    most = bounds.trees(grove.settings, id_bytes=8)
    assert max(row for row, _ in sizes) <= most["t"]
    assert max(leaf for _, leaf in sizes) <= most["l"]
    assert sizes[-1][0] < 1.5 * sizes[1][0]


def grove_size(grove: Grove) -> tuple[int, int]:
    """Bytes of the row, and of the largest leaf."""
    leaves = [len(msgspec.msgpack.encode(row)) for row in grove.leaves.rows.values()]
    return len(msgspec.msgpack.encode(grove.row())), max(leaves, default=0)
