"""Streaming K-means with forgetting on features standardised as they come, and assignment to a segment.

The state is a `KMeansState`; what the segments are like is counted in `online_models.clusters`.
"""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np

from online_models.cluster_kernels import nearest
from online_models.lloyd import (
    Floats,
    better_centres,
    choose_centres,
    matched,
    refine,
    squared_distances,
    taken_over,
)
from schemas.clusters import KMeansState
from schemas.messages import Centroids

FLOOR = 0.05
"""Smallest deviation that a feature is divided by."""

CLIP = 5.0
"""Farthest that a standardised feature lies from the mean."""

RECENT = 200
"""Newest samples that are kept at least, and 20 for each cluster, to compare centres on."""

_SEED = 20_250_106
_NUMBER = "<f8"


class Learned(NamedTuple):
    """What happened to a sample.

    `distances` holds the squared standardised distance to each centre, for the sample and for the other
    vector that came with it; it is empty before there are centres. `taken_over` is what `choose` says,
    when other centres were chosen after it.
    """

    distances: list[list[float]]
    taken_over: Floats | None


class StreamingKMeans:
    """Moves the nearest centre towards each sample: c += (x - c) / min(n, cap).

    Parameters
    ----------
    weights : sequence of float
        How much one deviation of each feature counts.
    clusters : int
        How many centres.
    forgetting_cap : int
        Samples that a centre, and the standardisation, remember at most.
    warmup_samples : int
        Samples before the first centres are chosen.

    Notes
    -----
    After the warm-up the first centres are chosen from it by k-means++ with restarts. At twice as many
    samples, four times and so on, at the latest every `forgetting_cap`, others are chosen from half of the
    newest samples and replace those in use if they are clearly better on the other half; a centre that has
    not moved for `forgetting_cap` samples gets a new place. So neither an unlucky start nor a drift that
    empties a segment lasts.

    References
    ----------
    MacQueen: Some Methods for Classification and Analysis of Multivariate Observations, 1967.

    Examples
    --------
    >>> model = StreamingKMeans([1.0], clusters=2, forgetting_cap=100, warmup_samples=4)
    >>> state = KMeansState()
    >>> for x in (0.0, 9.0, 1.0, 10.0):
    ...     learned = model.learn_one(state, [x])
    >>> sorted(model.centres(state).ravel().tolist())
    [0.5, 9.5]
    >>> min(model.distances(state, [0.5]))
    0.0
    """

    def __init__(
        self, weights: Sequence[float], *, clusters: int, forgetting_cap: int, warmup_samples: int
    ) -> None:
        self.clusters, self.cap = clusters, forgetting_cap
        self.warmup = max(warmup_samples, clusters)
        self._kept = max(self.warmup, RECENT, 20 * clusters)
        self._weights = np.array(weights)
        self._features = len(weights)

    def learn_one(
        self, state: KMeansState, features: Sequence[float], previous: Sequence[float] = ()
    ) -> Learned:
        """Learn one sample in place.

        Parameters
        ----------
        state : KMeansState
            Changed.
        features : sequence of float
            The sample.
        previous : sequence of float, optional
            Another vector whose distances are wanted too; it isn't learned.
        """
        many = np.array((features, previous) if previous else (features,))
        self._remember(state, many[0])
        if not state.centres:
            return Learned([], self.choose(state) if state.seen >= self.warmup else None)
        mean, deviation = self.scale(state)
        scaled = _scaled(many, mean, deviation)
        centres = self.centres(state)
        apart = (centres - mean) / deviation - scaled[:, None, :]
        distances = np.einsum("ikf,ikf->ik", apart, apart)
        place = int(distances[0].argmin())
        count = min(state.counts[place] + 1, self.cap)
        state.counts[place], state.won_at[place] = count, state.seen
        # In standardised units, so that an outlier pulls no farther than CLIP.
        centres[place] -= apart[0, place] * deviation / count
        return Learned(distances.tolist(), self.choose(state) if state.seen >= state.refit_at else None)

    def choose(self, state: KMeansState) -> Floats | None:
        """Choose the first centres, or other ones if the newest samples show clearly better ones.

        Returns
        -------
        array of shape (old centres, clusters) or None
            Share of each old segment that each new one takes over; None when all centres stay.
        """
        mean, deviation = self.scale(state)
        recent = _scaled(np.frombuffer(state.recent, _NUMBER).reshape(-1, self._features), mean, deviation)
        state.refit_at = state.seen + min(state.seen, self.cap)
        if not state.centres:
            _, found = choose_centres(recent, self.clusters, seed=_SEED)
            self._settle(state, recent, mean + found * deviation, found)
            return np.zeros((0, self.clusters))
        old = (self.centres(state) - mean) / deviation
        better = better_centres(recent, old, seed=_SEED)
        if better is not None:
            found = matched(better, old)
        else:
            dead = [state.seen - at >= self.cap for at in state.won_at]
            if not any(dead):
                return None
            found = np.where(np.array(dead)[:, None], refine(recent, old)[1], old)
        self._settle(state, recent, mean + found * deviation, found)
        return taken_over(recent, old, found)

    def distances(self, state: KMeansState, vector: Sequence[float]) -> list[float]:
        """Squared standardised distance of a vector to each centre; needs centres."""
        mean, deviation = self.scale(state)
        apart = (self.centres(state) - mean) / deviation - _scaled(np.array(vector), mean, deviation)
        squared: list[float] = np.einsum("kf,kf->k", apart, apart).tolist()
        return squared

    def scale(self, state: KMeansState) -> tuple[Floats, Floats]:
        """Mean of each feature, and what it is divided by: its deviation over its weight."""
        variance = np.frombuffer(state.variance, _NUMBER)
        deviation: Floats = np.maximum(np.sqrt(variance), FLOOR) / self._weights
        return np.frombuffer(state.mean, _NUMBER), deviation

    def centres(self, state: KMeansState) -> Floats:
        """The centres in the units of the samples; writing to them changes the state."""
        return np.frombuffer(state.centres, _NUMBER).reshape(-1, self._features)

    def _remember(self, state: KMeansState, x: Floats) -> None:
        """Put the sample into the moments and into the ring of the newest ones."""
        place = state.seen % self._kept
        size = x.nbytes
        state.recent[place * size : (place + 1) * size] = x.astype(_NUMBER).tobytes()
        state.seen += 1
        if state.seen == 1:
            state.mean, state.variance = bytearray(x.astype(_NUMBER).tobytes()), bytearray(size)
            return
        rate = 1.0 / min(state.seen, self.cap)
        mean, variance = np.frombuffer(state.mean, _NUMBER), np.frombuffer(state.variance, _NUMBER)
        apart = x - mean
        mean += rate * apart
        variance += rate * (apart * (x - mean) - variance)

    def _settle(self, state: KMeansState, recent: Floats, centres: Floats, scaled: Floats) -> None:
        """Put other centres in place; each remembers the newest samples that are its own."""
        owner = squared_distances(recent, scaled).argmin(axis=1)
        counts = np.bincount(owner, minlength=self.clusters)
        state.centres = bytearray(centres.astype(_NUMBER).tobytes())
        state.counts = np.minimum(np.maximum(counts, 1), self.cap).tolist()
        state.won_at = [state.seen] * self.clusters


def _scaled(vectors: Floats, mean: Floats, deviation: Floats) -> Floats:
    return np.minimum(np.maximum((vectors - mean) / deviation, -CLIP), CLIP)


class _Prepared:
    """The arrays of the newest `Centroids` that were asked, found again by identity."""

    def __init__(self) -> None:
        self.of: tuple[Centroids, Floats, Floats, Floats] | None = None


_prepared = _Prepared()


def assign(centroids: Centroids, vector: Sequence[float]) -> tuple[str, float] | None:
    """Return the segment of a vector and its distance to the centre in standardised units.

    Parameters
    ----------
    centroids : Centroids
        The clustering as published.
    vector : sequence of float
        As `online_models.features.vector` made it.

    Returns
    -------
    (str, float) or None
        None while there are no centres, and for a vector that isn't as long as they are (a guest's).

    Examples
    --------
    >>> two = Centroids("1", [1.0], [2.0], [[-1.0], [1.0]], [], 0)
    >>> assign(two, [2.5])
    ('1', 0.25)
    >>> assign(two, []) is None
    True
    """
    prepared = _prepared.of
    if prepared is None or prepared[0] is not centroids:
        if not centroids.centres:
            return None
        # A tuple is replaced as a whole, so another thread sees the old one or the new one.
        prepared = (
            centroids,
            np.array(centroids.mean),
            1.0 / np.array(centroids.deviation),
            np.array(centroids.centres),
        )
        _prepared.of = prepared
    _, mean, scale, centres = prepared
    if len(vector) != len(mean):
        return None
    place, squared = nearest(np.array(vector), mean, scale, centres, CLIP)
    return str(place), sqrt(squared)
