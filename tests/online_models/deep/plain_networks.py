"""Networks without JAX: they return what can be told by hand, and keep what they are given."""

import numpy as np
from numpy.typing import NDArray

from online_models.deep.next_items import Gradients
from online_models.deep.row_vectors import Floats
from online_models.deep.slate_values import Slates, Slopes


class LastItem:
    """What comes next is what came last; what is right is pulled there, what is not is pushed away."""

    def __init__(self, popular: float = 0.0) -> None:
        self._popular = popular
        self.batches: list[tuple[Floats, Floats, NDArray[np.bool_]]] = []

    def state(self, window: Floats) -> Floats:
        last: Floats = window[-1]
        return last

    def learn(
        self, windows: Floats, candidates: Floats, biases: Floats, possible: NDArray[np.bool_]
    ) -> Gradients:
        self.batches.append((windows, candidates, possible))
        of_biases = np.zeros_like(biases)
        right = np.eye(len(windows), len(candidates), dtype=bool)
        slope = ((possible & ~right) / 5.0 - right).T.astype(np.float32) @ windows[:, -1]
        of_biases[: len(windows)] = -self._popular
        return Gradients(1.0, np.zeros_like(windows), slope, of_biases)

    def weights(self) -> list[Floats]:
        return []


class Evidence:
    """The value of a place is its evidence; nothing is learned."""

    def __init__(self) -> None:
        self.batches: list[tuple[Slates, Slates, Floats, Floats]] = []
        self.followed = 0

    def values(self, slates: Slates) -> Floats:
        return slates.evidence

    def learn(self, slates: Slates, following: Slates, rewards: Floats, weights: Floats) -> Slopes:
        self.batches.append((slates, following, rewards, weights))
        return Slopes(0.5, np.ones_like(slates.windows), np.ones_like(slates.items))

    def follow(self) -> None:
        self.followed += 1

    def weights(self) -> list[Floats]:
        return []
