"""Lets contenders go through the actions of a protocol side by side: the same questions for all."""

from array import array
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, runtime_checkable

from online_models.evaluation.actions import Action, Ask, Learn
from online_models.evaluation.contract import Contender
from online_models.evaluation.tally import Tally
from schemas.messages import Event, ItemFacts


@runtime_checkable
class LearnsItems(Protocol):
    """A contender that also learns the rows of the catalogue."""

    def learn_item(self, x: ItemFacts) -> None: ...


class Outcome:
    """What a run brought: a tally per contender, who asked, and when.

    `keys` holds the number of who asked each question, `ats` its time in epoch ms, `few` 1 where little was
    known of them; `keys_of_new` are those of questions with new items among the right answers. Strangers are
    left out.
    """

    def __init__(self, names: Iterable[str], k: int) -> None:
        self.k = k
        self.tallies = {name: Tally(k) for name in names}
        self.keys = array("q")
        self.ats = array("q")
        self.few = array("b")
        self.keys_of_new = array("q")
        self._numbers: dict[str, int] = {}

    def note(self, ask: Ask) -> None:
        """Note who asks."""
        if ask.stranger:
            return
        number = self._numbers.setdefault(ask.query.key, len(self._numbers))
        self.keys.append(number)
        self.ats.append(ask.query.now)
        self.few.append(ask.few)
        if ask.new:
            self.keys_of_new.append(number)


def run(
    actions: Iterable[Action], contenders: Mapping[str, Contender], *, k: int, clock: Callable[[], float]
) -> Outcome:
    """Carry out all actions.

    Parameters
    ----------
    actions : iterable of Learn or Ask
        From a protocol.
    contenders : mapping of str to Contender
        By the name under which they are reported.
    k : int
        Places of a list that count.
    clock : callable
        Seconds, for what learning and ranking take; only differences matter.

    Raises
    ------
    ValueError
        A list names an item twice, or one that was excluded.

    Examples
    --------
    >>> from online_models.evaluation.contract import Query
    >>> class Always:
    ...     def learn_one(self, x): pass
    ...     def rank(self, query): return [("tea", 1.0)]
    >>> ask = Ask(Query(key="u:anna", now=0, k=1), frozenset({"tea"}))
    >>> run([ask, ask], {"always": Always()}, k=1, clock=lambda: 0.0).tallies["always"].mean()["hr"]
    1.0
    """
    outcome = Outcome(contenders, k)
    for action in actions:
        if isinstance(action, Learn):
            _learn(action, contenders, outcome, clock)
        else:
            outcome.note(action)
            for name, contender in contenders.items():
                begun = clock()
                found = contender.rank(action.query)
                seconds = clock() - begun
                ranked = [item for item, _ in found]
                _check(name, ranked, action)
                outcome.tallies[name].add(action, ranked, seconds=seconds)
    return outcome


def _learn(
    action: Learn, contenders: Mapping[str, Contender], outcome: Outcome, clock: Callable[[], float]
) -> None:
    what = action.what
    if isinstance(what, Event):
        for name, contender in contenders.items():
            begun = clock()
            contender.learn_one(what)
            outcome.tallies[name].learn_s.append(clock() - begun)
        return
    for contender in contenders.values():
        if isinstance(contender, LearnsItems):
            contender.learn_item(what)


def _check(name: str, ranked: list[str], ask: Ask) -> None:
    distinct = set(ranked)
    if len(distinct) < len(ranked) or not ask.query.exclude.isdisjoint(distinct):
        raise ValueError(
            f"{name} ranked {ranked[:20]}; expected no item twice and none that the query excludes"
        )
