"""Compiled: which centre a customer is nearest to."""

import numpy as np
from numpy.typing import NDArray

from online_models.compilation import compiled

Floats = NDArray[np.float64]


@compiled("Tuple((int64, float64))(float64[::1], float64[::1], float64[::1], float64[:,::1], float64)")
def nearest(vector: Floats, mean: Floats, scale: Floats, centres: Floats, clip: float) -> tuple[int, float]:
    """Find the nearest centre of a vector, the first of equals.

    Parameters
    ----------
    vector, mean, scale : array, shape (features,)
        It is standardised as (vector - mean) * scale, between -clip and clip.
    centres : array, shape (clusters, features)
        At least one.

    Returns
    -------
    (int, float)
        Its place, and the squared distance in standardised units.
    """
    best, least = 0, np.inf
    for place in range(len(centres)):
        squared = 0.0
        for n in range(len(vector)):
            apart = centres[place, n] - min(max((vector[n] - mean[n]) * scale[n], -clip), clip)
            squared += apart * apart
        if squared < least:
            best, least = place, squared
    return best, least
