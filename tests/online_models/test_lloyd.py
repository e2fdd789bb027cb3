"""Batch K-means: as good as scikit-learn's, deterministic, and ids that stay."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.cluster import KMeans

from online_models.lloyd import (
    Floats,
    choose_centres,
    matched,
    refine,
    squared_distances,
    taken_over,
)


def points(seed: int, count: int = 200, features: int = 4) -> Floats:
    generator = np.random.Generator(np.random.PCG64(seed))
    return generator.normal(0.0, 3.0, (5, features))[generator.integers(5, size=count)] + generator.normal(
        size=(count, features)
    )


@pytest.mark.parametrize("seed", range(5))
def test_inertia_is_close_to_that_of_scikit_learn(seed: int) -> None:
    vectors = points(seed)

    inertia, centres = choose_centres(vectors, 5, seed=1)

    assert inertia <= 1.02 * float(KMeans(5, n_init=10, random_state=0).fit(vectors).inertia_)
    assert inertia == pytest.approx(float(squared_distances(vectors, centres).min(axis=1).sum()))


def test_the_same_seed_gives_the_same_centres() -> None:
    first, second = (choose_centres(points(3), 4, seed=9)[1] for _ in range(2))

    assert np.array_equal(first, second)


def test_fewer_vectors_than_clusters_are_refused() -> None:
    with pytest.raises(ValueError, match="3 vectors for 4 clusters"):
        choose_centres(points(1, count=3), 4, seed=1)


def test_vectors_that_are_all_the_same_have_centres_too() -> None:
    inertia, centres = choose_centres(np.ones((10, 2)), 3, seed=1)

    assert inertia == 0.0
    assert centres.tolist() == [[1.0, 1.0]] * 3


def test_a_centre_without_vectors_moves_to_the_farthest_one() -> None:
    vectors = np.array([[0.0], [0.1], [9.0]])

    inertia, centres = refine(vectors, np.array([[0.0], [1000.0]]))

    assert sorted(centres.ravel().tolist()) == [0.05, 9.0]
    assert inertia == pytest.approx(0.005)


@settings(max_examples=30)
@given(arrays(np.float64, (7, 3), elements=st.floats(-50, 50)), st.permutations(range(7)))
def test_a_permutation_of_centres_is_undone(centres: Floats, order: list[int]) -> None:
    assert np.allclose(matched(centres[order], centres), centres, atol=1e-4)


@settings(max_examples=30)
@given(
    arrays(np.float64, (9, 2), elements=st.floats(-5, 5)),
    arrays(np.float64, (3, 2), elements=st.floats(-5, 5)),
    arrays(np.float64, (3, 2), elements=st.floats(-5, 5)),
)
def test_each_old_centre_is_taken_over_exactly_once(vectors: Floats, old: Floats, new: Floats) -> None:
    shares = taken_over(vectors, old, new)

    assert shares.shape == (3, 3)
    assert (shares >= 0).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
