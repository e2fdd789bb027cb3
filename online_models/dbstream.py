"""DBSTREAM: groups of any number and shape, from micro-clusters that share samples.

The state is a `DensityRow`; who is looked at is decided in `online_models.density`.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_models.kmeans import CLIP, FLOOR
from online_models.lloyd import Floats
from schemas.density import DensityRow

MOST: Final = 200
"""Micro-clusters that are kept; the lightest makes room."""

_NUMBER: Final = "<f8"


class Grouped(NamedTuple):
    """Strong micro-clusters, standardised, the group of each, and the share of the weight of each group."""

    centres: Floats
    owners: list[int]
    shares: list[float]


class Dbstream:
    """Keeps micro-clusters of a fixed radius; those that share enough samples are one group.

    Parameters
    ----------
    weights : sequence of float
        How much one deviation of each feature counts.
    radius : float
        Of a micro-cluster, in standardised units.
    half_life : int
        Samples after which a sample counts half.
    share : float
        Part of their samples that two micro-clusters have to share to be one group.
    least : float
        Share of all weight below which a group is no group.

    References
    ----------
    Hahsler, Bolaños: Clustering Data Streams Based on Shared Density between Micro-Clusters, IEEE TKDE
    28(6), 2016.

    Examples
    --------
    >>> model, row = Dbstream([1.0], radius=0.5, half_life=1_000), DensityRow()
    >>> for n in range(200):
    ...     model.learn_one(row, [float(n % 2) * 10 + (n // 2 % 9) / 10])
    >>> found = model.groups(row)
    >>> sorted(set(found.owners)), [round(share, 2) for share in found.shares]
    ([0, 1], [0.5, 0.5])
    """

    def __init__(
        self,
        weights: Sequence[float],
        *,
        radius: float,
        half_life: int,
        share: float = 0.1,
        least: float = 0.02,
    ) -> None:
        self._weights = np.array(weights)
        self._features = len(weights)
        self.radius, self._half_life, self._share, self._least = radius, half_life, share, least

    def learn_one(self, row: DensityRow, features: Sequence[float]) -> None:
        """Learn one sample in place."""
        x = np.array(features)
        self._remember(row, x)
        mean, deviation = self.scale(row)
        centres = self._centres(row)
        point = _scaled(x, mean, deviation)
        apart = point - (centres - mean) / deviation
        distances = np.sqrt(np.einsum("mf,mf->m", apart, apart))
        near = np.flatnonzero(distances < self.radius)
        if not len(near):
            self._begin(row, mean + point * deviation)
            return
        places = near.tolist()
        for place in places:
            row.weights[place] = self._faded(row.weights[place], row.touched[place], row.seen) + 1.0
            row.touched[place] = row.seen
        for n, one in enumerate(places):
            for other in places[n + 1 :]:
                name = f"{one} {other}"
                old, at = row.shared.get(name, (0.0, row.seen))
                row.shared[name] = (self._faded(old, at, row.seen) + 1.0, row.seen)
        self._move(centres, near, apart[near] * deviation, distances[near], deviation)

    def groups(self, row: DensityRow) -> Grouped:
        """Join micro-clusters that share samples; groups are numbered from the heaviest on."""
        now = [self._faded(weight, at, row.seen) for weight, at in zip(row.weights, row.touched, strict=True)]
        owner = list(range(len(now)))
        for name, (shared, at) in row.shared.items():
            one, other = map(int, name.split())
            if self._faded(shared, at, row.seen) >= self._share * (now[one] + now[other]) / 2:
                left, right = _root(owner, one), _root(owner, other)
                owner[max(left, right)] = min(left, right)
        roots = [_root(owner, place) for place in range(len(now))]
        heavy: dict[int, float] = {}
        for place, weight in zip(roots, now, strict=True):
            heavy[place] = heavy.get(place, 0.0) + weight
        total = sum(heavy.values())
        kept = [place for place in heavy if heavy[place] >= self._least * total]
        kept.sort(key=lambda place: (-heavy[place], place))
        number = {place: n for n, place in enumerate(kept)}
        strong = [place for place, root in enumerate(roots) if root in number]
        mean, deviation = self.scale(row)
        whole = sum(heavy[place] for place in kept) or 1.0
        return Grouped(
            (self._centres(row)[strong] - mean) / deviation,
            [number[roots[place]] for place in strong],
            [heavy[place] / whole for place in kept],
        )

    def scale(self, row: DensityRow) -> tuple[Floats, Floats]:
        """Mean of each feature, and what it is divided by: its deviation over its weight."""
        if not row.seen:
            return np.zeros(self._features), np.ones(self._features)
        variance = np.frombuffer(row.variance, _NUMBER)
        deviation: Floats = np.maximum(np.sqrt(variance), FLOOR) / self._weights
        return np.frombuffer(row.mean, _NUMBER), deviation

    def _centres(self, row: DensityRow) -> Floats:
        return np.frombuffer(row.centres, _NUMBER).reshape(-1, self._features)

    def _faded(self, weight: float, at: int, now: int) -> float:
        return weight * float(2.0 ** ((at - now) / self._half_life))

    def _remember(self, row: DensityRow, x: Floats) -> None:
        row.seen += 1
        if row.seen == 1:
            row.mean = bytearray(x.astype(_NUMBER).tobytes())
            row.variance = bytearray(x.nbytes)
            return
        rate = 1.0 / min(row.seen, self._half_life)
        mean, variance = np.frombuffer(row.mean, _NUMBER), np.frombuffer(row.variance, _NUMBER)
        apart = x - mean
        mean += rate * apart
        variance += rate * (apart * (x - mean) - variance)

    def _begin(self, row: DensityRow, centre: Floats) -> None:
        """Put a micro-cluster where there was none; the lightest makes room."""
        raw = centre.astype(_NUMBER).tobytes()
        if len(row.weights) < MOST:
            row.centres = row.centres + raw
            row.weights.append(1.0)
            row.touched.append(row.seen)
            return
        now = [self._faded(w, at, row.seen) for w, at in zip(row.weights, row.touched, strict=True)]
        place = now.index(min(now))
        size = len(raw)
        row.centres[place * size : (place + 1) * size] = raw
        row.weights[place], row.touched[place] = 1.0, row.seen
        row.shared = {name: each for name, each in row.shared.items() if str(place) not in name.split()}

    def _move(
        self, centres: Floats, near: NDArray[np.intp], steps: Floats, distances: Floats, deviation: Floats
    ) -> None:
        """Move the micro-clusters towards the sample, those next to it most, unless they come too close."""
        moved = centres[near] + steps * np.exp(-((3 * distances / self.radius) ** 2) / 2)[:, None]
        if len(near) > 1:
            apart = (moved[:, None, :] - moved[None, :, :]) / deviation
            gaps = np.sqrt(np.einsum("ijf,ijf->ij", apart, apart))
            np.fill_diagonal(gaps, np.inf)
            stay = gaps.min(axis=1) < self.radius
            moved[stay] = centres[near][stay]
        centres[near] = moved


def _root(owner: list[int], place: int) -> int:
    while owner[place] != place:
        owner[place] = owner[owner[place]]
        place = owner[place]
    return place


def _scaled(vector: Floats, mean: Floats, deviation: Floats) -> Floats:
    return np.minimum(np.maximum((vector - mean) / deviation, -CLIP), CLIP)
