"""Points on a plane: distances stay where they fit, and the same points are always at the same places."""

from math import dist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from online_models.projection import Floats, on_a_plane

POINTS = st.integers(0, 8).flatmap(
    lambda count: arrays(np.float64, (count, 5), elements=st.integers(-100, 100).map(float))
)


def distances(points: Floats) -> list[list[float]]:
    """From each point to each other."""
    return [[dist(one, other) for other in points] for one in points]


@given(POINTS)
def test_the_mean_is_the_origin_and_shares_are_shares(points: Floats) -> None:
    found = on_a_plane(points)
    assert found.places.shape == (len(points), 2)
    assert np.isfinite(found.places).all()
    assert np.allclose(found.places.sum(axis=0), 0, atol=1e-6)
    assert -1e-9 <= found.explains[1] <= found.explains[0] + 1e-9 <= 1 + 2e-9


@given(POINTS)
def test_order_and_place_of_the_origin_change_nothing(points: Floats) -> None:
    found, moved = on_a_plane(points), on_a_plane(points[::-1] + 7.0)
    assert np.allclose(found.explains, moved.explains, atol=1e-6)


def test_points_of_a_plane_keep_their_distances() -> None:
    plane = np.array([[1.0, 0.0, 1.0], [0.0, 2.0, 0.0]])
    points = np.array([[0.0, 0.0], [1.0, 3.0], [4.0, 1.0], [2.0, 2.0]]) @ plane
    places = on_a_plane(points).places
    assert np.allclose(distances(points), distances(places))


@pytest.mark.parametrize("points", [np.zeros((0, 3)), np.ones((1, 3)), np.ones((4, 3))])
def test_points_that_do_not_differ_are_all_at_the_origin(points: Floats) -> None:
    found = on_a_plane(points)
    assert not found.places.any()
    assert not found.axes.any()


def test_the_heaviest_feature_of_a_direction_weighs_positively() -> None:
    points = np.array([[3.0, -1.0], [0.0, 0.0], [-6.0, 2.0]])
    axis = on_a_plane(points).axes[0]
    assert axis[0] > abs(axis[1])
    assert np.array_equal(on_a_plane(-points).axes[0], axis)
