"""The trees as a step: they learn from outcomes of sessions, one after another, and are given out as arrays.

Two tasks: will something be bought in this session, and which category comes next in it.
"""

from collections.abc import Sequence
from math import sqrt
from typing import Final

import msgspec
import numpy as np

from online_models.adwin import ONE, Adwin
from online_models.hoeffding import HoeffdingTree, growth, sprout
from online_models.protocols import Store
from online_models.tree_answers import BUYS, CLASSES, TASKS, by_name, outcome_of, path_in_words
from online_models.visit_features import FEATURES, MAX_CATEGORIES, NUMBERS, VERSION, bins_of
from schemas.settings import Settings
from schemas.trees import (
    Answered,
    Duel,
    LeafRow,
    Outcome,
    Prediction,
    PublishedTree,
    TaskState,
    TreeNodes,
    TreesRow,
)

KEY: Final = "trees"
"""The key of everything: there is one tree for each task."""

ROUND: Final = 500
"""Examples after which a rival is held against the tree that answers."""

ROUNDS: Final = 20
"""Rounds that a rival has."""

SURE: Final = 2.5
"""Standard errors by which a rival must be better in a round."""

MET: Final = 4 * MAX_CATEGORIES
"""Names of categories that are counted."""

COVERAGE: Final = 0.9
"""A tree whose categories are met less often than this share of what the best ones are is replaced."""

_HALVED_AT: Final = 20_000


class Drift(msgspec.Struct, array_like=True, frozen=True):
    """The mean error of a task's tree has grown: both from 0 to 1, at an event time (epoch ms)."""

    task: str
    at: int
    before: float
    after: float


class TreesStep:
    """Learns what comes of sessions; every example is first answered, then learned.

    The error of an answer is half the squared distance of its probabilities from what happened (Brier).
    Where it grew, by ADWIN, a rival begins from nothing beside the tree that answers, and takes its place
    once it was better in a round of examples by more than chance; after `ROUNDS` it is given up. A rival
    also begins when other categories became frequent; that one takes over after two rounds in any case.

    Parameters
    ----------
    rows : Store of TreesRow
        One row.
    leaves : Store of LeafRow
        One row for each leaf of each tree, at most 4 * 2 ** depth.
    settings : Settings
        `trees`.

    References
    ----------
    Hulten, Spencer, Domingos: Mining Time-Changing Data Streams, KDD 2001 (rivals); Bifet, Gavaldà: Adaptive
    Learning from Evolving Data Streams, IDA 2009 (ADWIN says when).

    Examples
    --------
    >>> from online_models.memory_store import MemoryStore
    >>> step = TreesStep(MemoryStore(TreesRow), MemoryStore(LeafRow), Settings())
    >>> for n in range(3_000):
    ...     numbers = [float(n % 9)] + [0.0] * (len(NUMBERS) - 1)
    ...     drifts = step.learn_one(Outcome(n, VERSION, numbers, ["tea", "", "tea", ""], "cups", n % 9 > 5))
    >>> buys = step.published()[0]
    >>> buys.task, buys.learned, buys.error < 0.05, buys.categories
    ('buys', 2801, True, ['cups'])
    """

    def __init__(self, rows: Store[TreesRow], leaves: Store[LeafRow], settings: Settings) -> None:
        self._rows, self._leaves, self._settings = rows, leaves, settings.trees
        shape = {"numbers": len(NUMBERS), "features": FEATURES}
        self._growth = {
            task: growth(self._settings, classes=len(names), **shape) for task, names in CLASSES.items()
        }

    def key(self, x: Outcome) -> str:  # noqa: ARG002  # one row, whatever the outcome
        return KEY

    def learn_one(self, x: Outcome) -> list[Drift]:
        """Learn an outcome; trees are published by whoever asks for them."""
        if x.version != VERSION:
            return []
        row = self._row() or TreesRow(VERSION)
        _meet(row, x.next or x.categories[0])
        if not row.tasks and row.met >= self._settings.warm_up:
            best = self._best(row)
            row.tasks = {task: TaskState(sprout(0, best, self._growth[task])) for task in TASKS}
        drifts = [
            drift
            for task, state in row.tasks.items()
            if task == BUYS or x.next
            for drift in self._learn(task, state, x, row)
        ]
        self._rows.put(KEY, row)
        return drifts

    def explain(self, x: Outcome, task: str, *, most: int = 5) -> Prediction | None:
        """Return the likeliest classes with the path that leads there in words; None before there is a tree.

        Parameters
        ----------
        x : Outcome
            A look at a session (`online_models.outcomes.look_at`).
        task : str
            One of `TASKS`.
        most : int
            Classes that are told.
        """
        state = self._state(task)
        if state is None:
            return None
        nodes, tree = state.tree, self._tree(state.tree, task)
        path = tree.path(_bins(x, nodes))
        best = self._by_name(task, x, tree.probabilities(path).tolist())[:most]
        return Prediction(
            task,
            [Answered(name, chance) for name, chance in best],
            path_in_words(nodes, path),
            int(tree.counts[path[-1]].sum()),
        )

    def answer(self, x: Outcome, task: str) -> list[tuple[str, float]]:
        """Return what may come, by name, the likeliest first; nothing before there is a tree."""
        state = self._state(task)
        if state is None:
            return []
        tree = self._tree(state.tree, task)
        return self._by_name(task, x, tree.probabilities(tree.path(_bins(x, state.tree))).tolist())

    def published(self) -> list[PublishedTree]:
        """Return the trees as they are; none during the warm-up."""
        row = self._row()
        return [] if row is None else [_published(task, state) for task, state in row.tasks.items()]

    def _learn(self, task: str, state: TaskState, x: Outcome, row: TreesRow) -> list[Drift]:
        tree = self._tree(state.tree, task)
        bins, outcome = _bins(x, state.tree), outcome_of(task, x)
        error = _error(tree.probabilities(tree.path(bins)).tolist(), outcome)
        tree.learn_one(bins, outcome)
        state.learned += 1
        change = Adwin(state.window).learn_one(error)
        if state.rival is not None:
            self._compete(task, state, x, error)
        elif state.learned % (2 * ROUND) == 0 and self._outdated(state.tree, row):
            self._begin_rival(task, state, self._best(row))
        # A tree that has become better has learned, nothing else.
        if change is None or change.after < change.before:
            return []
        state.drifts += 1
        state.drifted_at = x.at
        if self._settings.adaptive and state.rival is None:
            self._begin_rival(task, state, state.tree.categories)
        return [Drift(task, x.at, change.before, change.after)]

    def _by_name(self, task: str, x: Outcome, chances: Sequence[float]) -> list[tuple[str, float]]:
        row = self._row()
        return by_name(task, x, chances, row.categories if row else {})

    def _begin_rival(self, task: str, state: TaskState, categories: Sequence[str]) -> None:
        state.rival = sprout(state.trees, categories, self._growth[task])
        state.duel = Duel()
        state.trees += 1

    def _compete(self, task: str, state: TaskState, x: Outcome, error: float) -> None:
        """Let the rival answer and learn, too, and decide after each round."""
        if state.rival is None:
            return
        nodes, duel = state.rival, state.duel
        rival = self._tree(nodes, task)
        bins, outcome = _bins(x, nodes), outcome_of(task, x)
        better = round((error - _error(rival.probabilities(rival.path(bins)).tolist(), outcome)) * ONE)
        rival.learn_one(bins, outcome)
        duel.seen += 1
        duel.sum += better
        duel.squares += better * better // ONE
        if duel.seen == ROUND:
            self._decide(task, state, nodes)

    def _decide(self, task: str, state: TaskState, rival: TreeNodes) -> None:
        duel = state.duel
        other_bins = rival.categories != state.tree.categories
        if duel.rounds if other_bins else _is_better(duel):
            self._tree(state.tree, task).clear()
            state.tree, state.rival = rival, None
            state.replaced += 1
        elif duel.rounds + 1 == ROUNDS:
            self._tree(rival, task).clear()
            state.rival = None
        state.duel = Duel(rounds=duel.rounds + 1) if state.rival is not None else Duel()

    def _best(self, row: TreesRow) -> list[str]:
        most = sorted(row.categories, key=lambda name: (-row.categories[name], name))
        return most[: self._settings.categories]

    def _outdated(self, tree: TreeNodes, row: TreesRow) -> bool:
        counts = row.categories
        covered = sum(counts.get(name, 0) for name in tree.categories)
        return covered < COVERAGE * sum(counts[name] for name in self._best(row))

    def _tree(self, nodes: TreeNodes, task: str) -> HoeffdingTree:
        return HoeffdingTree(nodes, self._leaves, task, self._growth[task])

    def _state(self, task: str) -> TaskState | None:
        row = self._row()
        return None if row is None else row.tasks.get(task)

    def _row(self) -> TreesRow | None:
        row = self._rows.get(KEY)
        return row if row is not None and row.version == VERSION else None


def _meet(row: TreesRow, category: str) -> None:
    """Count a category; the least frequent one makes room, and all fade in time."""
    row.met += 1
    counts = row.categories
    if category:
        count = counts.get(category, 0) + 1
        if category not in counts and len(counts) >= MET:
            least, gone = min((old, name) for name, old in counts.items())
            del counts[gone]
            count += least
        counts[category] = count
    if row.met % _HALVED_AT == 0:
        for name in counts:
            counts[name] //= 2


def _bins(x: Outcome, nodes: TreeNodes) -> list[int]:
    return bins_of(x.numbers, x.categories, nodes.categories)


def _error(probabilities: Sequence[float], outcome: int) -> float:
    """Half the squared distance of probabilities from what happened, 0 to 1 (Brier, 1950)."""
    squares = sum(p * p for p in probabilities)
    return float(squares - 2 * probabilities[outcome] + 1.0) / 2


def _is_better(duel: Duel) -> bool:
    mean = duel.sum / duel.seen / ONE
    variance = max(duel.squares / duel.seen / ONE - mean * mean, 0.0)
    return mean > SURE * sqrt(variance / duel.seen)


def _published(task: str, state: TaskState) -> PublishedTree:
    tree = state.tree
    return PublishedTree(
        task,
        VERSION,
        state.learned,
        list(CLASSES[task]),
        tree.categories,
        np.frombuffer(tree.features, np.int8).tolist(),
        list(tree.places),
        np.frombuffer(tree.counts, "<i8").reshape(len(tree.features), -1).tolist(),
        round(Adwin(state.window).mean, 6),
        state.drifts,
        state.drifted_at,
    )
