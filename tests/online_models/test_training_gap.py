"""The training gap: losses are the log loss; new ones are above learned ones where there is only noise."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

from online_models.list_features import FEATURES, VERSION
from online_models.memory_store import MemoryStore
from online_models.ranker import ListwiseRanker
from online_models.ranker_step import KEY, RankerStep
from online_models.training_gap import TrainingGap
from schemas.messages import Lesson
from schemas.state import RankerRow

CANDIDATES = 6


def a_step() -> RankerStep:
    return RankerStep(MemoryStore(RankerRow))


def a_lesson(seed: int, *, plain: bool = False) -> Lesson:
    """One whose choice is written in its first feature, or one of chance."""
    drawn = np.random.default_rng(seed)
    features = drawn.random((CANDIDATES, FEATURES)) * (drawn.random((CANDIDATES, FEATURES)) < 0.3)
    chosen = seed % CANDIDATES
    if plain:
        features[:, 0] = np.arange(CANDIDATES) == chosen
    return Lesson(seed, VERSION, FEATURES, [chosen], features.astype("<f2").tobytes())


def mean_gap(*, plain: bool, lessons: int = 400) -> float:
    step = a_step()
    gap, found = TrainingGap(step, held=20, every=1), []
    for seed in range(lessons):
        losses = gap.before(a_lesson(seed, plain=plain))
        if losses is not None:
            found.append(losses.new - losses.learned)
        step.learn_one(a_lesson(seed, plain=plain))
    assert len(found) == lessons - 20 - 1
    return float(np.mean(found))


def test_a_loss_is_the_log_loss_of_the_softmax() -> None:
    rows = MemoryStore(RankerRow)
    step = RankerStep(rows)
    assert step.loss(a_lesson(0)) is None
    for seed in range(30):
        step.learn_one(a_lesson(seed))
    row = rows.get(KEY)
    assert row is not None
    arrays = [
        np.frombuffer(each, np.float32) for each in (row.weights, row.out, row.squares, row.out_squares)
    ]
    ranker = ListwiseRanker.over(*arrays)
    lesson = a_lesson(7)
    features = np.frombuffer(lesson.features, "<f2").reshape(CANDIDATES, FEATURES).astype(np.float32)
    scores = ranker.score_many(features).astype(np.float64)
    chances = np.exp(scores) / np.exp(scores).sum()
    expected = log_loss(lesson.chosen, [chances], labels=range(CANDIDATES))
    assert step.loss(lesson) == pytest.approx(expected, rel=1e-5)


def test_what_cannot_be_scored_has_no_loss() -> None:
    step = a_step()
    step.learn_one(a_lesson(1))
    older = Lesson(1, VERSION - 1, FEATURES, [0], a_lesson(1).features)
    assert step.loss(older) is None
    assert step.loss(Lesson(1, VERSION, FEATURES, [], a_lesson(1).features)) is None


def test_noise_that_is_learned_shows_as_a_gap_and_what_is_there_does_not() -> None:
    noise, plain = mean_gap(plain=False), mean_gap(plain=True)
    assert noise > 0.3
    assert abs(plain) < noise / 3


def test_one_of_so_many_is_compared_once_there_are_older_ones() -> None:
    step = a_step()
    step.learn_one(a_lesson(0))
    gap = TrainingGap(step, held=3, every=4)
    compared = [gap.before(a_lesson(seed)) is not None for seed in range(1, 25)]
    assert [n for n, each in enumerate(compared, start=1) if each] == [16, 20, 24]
