"""Trees that grow: they answer as a batch tree does, bounded, and the same after every storing."""

from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from river.tree import HoeffdingTreeClassifier
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from online_models.hoeffding import LEAF, HoeffdingTree, best_split, growth, sprout
from online_models.memory_store import MemoryStore
from online_models.visit_features import BINS
from schemas.settings import TreesSettings
from schemas.trees import LeafRow, TreeNodes

CRITERIA = {"entropy": "info_gain", "gini": "gini"}
Ints = NDArray[np.int64]


def a_world(seed: int, examples: int) -> tuple[Ints, Ints]:
    """Five features; the first and, where it is high, the second say how likely the class is."""
    drawn = np.random.default_rng(seed)
    bins = drawn.integers(0, BINS, (examples, 5))
    chance = np.where(bins[:, 0] < 9, 0.1, np.where(bins[:, 1] == 4, 0.9, 0.4))
    return bins, (drawn.random(examples) < chance).astype(np.int64)


def grown(bins: Ints, classes: Ints, leaves: MemoryStore[LeafRow], **given: Any) -> HoeffdingTree:
    """A tree over four numbers and a category, of which the category is the second feature."""
    how = growth(TreesSettings(**given), classes=2, numbers=4, features=5)
    tree = HoeffdingTree(sprout(0, [], how), leaves, "t", how)
    for row, outcome in zip(_ordered(bins), classes.tolist(), strict=True):
        tree.learn_one(row, outcome)
    return tree


def _ordered(bins: Ints) -> list[list[int]]:
    rows: list[list[int]] = bins[:, [0, 2, 3, 4, 1]].tolist()
    return rows


@pytest.mark.parametrize("criterion", CRITERIA)
def test_it_asks_what_was_planted_and_answers_as_well_as_a_batch_tree_and_rivers(
    criterion: str,
) -> None:
    bins, classes = a_world(1, 6_000)
    test, happened = a_world(2, 4_000)
    tree = grown(bins, classes, MemoryStore(LeafRow), criterion=criterion, delta=1e-4, tie=0.1)
    assert (int(tree.features[0]), int(tree.places[0])) == (0, 8)
    assert (int(tree.features[2]), int(tree.places[2])) == (4, 4)
    found = [tree.probabilities(tree.path(row))[1] for row in _ordered(test)]
    name: Any = "entropy" if criterion == "entropy" else "gini"
    batch = DecisionTreeClassifier(criterion=name, max_depth=6, random_state=1).fit(bins, classes)
    of_batch = batch.predict_proba(test)[:, 1]
    assert roc_auc_score(happened, found) > roc_auc_score(happened, of_batch) - 0.02
    assert log_loss(happened, found) < log_loss(happened, of_batch) + 0.01
    oracle: Any = HoeffdingTreeClassifier(
        split_criterion=CRITERIA[criterion], max_depth=6, leaf_prediction="mc", nominal_attributes=["1"]
    )
    for row, outcome in zip(bins.tolist(), classes.tolist(), strict=True):
        oracle.learn_one({str(n): x for n, x in enumerate(row)}, outcome)
    rivers = [
        oracle.predict_proba_one({str(n): x for n, x in enumerate(row)}).get(1, 0.0) for row in test.tolist()
    ]
    assert roc_auc_score(happened, found) > roc_auc_score(happened, rivers) - 0.01


def test_chance_alone_makes_no_question() -> None:
    drawn = np.random.default_rng(7)
    bins = drawn.integers(0, BINS, (3_000, 5))
    tree = grown(bins, drawn.integers(0, 2, 3_000), MemoryStore(LeafRow), tie=0.0)
    assert int(tree.features[0]) == LEAF


def test_a_tree_of_full_depth_keeps_no_leaves_and_goes_on_counting() -> None:
    bins, classes = a_world(3, 5_000)
    leaves = MemoryStore(LeafRow)
    tree = grown(bins, classes, leaves, depth=1, grace=50, delta=0.1, tie=0.5)
    assert int(tree.counts[0].sum()) == 5_000
    assert len(tree.features) == 3
    assert leaves.get("t/0/0") is None
    assert leaves.get("t/0/1") is None
    assert int(tree.counts[1:3].sum()) == 5_000


def test_a_stored_tree_goes_on_as_if_never_stopped() -> None:
    bins, classes = a_world(4, 3_000)
    how = growth(TreesSettings(grace=50), classes=2, numbers=4, features=5)
    one, two = sprout(0, ["tea"], how), sprout(0, ["tea"], how)
    kept, stored = MemoryStore(LeafRow), MemoryStore(LeafRow)
    whole = HoeffdingTree(one, kept, "t", how)
    for row, outcome in zip(_ordered(bins), classes.tolist(), strict=True):
        whole.learn_one(row, outcome)
        two = msgspec.msgpack.decode(msgspec.msgpack.encode(two), type=TreeNodes)
        HoeffdingTree(two, stored, "t", how).learn_one(row, outcome)
    assert one == two
    assert all(kept.get(f"t/0/{node}") == stored.get(f"t/0/{node}") for node in range(how.nodes))


def test_a_split_hands_on_the_classes_of_its_examples_exactly() -> None:
    bins, classes = a_world(5, 400)
    how = growth(TreesSettings(delta=0.5, tie=0.9), classes=2, numbers=4, features=5)
    seen = np.zeros((5, BINS, 2), np.int64)
    for row, outcome in zip(_ordered(bins), classes.tolist(), strict=True):
        seen[np.arange(5), row, outcome] += 1
    found = best_split(seen, how)
    assert found is not None
    feature, place, right = found
    column = np.array(_ordered(bins))[:, feature]
    goes = column > place if feature < 4 else column == place
    assert right.tolist() == np.bincount(classes[goes], minlength=2).tolist()
