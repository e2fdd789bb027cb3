"""Tells over-fitting: what the ranker loses on new lessons, beside what it loses on some that it learned."""

from collections import deque
from typing import Final, NamedTuple

from online_models.ranker_step import RankerStep
from schemas.messages import Lesson

HELD: Final = 25
EVERY: Final = 8
"""One of so many lessons is compared: a comparison costs about as much as learning one."""


class Losses(NamedTuple):
    """Mean log loss of a lesson before it is learned, and of one that was learned some time ago, in nats."""

    new: float
    learned: float


class TrainingGap:
    """Compares the ranker's losses before it learns a lesson with those after; test, then learn.

    Parameters
    ----------
    step : RankerStep
        Whose weights are judged; only read.
    held : int
        A lesson is judged again once so many others of those that are compared have followed.
    every : int
        One of so many lessons is compared.

    References
    ----------
    Gama, Sebastião, Rodrigues: On Evaluating Stream Learning Algorithms, Machine Learning 90, 2013
    (prequential against holdout and training error).
    """

    def __init__(self, step: RankerStep, *, held: int = HELD, every: int = EVERY) -> None:
        self._step, self._every = step, every
        self._held: deque[Lesson] = deque(maxlen=held)
        self._met = 0

    def before(self, x: Lesson) -> Losses | None:
        """Judge a lesson that is about to be learned; None for most, and before there are older ones."""
        self._met += 1
        if self._met % self._every:
            return None
        new = self._step.loss(x)
        if new is None:
            return None
        full = len(self._held) == self._held.maxlen
        oldest = self._step.loss(self._held[0]) if full else None
        self._held.append(x)
        return None if oldest is None else Losses(new, oldest)
