"""How different the items of one list are from each other, judged by who acted upon them."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from math import sqrt
from typing import Final

from online_models.evaluation.actions import Logged
from online_models.evaluation.relevance import ACTIONS
from schemas.messages import Event

MAX_KEYS: Final = 200
"""Of an item, so many customers or sessions are kept, the last ones."""


class ItemAudiences:
    """Who acted upon each item, the newest `MAX_KEYS` of them.

    Parameters
    ----------
    log : iterable of Event or ItemFacts
        What happened.

    Examples
    --------
    >>> from schemas.messages import Line
    >>> def view(key, item):
    ...     return Event(key, "view", 0, "browses", 0, 0, 0, 0, lines=[Line(item, [])])
    >>> both = [view(key, item) for key in ("u:a", "u:b") for item in ("tea", "cup")]
    >>> audiences = ItemAudiences([*both, view("u:c", "jam")])
    >>> audiences.distance("tea", "cup"), audiences.distance("tea", "jam")
    (0.0, 1.0)
    """

    def __init__(self, log: Iterable[Logged]) -> None:
        self._keys: dict[str, dict[int, None]] = {}
        numbers: dict[str, int] = {}
        for event in log:
            if not isinstance(event, Event) or event.kind not in ACTIONS:
                continue
            number = numbers.setdefault(event.key, len(numbers))
            for line in event.lines:
                keys = self._keys.setdefault(line.item, {})
                keys.pop(number, None)
                keys[number] = None
                if len(keys) > MAX_KEYS:
                    del keys[next(iter(keys))]

    def distance(self, one: str, other: str) -> float:
        """1 - cosine of the audiences of two items; 1 where nobody is known."""
        mine, theirs = self._keys.get(one), self._keys.get(other)
        if not mine or not theirs:
            return 1.0
        return 1.0 - len(mine.keys() & theirs.keys()) / sqrt(len(mine) * len(theirs))


def intra_list_diversity(ranked: Sequence[str], audiences: ItemAudiences) -> float:
    """Return the mean distance between two items of a list; 0 for fewer than two.

    References
    ----------
    Ziegler, McNee, Konstan, Lausen: Improving Recommendation Lists through Topic Diversification, WWW 2005.

    Examples
    --------
    >>> intra_list_diversity(["tea", "cup"], ItemAudiences([]))
    1.0
    """
    pairs = [audiences.distance(one, other) for one, other in combinations(ranked, 2)]
    return sum(pairs) / len(pairs) if pairs else 0.0
