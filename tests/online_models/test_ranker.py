"""The ranker equals its formulas in numpy, learns what is chosen, and is the same for the same seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from online_models.ranker import ListwiseRanker

Matrix = NDArray[np.float32]


def lists(candidates: int, features: int, seed: int) -> Matrix:
    drawn = np.random.default_rng(seed)
    matrix = drawn.random((candidates, features)) * (drawn.random((candidates, features)) < 0.6)
    return matrix.astype(np.float32)


def plain_loss(ranker: ListwiseRanker, matrix: Matrix, outcome: int) -> float:
    scores = ranker.score_many(matrix).astype(np.float64)
    return float(np.log(np.exp(scores).sum()) - scores[outcome])


@settings(max_examples=30)
@given(st.integers(1, 12), st.integers(1, 9), st.integers(1, 8), st.integers(0, 1_000))
def test_scores_equal_the_formula(candidates: int, features: int, units: int, seed: int) -> None:
    ranker = ListwiseRanker(features, units=units, seed=seed)
    ranker.learn_one(lists(candidates, features, seed + 1), candidates - 1)
    matrix = lists(candidates, features, seed)
    weights, out = ranker.weights()
    before = matrix @ weights[:features] + weights[features]
    hidden = np.where(before[:, :units] < 0, 0.1 * before[:, :units], before[:, :units])
    assert ranker.score_many(matrix) == pytest.approx(hidden @ out + before[:, units], rel=1e-4, abs=1e-5)


@settings(max_examples=30)
@given(st.integers(2, 12), st.integers(1, 9), st.integers(0, 1_000))
def test_a_step_makes_what_was_chosen_likelier(candidates: int, features: int, seed: int) -> None:
    ranker = ListwiseRanker(features, units=4, rate=1e-4, seed=seed)
    matrix = lists(candidates, features, seed)
    for outcome in range(candidates):
        before = plain_loss(ranker, matrix, outcome)
        ranker.learn_one(matrix, outcome)
        assert plain_loss(ranker, matrix, outcome) <= before + 1e-5


def test_what_depends_on_two_features_at_once_is_learned() -> None:
    ranker = ListwiseRanker(2, units=16)
    matrix = np.array([[0, 0], [1, 1], [0, 1], [1, 0]], np.float32)
    for n in range(2_000):
        ranker.learn_one(matrix, 2 + n % 2)
    scores = ranker.score_many(matrix)
    assert scores[2:].min() > scores[:2].max() + 1


def test_the_same_seed_and_lists_give_the_same_scores() -> None:
    first, second, other = ListwiseRanker(6), ListwiseRanker(6), ListwiseRanker(6, seed=2)
    for n in range(50):
        for ranker in (first, second, other):
            ranker.learn_one(lists(10, 6, n), n % 10)
    asked = lists(10, 6, 99)
    assert first.score_many(asked).tolist() == second.score_many(asked).tolist()
    assert first.score_many(asked).tolist() != other.score_many(asked).tolist()


def test_an_empty_list_has_no_scores() -> None:
    assert ListwiseRanker(3).score_many(np.zeros((0, 3), np.float32)).tolist() == []
