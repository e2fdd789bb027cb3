"""Points of many numbers on a plane: the two directions in which they differ most. Learns nothing."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_ROUNDING = 1e-9


class Projection(NamedTuple):
    """Points on a plane.

    Attributes
    ----------
    places : array of float64, shape (points, 2)
        Where each point is; their mean is the origin.
    axes : array of float64, shape (2, features)
        The two directions, of length 1; zeros where points differ in fewer.
    explains : array of float64, shape (2,)
        Share of all variance along each.
    """

    places: Floats
    axes: Floats
    explains: Floats


def on_a_plane(points: Floats) -> Projection:
    """Project points on their first two principal components.

    In each direction the feature that weighs most, of equals the first, weighs positively: the same points
    are always at the same places.

    Parameters
    ----------
    points : array of float64, shape (points, features)
        Any number of them, also none.

    Examples
    --------
    >>> found = on_a_plane(np.array([[0.0, 5.0], [2.0, 5.0], [4.0, 5.0]]))
    >>> found.places[:, 0].tolist(), found.axes[0].tolist(), found.explains.tolist()
    ([-2.0, 0.0, 2.0], [1.0, 0.0], [1.0, 0.0])

    References
    ----------
    Pearson: On Lines and Planes of Closest Fit to Systems of Points in Space, Philosophical Magazine 1901.
    """
    count, features = points.shape
    axes, explains = np.zeros((2, features)), np.zeros(2)
    if count < 2:
        return Projection(np.zeros((count, 2)), axes, explains)
    centred = points - points.mean(axis=0)
    _, strengths, directions = np.linalg.svd(centred, full_matrices=False)
    variance = strengths**2
    # What is left by rounding is no direction.
    least = _ROUNDING * max(strengths.max(initial=0.0), np.abs(points).max(initial=0.0))
    for number in range(min(2, int(np.count_nonzero(strengths > least)))):
        direction = directions[number]
        heaviest = np.argmax(np.abs(direction) > np.abs(direction).max() - _ROUNDING)
        axes[number] = direction * np.sign(direction[heaviest])
        explains[number] = variance[number] / variance.sum()
    return Projection(centred @ axes.T, axes, explains)
