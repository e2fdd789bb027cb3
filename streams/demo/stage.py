"""Plays the script: lets the two customers act when it is time, waits for their lists and compares them."""

from collections import deque
from time import perf_counter

from msgspec.structs import replace

from online_models.worlds import Answer, enact
from streams.demo.figures import Parting
from streams.demo.house import House
from streams.demo.screen import Told
from streams.demo.script import Moment
from streams.demo.watcher import Watcher
from streams.demo.words import differing

PATIENCE_S = 5.0
PAUSE_S = 0.3
"""Least time from the outcome of a moment to the next one, for those who read along."""
PHASES = {
    "glimpse": "the shop fills up",
    "shared": "two customers do the same",
    "apart": "their ways part",
}


class Stage:
    """The script on its way.

    Parameters
    ----------
    house : House
        Where acts are sent.
    watcher : Watcher
        Where their lists come in.
    answer : Answer
        The shop's, for prices.
    moments : tuple of Moment
        The script, in order of time.
    """

    def __init__(self, house: House, watcher: Watcher, answer: Answer, moments: tuple[Moment, ...]) -> None:
        self._house, self._watcher, self._answer = house, watcher, answer
        self._moments = deque(moments)
        self._playing: Moment | None = None
        self._began_s, self._ended_s = 0.0, 0.0
        self._awaited: dict[str, str] = {}
        self._number = 0
        self._acted_s = self._apart_since_s = 0.0
        self.phase, self.verdict = PHASES["glimpse"], _announced(moments)
        self.begun = False
        self.parting: Parting | None = None

    @property
    def finished(self) -> bool:
        """Whether all has been played and answered."""
        return self._playing is None and not self._moments

    async def step(self, elapsed_s: float, now_ms: int) -> Told | None:
        """Begin the next moment if it is due; give one whose lists have come."""
        if self._playing is None:
            if not self._moments or elapsed_s < max(self._moments[0].at_s, self._ended_s + PAUSE_S):
                return None
            await self._begin(self._moments.popleft(), elapsed_s, now_ms)
        return self._outcome(elapsed_s)

    async def _begin(self, moment: Moment, elapsed_s: float, now_ms: int) -> None:
        self._playing, self._began_s = moment, elapsed_s
        self.phase, self.begun = PHASES[moment.phase], moment.phase != "glimpse"
        self._number += 1
        self._awaited = {}
        self._acted_s = perf_counter()
        if moment.phase == "apart" and not self._apart_since_s:
            self._apart_since_s = self._acted_s
        for user, act in zip(moment.users, moment.acts, strict=False):
            record = enact(act, self._answer, user_id=user, number=self._number, at_ms=now_ms)
            name = self._watcher.sending(record, perf_counter())
            if name is not None:
                self._awaited[user] = name
            await self._house.send(record)

    def _outcome(self, elapsed_s: float) -> Told | None:
        """What came of the moment that is playing, once its lists are there or have been waited for."""
        moment = self._playing
        if moment is None:
            return None
        cards = tuple(self._watcher.cards[user] for user in moment.users)
        answered = all(self._awaited.get(card.user) in card.answered for card in cards if moment.acts)
        if not answered and elapsed_s < self._began_s + PATIENCE_S:
            return None
        self._playing, self._ended_s = None, elapsed_s
        told = Told(at_s=self._began_s, phase=moment.phase, cards=cards)
        if moment.acts and answered:
            told = self._compared(told)
        if moment.acts:
            self.verdict = told.verdict
        return told

    def _compared(self, told: Told) -> Told:
        one, other = (card.items for card in told.cards)
        count, k = differing(one, other), max(len(one), len(other))
        received_s = max(card.received_s for card in told.cards)
        if told.phase == "apart" and count and self.parting is None:
            first, second = (card.user for card in told.cards)
            self.parting = Parting(first, second, count, k, received_s - self._apart_since_s)
        return replace(told, differing=count, k=k, after_s=received_s - self._acted_s)


def _announced(moments: tuple[Moment, ...]) -> str:
    """Who is going to come in and when."""
    first = next((moment for moment in moments if moment.acts), None)
    if first is None:
        return ""
    return f"{' and '.join(first.users)}, who have no history yet, come in after {first.at_s:.0f} s"
