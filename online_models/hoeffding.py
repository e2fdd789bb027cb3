"""A tree that grows with its examples: a leaf splits once its best question is surely the best.

Features come as bins, so a leaf keeps integer counts alone and the same examples give the same tree. What the
features mean is not known here.
"""

from collections.abc import Callable, Sequence
from math import log, log2, sqrt
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_models.protocols import Store
from online_models.visit_features import BINS
from schemas.settings import TreesSettings
from schemas.trees import LeafRow, TreeNodes

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

LEAF: Final = -1
"""What stands for the feature of a node that asks nothing."""

_FEWEST: Final = 10
_LEAST_SHARE: Final = 0.01
_PRIOR: Final = 10.0


class Growth(NamedTuple):
    """How a tree grows: the first `numbers` of the `features` are split by thresholds, the others by a value.

    `range` is the range of the criterion: what questions bring is compared as a part of it.
    """

    depth: int
    classes: int
    numbers: int
    features: int
    criterion: Callable[[Counts], Floats]
    range: float
    delta: float
    tie: float
    grace: int

    @property
    def nodes(self) -> int:
        """Most nodes of a tree."""
        return (2 << self.depth) - 1


def entropy(counts: Counts) -> Floats:
    """Return the entropy of classes in bits, along the last axis: C4.5's impurity.

    References
    ----------
    Quinlan: C4.5, Programs for Machine Learning, 1993.

    Examples
    --------
    >>> entropy(np.array([[4, 4], [8, 0]])).tolist()
    [1.0, 0.0]
    """
    shares = counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1)
    found: Floats = -(shares * np.log2(np.where(shares > 0, shares, 1.0))).sum(axis=-1)
    return np.abs(found)


def gini(counts: Counts) -> Floats:
    """Return how likely two examples are of different classes, along the last axis: CART's impurity.

    References
    ----------
    Breiman, Friedman, Olshen, Stone: Classification and Regression Trees, 1984.

    Examples
    --------
    >>> gini(np.array([[4, 4], [8, 0]])).tolist()
    [0.5, 0.0]
    """
    shares = counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1)
    found: Floats = 1.0 - (shares * shares).sum(axis=-1)
    return np.where(counts.sum(axis=-1) > 0, found, 0.0)


def growth(settings: TreesSettings, *, classes: int, numbers: int, features: int) -> Growth:
    """Return how trees grow under these settings."""
    by_entropy = settings.criterion == "entropy"
    return Growth(
        settings.depth,
        classes,
        numbers,
        features,
        entropy if by_entropy else gini,
        log2(classes) if by_entropy else 1.0,
        settings.delta,
        settings.tie,
        settings.grace,
    )


def sprout(number: int, categories: Sequence[str], how: Growth) -> TreeNodes:
    """Return a tree of one leaf that has seen nothing."""
    features = np.full(how.nodes, LEAF, np.int8).tobytes()
    counts = bytearray(8 * how.nodes * how.classes)
    return TreeNodes(number, list(categories), bytearray(features), bytearray(how.nodes), counts)


class Nodes:
    """The nodes of a tree, to be asked.

    Parameters
    ----------
    features, places, counts : bytes
        As in `schemas.trees.TreeNodes`.
    classes : int
        How many there are.
    numbers : int
        So many features are numbers.
    """

    def __init__(
        self,
        features: bytes | bytearray,
        places: bytes | bytearray,
        counts: bytes | bytearray,
        *,
        classes: int,
        numbers: int,
    ) -> None:
        self.features = np.frombuffer(features, np.int8)
        self.places = np.frombuffer(places, np.uint8)
        self.counts = np.frombuffer(counts, "<i8").reshape(-1, classes)
        self._numbers = numbers

    def path(self, bins: Sequence[int]) -> list[int]:
        """Return the nodes that an example goes through, from the root to a leaf."""
        node, path = 0, [0]
        while (feature := int(self.features[node])) != LEAF:
            node = 2 * node + 1 + self._goes_right(feature, bins[feature], int(self.places[node]))
            path.append(node)
        return path

    def probabilities(self, path: Sequence[int]) -> Floats:
        """Return the probability of each class at the end of a path.

        The shares of a node count beside those of the node above, which weigh as much as ten examples.

        References
        ----------
        Cestnik: Estimating Probabilities, A Crucial Task in Machine Learning, ECAI 1990 (the m-estimate).
        """
        counts = self.counts[path]
        totals = counts.sum(axis=1)
        found: Floats = (counts[0] + 1.0) / (totals[0] + counts.shape[1])
        for row, total in zip(counts[1:], totals[1:].tolist(), strict=True):
            found = (row + _PRIOR * found) / (total + _PRIOR)
        return found

    def _goes_right(self, feature: int, found: int, place: int) -> bool:
        return found > place if feature < self._numbers else found == place


class HoeffdingTree(Nodes):
    """A tree that learns; everything it learns is in its nodes and in the rows of its leaves.

    Parameters
    ----------
    nodes : TreeNodes
        Changed in place.
    leaves : Store of LeafRow
        What each leaf has seen, by name and number of the tree and number of the node.
    name : str
        Sets the leaves of a task apart.
    how : Growth
        Depth bounds the tree: it has at most 2 ** depth leaves.

    References
    ----------
    Domingos, Hulten: Mining High-Speed Data Streams, KDD 2000 (VFDT).

    Examples
    --------
    >>> from online_models.memory_store import MemoryStore
    >>> how = growth(TreesSettings(grace=50), classes=2, numbers=2, features=2)
    >>> nodes = sprout(0, [], how)
    >>> tree = HoeffdingTree(nodes, MemoryStore(LeafRow), "demo", how)
    >>> for n in range(2_000):
    ...     tree.learn_one([n % 7, n % 2], int(n % 7 > 3))
    >>> int(nodes.features[0]), nodes.places[0], tree.probabilities(tree.path([6, 0])).round(2).tolist()
    (0, 3, [0.01, 0.99])
    """

    def __init__(self, nodes: TreeNodes, leaves: Store[LeafRow], name: str, how: Growth) -> None:
        super().__init__(nodes.features, nodes.places, nodes.counts, classes=how.classes, numbers=how.numbers)
        self._row, self._leaves, self._how = nodes, leaves, how
        self._name = f"{name}/{nodes.number}"

    def learn_one(self, bins: Sequence[int], outcome: int) -> None:
        """Learn the class of an example.

        Parameters
        ----------
        bins : sequence of int
            The bin of each feature, below `BINS`.
        outcome : int
            Its class.
        """
        path = self.path(bins)
        self.counts[path, outcome] += 1
        leaf = path[-1]
        if len(path) > self._how.depth:
            return
        row = self._leaves.get(self._key(leaf)) or LeafRow(bytearray(self._leaf_bytes()))
        seen = self._histogram(row)
        seen[np.arange(self._how.features), bins, outcome] += 1
        examples = self._row.seen[leaf] = self._row.seen.get(leaf, 0) + 1
        if examples % self._how.grace == 0 and self._split(leaf, seen.astype(np.int64)):
            self._leaves.delete(self._key(leaf))
        else:
            self._leaves.put(self._key(leaf), row)

    def clear(self) -> None:
        """Delete the rows of all leaves."""
        for leaf in self._row.seen:
            self._leaves.delete(self._key(leaf))

    def _split(self, leaf: int, seen: Counts) -> bool:
        """Let a leaf ask the best question if there is enough evidence for it."""
        found = best_split(seen, self._how)
        if found is None:
            return False
        feature, place, right = found
        total = seen[0].sum(axis=0)
        self.features[leaf], self.places[leaf] = feature, place
        self.counts[2 * leaf + 1], self.counts[2 * leaf + 2] = total - right, right
        del self._row.seen[leaf]
        return True

    def _histogram(self, row: LeafRow) -> NDArray[np.int32]:
        return np.frombuffer(row.counts, "<i4").reshape(self._how.features, BINS, self._how.classes)

    def _leaf_bytes(self) -> int:
        return 4 * self._how.features * BINS * self._how.classes

    def _key(self, leaf: int) -> str:
        return f"{self._name}/{leaf}"


def best_split(seen: Counts, how: Growth) -> tuple[int, int, Counts] | None:
    """Return the question to ask: feature, place, and the classes that go right; None while it is not clear.

    Parameters
    ----------
    seen : array of int64, shape (features, bins, classes)
        What a leaf saw.
    how : Growth
        Criterion and bound.
    """
    total: Counts = seen[0].sum(axis=0)
    examples = int(total.sum())
    gains, right = _gains(seen, total, how)
    bests = gains.max(axis=1)
    feature = int(bests.argmax())
    best, second = float(bests[feature]), float(np.delete(bests, feature).max(initial=0.0))
    bound = sqrt(log(1 / how.delta) / (2 * examples))
    ahead = (best - second) / how.range
    # A tie is broken only for a question that says more than chance alone would.
    clear = ahead > bound or (bound < how.tie and best / how.range > bound * bound)
    if best <= 0.0 or not clear:
        return None
    place = int(gains[feature].argmax())
    return feature, place, right[feature, place]


def _gains(seen: Counts, total: Counts, how: Growth) -> tuple[Floats, Counts]:
    """Return what each question would bring, and the classes that would go right."""
    right = seen.copy()
    right[: how.numbers] = total - seen[: how.numbers].cumsum(axis=1)
    left = total - right
    to_right, to_left = right.sum(axis=2), left.sum(axis=2)
    examples = int(total.sum())
    after = (to_left * how.criterion(left) + to_right * how.criterion(right)) / examples
    gains: Floats = float(how.criterion(total)) - after
    least = max(_FEWEST, _LEAST_SHARE * examples)
    return np.where(np.minimum(to_left, to_right) >= least, gains, 0.0), right
