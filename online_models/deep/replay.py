"""The newest examples, from which batches are drawn: those that come together are too much alike."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Columns = Mapping[str, NDArray[Any]]
"""Arrays by name, one row per example."""


class Replay:
    """Keeps the newest examples in arrays of fixed size.

    Parameters
    ----------
    most : int
        Examples kept.
    columns : mapping of str to array
        What an example has, each an array of the shape and type of one example's.

    References
    ----------
    Lin: Self-Improving Reactive Agents Based On Reinforcement Learning, Planning and Teaching, Machine
    Learning 8, 1992.

    Examples
    --------
    >>> replay = Replay(most=2, columns={"item": np.zeros((), np.int32)})
    >>> for item in (7, 8, 9):
    ...     replay.add({"item": np.int32(item)})
    >>> sorted(set(replay.draw(np.random.default_rng(1), 20, newest=1)["item"].tolist())), len(replay)
    ([8, 9], 2)
    """

    def __init__(self, most: int, columns: Columns) -> None:
        if most < 1:
            raise ValueError(f"most is {most}; expected at least 1")
        self._most, self._added = most, 0
        self._columns = {name: np.zeros((most, *each.shape), each.dtype) for name, each in columns.items()}

    def __len__(self) -> int:
        return min(self._added, self._most)

    def add(self, example: Mapping[str, Any]) -> None:
        """Keep an example, in place of the oldest where there is no more room."""
        place = self._added % self._most
        for name, column in self._columns.items():
            column[place] = example[name]
        self._added += 1

    def draw(self, rng: np.random.Generator, count: int, *, newest: int) -> dict[str, NDArray[Any]]:
        """Return the newest examples, and others drawn with replacement: `count` together."""
        newest = min(newest, count, len(self))
        last = (self._added - 1 - np.arange(newest)) % self._most
        places = np.concatenate([last, rng.integers(0, len(self), count - newest)])
        return {name: column[places] for name, column in self._columns.items()}
