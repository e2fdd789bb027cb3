"""Batch K-means over a few hundred vectors, for choosing the centres that a stream then moves.

The same vectors and seed give the same centres. Streaming updates are in `online_models.kmeans`.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ROUNDS = 20
RESTARTS = 8

CLEARLY_BETTER = 0.98
"""Share of the inertia below which other centres replace those in use."""


def choose_centres(vectors: Floats, clusters: int, *, seed: int) -> tuple[float, Floats]:
    """Return the lowest inertia, and its centres, of some restarts of k-means++ and Lloyd's rounds.

    Parameters
    ----------
    vectors : array of shape (samples, features)
        At least `clusters` of them.
    clusters : int
        How many centres.
    seed : int
        Decides the restarts.

    Raises
    ------
    ValueError
        There are fewer vectors than clusters.

    References
    ----------
    Arthur, Vassilvitskii: k-means++: The Advantages of Careful Seeding, SODA 2007.

    Examples
    --------
    >>> lowest, centres = choose_centres(np.array([[0.0], [1.0], [9.0], [10.0]]), 2, seed=1)
    >>> lowest, sorted(centres.ravel().tolist())
    (1.0, [0.5, 9.5])
    """
    if len(vectors) < clusters:
        raise ValueError(f"{len(vectors)} vectors for {clusters} clusters; expected at least as many")
    generator = np.random.Generator(np.random.PCG64(seed))
    tries = [refine(vectors, _seeded(vectors, clusters, generator)) for _ in range(RESTARTS)]
    return min(tries, key=lambda tried: tried[0])


def better_centres(vectors: Floats, old: Floats, *, seed: int) -> Floats | None:
    """Look for centres that are clearly better than the old ones; None when there are none.

    Half of the vectors choose, the other half compares, so that no centres win by knowing the test.

    Examples
    --------
    >>> vectors = np.array([[0.0], [0.2], [9.0], [9.2], [0.1], [0.1], [9.1], [9.1]])
    >>> found = better_centres(vectors, np.array([[0.0], [1.0]]), seed=1)
    >>> np.sort(found.ravel()).round(6).tolist()
    [0.1, 9.1]
    >>> better_centres(vectors, found, seed=1) is None
    True
    """
    choosing, comparing = vectors[::2], vectors[1::2]
    if len(choosing) < len(old) or not len(comparing):
        return None
    _, found = choose_centres(choosing, len(old), seed=seed)
    if inertia(comparing, found) >= CLEARLY_BETTER * inertia(comparing, old):
        return None
    return refine(vectors, found)[1]


def refine(vectors: Floats, centres: Floats) -> tuple[float, Floats]:
    """Move centres to the means of their vectors, some rounds; return the inertia and the new centres.

    A centre without vectors moves onto the vector that is farthest from its own centre.
    """
    centres = centres.copy()
    for _ in range(ROUNDS):
        distances = squared_distances(vectors, centres)
        owner, apart = distances.argmin(axis=1), distances.min(axis=1)
        before = centres.copy()
        for place in range(len(centres)):
            mine = owner == place
            if mine.any():
                centres[place] = vectors[mine].mean(axis=0)
            else:
                farthest = int(apart.argmax())
                centres[place] = vectors[farthest]
                apart[farthest] = 0.0
        if np.array_equal(before, centres):
            break
    return inertia(vectors, centres), centres


def matched(new: Floats, old: Floats) -> Floats:
    """Order new centres like the old ones they are nearest to, closest pairs first: segments keep their ids.

    Examples
    --------
    >>> matched(np.array([[9.0], [1.0]]), np.array([[0.0], [10.0]])).ravel().tolist()
    [1.0, 9.0]
    """
    ordered = new.copy()
    apart = squared_distances(old, new)
    for _ in range(len(new)):
        place, nearest = divmod(int(apart.argmin()), len(new))
        ordered[place] = new[nearest]
        apart[place, :] = np.inf
        apart[:, nearest] = np.inf
    return ordered


def taken_over(vectors: Floats, old: Floats, new: Floats) -> Floats:
    """Share of each old centre's vectors (row) that are nearest to each new one (column).

    An old centre without vectors is taken over by the new one of the same place; rows sum to 1.

    Examples
    --------
    >>> taken_over(np.array([[0.0], [2.0]]), np.array([[1.0], [9.0]]), np.array([[0.0], [2.0]])).tolist()
    [[0.5, 0.5], [0.0, 1.0]]
    """
    clusters = len(new)
    before = squared_distances(vectors, old).argmin(axis=1)
    after = squared_distances(vectors, new).argmin(axis=1)
    counts = np.bincount(before * clusters + after, minlength=clusters * clusters).reshape(clusters, clusters)
    totals = counts.sum(axis=1, keepdims=True)
    shares: Floats = np.where(totals > 0, counts / np.maximum(totals, 1), np.eye(clusters))
    return shares


def inertia(vectors: Floats, centres: Floats) -> float:
    """Sum of the squared distances of all vectors to their nearest centres."""
    return float(squared_distances(vectors, centres).min(axis=1).sum())


def squared_distances(vectors: Floats, centres: Floats) -> Floats:
    """Squared distance of every vector (row) to every centre (column)."""
    # Not a matrix product: BLAS adds in another order on another processor, einsum does not.
    products = np.einsum("ij,kj->ik", vectors, centres)
    lengths = np.einsum("ij,ij->i", vectors, vectors), np.einsum("ij,ij->i", centres, centres)
    apart: Floats = lengths[0][:, None] - 2.0 * products + lengths[1]
    return np.maximum(apart, 0.0)


def _seeded(vectors: Floats, clusters: int, generator: np.random.Generator) -> Floats:
    """Draw centres among the vectors; the chance grows with the squared distance to those drawn before."""
    chosen = [int(generator.integers(len(vectors)))]
    nearest = squared_distances(vectors, vectors[chosen]).ravel()
    while len(chosen) < clusters:
        total = nearest.cumsum()
        place = int(np.searchsorted(total, generator.random() * total[-1], side="right"))
        chosen.append(min(place, len(vectors) - 1))
        nearest = np.minimum(nearest, squared_distances(vectors, vectors[chosen[-1:]]).ravel())
    picked: Floats = vectors[chosen]
    return picked
