"""Sessions whose next item follows from the last two, but not from the last one alone."""

from collections.abc import Iterator, Sequence

import numpy as np


class Successions:
    """A shop in which each session goes one of two ways through all items.

    From an item each way leads on to another one, and both are as frequent: who looks at the last item alone
    is right half the time. Two items tell the way.

    Parameters
    ----------
    items : int
        How many there are.
    surprise : float
        The chance that a session goes to any item instead, and on its way from there.
    seed : int
        Of the ways.

    Examples
    --------
    >>> shop = Successions(items=20, surprise=0.0)
    >>> session = next(shop.sessions(1, length=6, seed=1))
    >>> all(shop.following(session[:n]) == session[n] for n in range(2, 6))
    True
    """

    def __init__(self, *, items: int = 40, surprise: float = 0.1, seed: int = 1) -> None:
        rng = np.random.default_rng(seed)
        self.items = [f"i{n}" for n in range(items)]
        self.surprise = surprise
        one = rng.permutation(items)
        place = np.argsort(one)
        self._ways = np.stack([one[(place + 1) % items], one[(place + items // 2) % items]])

    def sessions(self, count: int, *, length: int, seed: int) -> Iterator[list[str]]:
        """Give sessions of so many items."""
        rng = np.random.default_rng(seed)
        for _ in range(count):
            way, item = self._ways[rng.integers(2)], int(rng.integers(len(self.items)))
            session = [item]
            while len(session) < length:
                surprised = rng.random() < self.surprise
                item = int(rng.integers(len(self.items))) if surprised else int(way[item])
                session.append(item)
            yield [self.items[each] for each in session]

    def following(self, session: Sequence[str]) -> str | None:
        """Return what follows a session of two items and more; None where its last step tells no way."""
        before, last = (int(item[1:]) for item in session[-2:])
        for way in self._ways:
            if way[before] == last:
                return self.items[int(way[last])]
        return None
