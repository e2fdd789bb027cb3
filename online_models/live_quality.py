"""How good lists prove to be, and what they do to the catalogue, while they are given: in bounded memory."""

from collections import Counter, deque
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from online_models.exposure import exposure_gini, popularity_lift

MOST_CUSTOMERS = 50_000
"""Lists that wait for what their customer does next."""

WINDOW = 2_000
"""So many of the newest lists, and of the newest acts, are looked at together."""


class Places(NamedTuple):
    """Where the first of somebody's items stood in the list, and among what was popular then; 0: nowhere.

    `weight` is that of the list, with the first act after it alone.
    """

    in_list: int
    in_popular: int
    weight: float | None = None


class Exposure(NamedTuple):
    """What the newest lists have in common.

    `items` are different ones in these lists; `gini` says, from 0 to 1, how unevenly places are shared among
    the items that were shown or acted on; `lift` is how much more popular a recommended item is than one
    that is acted on, 0 for as popular.
    """

    items: int
    gini: float
    lift: float


class LiveQuality:
    """Compares what customers do next with the lists they have: test, then learn.

    Parameters
    ----------
    customers : int
        Most lists that wait; the one given longest ago makes room.
    window : int
        How many lists, and how many items acted on, `exposure` looks at.

    References
    ----------
    Gama, Sebastião, Rodrigues: On Evaluating Stream Learning Algorithms, Machine Learning 90, 2013.

    Examples
    --------
    >>> quality = LiveQuality()
    >>> quality.give("u:anna", ["tea", "cup"], popular=("cup", "pot"))
    >>> quality.act("u:anna", ["mat", "cup"]), quality.act("u:anna", ["mat"]), quality.act("u:bert", ["tea"])
    (Places(in_list=2, in_popular=1, weight=None), Places(in_list=0, in_popular=0, weight=None), None)
    >>> quality.exposure().items
    2
    """

    def __init__(self, *, customers: int = MOST_CUSTOMERS, window: int = WINDOW) -> None:
        if min(customers, window) < 1:
            raise ValueError(f"customers is {customers} and window {window}; expected at least 1 of each")
        self._customers = customers
        self._given: dict[str, tuple[Sequence[str], Sequence[str]]] = {}
        self._weights: dict[str, float] = {}
        self._lists: deque[Sequence[str]] = deque(maxlen=window)
        self._acts: deque[str] = deque(maxlen=window)

    def give(
        self, key: str, ranked: Sequence[str], *, popular: Sequence[str], weight: float | None = None
    ) -> None:
        """Note the list that a customer has from now on, and of what is popular as many places.

        `weight` is told back with what is done next, by which other lists than the one given are judged.
        """
        self.forget(key)
        if len(self._given) >= self._customers:
            self.forget(next(iter(self._given)))
        self._given[key] = ranked, popular[: len(ranked)]
        if weight is not None:
            self._weights[key] = weight
        self._lists.append(ranked)

    def act(self, key: str, items: Sequence[str]) -> Places | None:
        """Compare what a customer acts on with the list they had; None without one."""
        self._acts.extend(items)
        given = self._given.get(key)
        if given is None or not items:
            return None
        in_list, in_popular = (_first(ranked, items) for ranked in given)
        return Places(in_list, in_popular, self._weights.pop(key, None))

    def forget(self, key: str) -> None:
        """Let a customer's list go."""
        self._given.pop(key, None)
        self._weights.pop(key, None)

    def exposure(self) -> Exposure | None:
        """Return what the newest lists have in common; None before there are lists and acts."""
        shown = set(chain.from_iterable(self._lists))
        if not shown or not self._acts:
            return None
        acted, places = Counter(self._acts), max(map(len, self._lists))
        gini = exposure_gini(self._lists, shown | acted.keys(), places)
        return Exposure(len(shown), gini, popularity_lift(self._lists, acted, places))


def _first(ranked: Sequence[str], items: Sequence[str]) -> int:
    return next((place for place, item in enumerate(ranked, start=1) if item in items), 0)
