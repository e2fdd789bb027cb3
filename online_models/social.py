"""Social as a source of lists: what those do whom a customer follows."""

from collections.abc import Collection
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_models.evidence import Amounts, ItemNumbers, Numbers
from online_models.session_index import SessionIndex
from online_models.social_kernels import PEOPLE, SUM, acted_on
from online_models.sources import SOCIAL, significance
from schemas.recommendations import Reason
from schemas.settings import Settings
from schemas.state import HistoryRow

ROWS: Final = 1_000
"""Rows of sessions that are looked at for one answer."""

ROWS_OF_ONE: Final = 64
OWN_ITEMS: Final = 50
"""Newest items of who asks that are compared with those of the people followed."""

FLOOR: Final = 0.1
"""What somebody counts who has no item in common, beside the cosine of others."""

CANDIDATES: Final = 50
MOST_FOUND: Final = 20_000

_DECIMALS: Final = 6


class Acted(NamedTuple):
    """Items that people followed acted on, the best first, by the numbers of the session index.

    `share` is what speaks for an item by what would if all of them had acted on it just now, in (0, 1];
    `people` is how many did, `followed` how many are known of at all.
    """

    numbers: NDArray[np.int64]
    share: NDArray[np.float64]
    people: NDArray[np.int64]
    followed: int = 0


class Followed:
    """Looks up what the people do whom somebody follows.

    score(item) = sum over those followed of weight of the link * (`FLOOR` + cosine of what both have) * decay
    of the newest action on the item.

    Parameters
    ----------
    index : SessionIndex
        Newest sessions of all; only read.
    half_life_s : float
        Age at which an action weighs half.

    References
    ----------
    Ma, Zhou, Liu, Lyu, King: Recommender Systems with Social Regularization, WSDM 2011 (ties weighted by the
    similarity of what both do).

    Examples
    --------
    >>> from online_models.follows import follow
    >>> index, row = SessionIndex(), HistoryRow()
    >>> for key, item in (("u:bert", "tea"), ("u:carla", "tea"), ("u:carla", "cup"), ("u:dan", "pot")):
    ...     index.learn_one(key, None, item, 0)
    >>> for target in ("bert", "carla"):
    ...     follow(row, target, 1.0, most=9)
    >>> found = Followed(index, half_life_s=60).find(row, now=0)
    >>> [index.names[number] for number in found.numbers], found.share.tolist(), found.people.tolist()
    (['tea', 'cup'], [1.0, 0.5], [2, 1])
    """

    def __init__(self, index: SessionIndex, *, half_life_s: float) -> None:
        self._index, self._half_life_ms = index, 1000.0 * half_life_s
        self._mine, self._met = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self._said = np.zeros((0, 2))
        self._found, self._total, self._base = np.zeros(MOST_FOUND, np.int64), np.zeros(1), 1

    def find(
        self,
        history: HistoryRow,
        now: int,
        *,
        without: Collection[str] = (),
        most: int = CANDIDATES,
        least_people: int = 1,
    ) -> Acted:
        """Return what those followed acted on.

        Parameters
        ----------
        history : HistoryRow
            Of who asks: whom they follow, and what they have.
        now : int
            Epoch ms.
        without : collection of str
            Items that are not wanted.
        most : int
            Items at most.
        least_people : int
            Items that fewer of them acted on are left out.
        """
        index = self._index
        chains = index.customers
        known = [(n, x) for key, x in history.follows.items() if (n := chains.number(key)) >= 0]
        if not known:
            return _NOTHING
        self._grow()
        own = list(history.items)[-OWN_ITEMS:]
        mine = index.numbers(own)
        self._mine[mine[mine >= 0]] = self._base
        count = acted_on(
            index.items,
            index.about,
            chains.before,
            chains.newest,
            index.newest,
            max(1, min(ROWS_OF_ONE, ROWS // len(known))),
            np.array([number for number, _ in known], np.int64),
            np.array([weight for _, weight in known], np.float64),
            len(own),
            FLOOR,
            now,
            self._half_life_ms,
            self._mine,
            self._met,
            self._base,
            self._said,
            self._found,
            self._total,
        )
        self._base += 2 * len(known) + 2
        numbers = self._found[:count].copy()
        sums, people = self._said[numbers, SUM], self._said[numbers, PEOPLE]
        self._said[numbers] = 0
        wanted = people >= least_people
        if without:
            wanted &= ~np.isin(numbers, index.numbers(list(without)))
        return self._best(numbers[wanted], sums[wanted], people[wanted], most)._replace(followed=len(known))

    def _best(self, numbers: NDArray[np.int64], sums: Amounts, people: Amounts, most: int) -> Acted:
        if len(numbers) > most:
            kept = sums >= np.partition(sums, len(sums) - most)[len(sums) - most]
            numbers, sums, people = numbers[kept], sums[kept], people[kept]
        order = np.argsort(-sums, kind="stable")[:most]
        return Acted(numbers[order], sums[order] / self._total[0], people[order].astype(np.int64))

    def _grow(self) -> None:
        if len(self._met) < len(self._index.heads):
            size = len(self._index.heads)
            self._mine, self._met = np.zeros(size, np.int64), np.zeros(size, np.int64)
            self._said = np.zeros((size, 2))


_NOTHING: Final = Acted(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))


class SocialSource:
    """What those followed act on, as a block of evidence.

    Parameters
    ----------
    settings : Settings
        `recommend`: how fast an action's weight halves, and whether what was bought may come again;
        `privacy.min_customers`: items that fewer people acted on are not told.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings, self._least = settings.recommend, settings.privacy.min_customers
        self._followed: Followed | None = None
        self._index: SessionIndex | None = None

    def block(
        self, index: SessionIndex | None, history: HistoryRow | None, now: int, numbers: ItemNumbers
    ) -> "SocialBlock | None":
        """Return what speaks for items; None where nobody is followed, or did anything of late."""
        if index is None or history is None or not history.follows or not self._settings.social_weight:
            return None
        if self._followed is None or index is not self._index:
            self._index = index
            self._followed = Followed(index, half_life_s=self._settings.recency_half_life_s)
        repeat = self._settings.repeat_purchases
        without = [item for item, mark in history.items.items() if mark.disliked or (mark.had and not repeat)]
        found = self._followed.find(history, now, without=without, least_people=self._least)
        if not len(found.numbers):
            return None
        names = [index.names[number] for number in found.numbers.tolist()]
        return SocialBlock(numbers.of(names), found)


class SocialBlock:
    """Items that people followed acted on: their share * significance of how many they are.

    Parameters
    ----------
    numbers : array of int
        Numbers of the items.
    found : Acted
        The items, as people acted on them.

    Examples
    --------
    >>> block = SocialBlock(np.array([0]), Acted(np.array([3]), np.array([0.5]), np.array([5])))
    >>> block.amounts.tolist(), block.reason(0)
    ([0.25], {'source': 'social', 'people': 5, 'share': 0.5})
    """

    __slots__ = ("_found", "amounts", "numbers", "sources")

    def __init__(self, numbers: Numbers, found: Acted) -> None:
        self._found, self.numbers = found, numbers
        self.amounts = found.share * significance(found.people.astype(np.float64))
        self.sources: Numbers = np.full(len(numbers), SOCIAL, dtype=np.intp)

    def reason(self, n: int) -> Reason:
        share = round(float(self._found.share[n]), _DECIMALS)
        return {"source": "social", "people": int(self._found.people[n]), "share": share}
