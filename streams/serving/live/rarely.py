"""A view that is costly to make, made once for all who ask within a while."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Rarely(Generic[T]):
    """Gives a view that is at most so old.

    Parameters
    ----------
    make : callable
        Makes it as of now.
    every_s : float
        Seconds for which it is given again.
    clock : callable
        Seconds that only go forward.
    """

    def __init__(
        self, make: Callable[[], T], every_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._make, self._every_s, self._clock = make, every_s, clock
        self._made: tuple[float, T] | None = None

    def get(self) -> T:
        """Give the view, made anew if the last one is too old."""
        now = self._clock()
        if self._made is None or now - self._made[0] >= self._every_s:
            self._made = now, self._make()
        return self._made[1]
