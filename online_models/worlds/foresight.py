"""A shop in which what is acted on most now is not what earns most later; what each policy earns is exact.

Sessions have a few steps. At each, a slate is shown, and at most one of its items is acted on.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Final, NamedTuple

import numpy as np

Policy = Callable[[Sequence[str], Sequence[str]], Sequence[str]]
"""From the items acted on in the session, oldest first, and the candidates, to these, best first."""

BAIT, GUIDE, GOAL = "bait", "guide", "goal"
"""What items are: baits please, guides make one want a goal, goals are bought by who wants one."""

_VIEW: Final = 1.0
_PURCHASE: Final = 4.0


class Chances(NamedTuple):
    """How likely an item is acted on where somebody looks at it; of a goal, before and after a guide."""

    bait: float = 0.7
    guide: float = 0.6
    goal: float = 0.05
    wanted_goal: float = 0.9


class Place(NamedTuple):
    """An item that was shown, and the chance with which it had got its place."""

    item: str
    propensity: float


class Step(NamedTuple):
    """A slate, and what came of it: the item acted on and what it earned; None and 0 for nothing."""

    shown: tuple[Place, ...]
    item: str | None
    earned: float


class Foresight:
    """The shop, its log, and its right answer.

    Customers look at the places one after the other and act on the first item that they take to: baits and
    guides are viewed (1), a goal is viewed before a guide was acted on in the session, bought (4) after. Who
    has bought one wants none.

    Parameters
    ----------
    steps : int
        Slates of a session.
    places : int
        Of a slate.
    items : int
        Of each kind.
    chances : Chances
        Of being acted on.

    Examples
    --------
    >>> shop = Foresight()
    >>> baits_first = shop.worth(lambda session, candidates: candidates)
    >>> round(shop.best(), 2), round(shop.myopic(), 2), round(baits_first, 2)
    (8.7, 3.64, 3.64)
    """

    def __init__(
        self, *, steps: int = 4, places: int = 2, items: int = 4, chances: Chances | None = None
    ) -> None:
        self.steps, self.places, self._chances = steps, places, chances or Chances()
        self.items = [f"{kind}{n}" for kind in (BAIT, GUIDE, GOAL) for n in range(items)]

    def worth(self, policy: Policy) -> float:
        """Return what a session earns on average when its slates are the best places of a policy."""

        def after(session: tuple[str, ...], step: int) -> float:
            if step == self.steps:
                return 0.0
            slate = policy(session, self.items)[: self.places]
            return sum(
                chance * (earned + after(session if item is None else (*session, item), step + 1))
                for item, earned, chance in self._outcomes(slate, wants(session))
            )

        return after((), 0)

    def best(self) -> float:
        """Return the most that a session can earn on average."""
        return self._optimum(self.steps, False)

    def myopic(self) -> float:
        """Return what a session earns when each slate is that which earns most by itself."""
        slates = list(product(self.items, repeat=self.places))

        best = [max(slates, key=lambda slate: self._earns(slate, wanting)) for wanting in (False, True)]
        return self.worth(lambda session, _: best[wants(session)])

    def sessions(self, count: int, *, explore: float, seed: int) -> Iterator[list[Step]]:
        """Give sessions as a shop logs them that shows what is acted on most, and explores.

        Parameters
        ----------
        count : int
            How many.
        explore : float
            The chance that a place is drawn from all items that are left.
        seed : int
            Of what is drawn.
        """
        rng = np.random.default_rng(seed)
        for _ in range(count):
            session: tuple[str, ...] = ()
            steps: list[Step] = []
            for _ in range(self.steps):
                steps.append(self._logged(wants(session), rng, explore))
                session += () if steps[-1].item is None else (steps[-1].item,)
            yield steps

    def _logged(self, wanting: bool, rng: np.random.Generator, explore: float) -> Step:
        shown: list[Place] = []
        left = list(self.items)
        for _ in range(self.places):
            drawn = int(rng.integers(len(left))) if rng.random() < explore else 0
            shown.append(Place(left.pop(drawn), explore / (len(left) + 1) + (1 - explore) * (drawn == 0)))
        outcomes = list(self._outcomes([each.item for each in shown], wanting))
        item, earned, _ = outcomes[int(rng.choice(len(outcomes), p=[chance for *_, chance in outcomes]))]
        return Step(tuple(shown), item, earned)

    def _outcomes(self, slate: Sequence[str], wanting: bool) -> Iterator[tuple[str | None, float, float]]:
        """Give each item that may be acted on with what it earns and how likely that is, then nothing."""
        left = 1.0
        for item in slate:
            chance = self._chance(item, wanting)
            yield item, _PURCHASE if wanting and item.startswith(GOAL) else _VIEW, left * chance
            left *= 1 - chance
        yield None, 0.0, left

    def _chance(self, item: str, wanting: bool) -> float:
        kind = item.rstrip("0123456789")
        if kind == GOAL:
            return self._chances.wanted_goal if wanting else self._chances.goal
        return self._chances.bait if kind == BAIT else self._chances.guide

    def _earns(self, slate: Sequence[str], wanting: bool) -> float:
        return sum(earned * chance for _, earned, chance in self._outcomes(slate, wanting))

    def _optimum(self, steps: int, wanting: bool) -> float:
        if not steps:
            return 0.0
        # Items of a kind are alike, and there are as many of each as there are places.
        firsts = [kind + "0" for kind in (BAIT, GUIDE, GOAL)]
        return max(
            sum(
                chance * (earned + self._optimum(steps - 1, wants((item,), wanting) if item else wanting))
                for item, earned, chance in self._outcomes(slate, wanting)
            )
            for slate in product(firsts, repeat=self.places)
        )


def wants(session: Sequence[str], wanting: bool = False) -> bool:
    """Tell whether somebody wants a goal: after a guide, until they buy one.

    Examples
    --------
    >>> wants(["bait1", "guide0"]), wants(["guide0", "bait1", "goal2"]), wants(["goal0"])
    (True, False, False)
    """
    for item in session:
        if item.startswith(GUIDE):
            wanting = True
        elif item.startswith(GOAL):
            wanting = False
    return wanting
