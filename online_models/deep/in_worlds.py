"""Teaches deep models the worlds whose right answer is known, and tells what they make of it."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from online_models.deep.open_slates import Shown
from online_models.deep.slate_values import SlateValues
from online_models.evaluation.contract import Contender, Query
from online_models.worlds.foresight import Foresight, Policy
from online_models.worlds.successions import Successions
from schemas.messages import Event, Line

SESSION_MS: Final = 1_000
"""From the beginning of one session to that of the next; a session itself takes no time."""

_LENGTH: Final = 6
_TAUGHT: Final = 1
_ASKED: Final = 2


def teach_slates(values: SlateValues, shop: Foresight, sessions: int, *, explore: float = 0.5) -> None:
    """Let a Q-network learn logged sessions, with what each place earned and the propensities.

    Its `gap_ms` has to be less than `SESSION_MS`.
    """
    for n, steps in enumerate(shop.sessions(sessions, explore=explore, seed=_TAUGHT)):
        for step in steps:
            shown = [Shown(place.item, propensity=place.propensity) for place in step.shown]
            values.show(f"s:{n}", None, shown, n * SESSION_MS)
            if step.item is not None:
                values.act(f"s:{n}", None, step.item, step.earned, n * SESSION_MS)


def policy_of(values: SlateValues) -> Policy:
    """Return the policy that shows what a Q-network values most."""

    def policy(session: Sequence[str], candidates: Sequence[str]) -> Sequence[str]:
        found = values.values(session, [Shown(each) for each in candidates])
        return [candidates[n] for n in np.argsort(-np.array(found), kind="stable")]

    return policy


def worth_of_chance(shop: Foresight, draws: int = 100) -> float:
    """Return what a session earns on average when each slate is drawn."""
    rng = np.random.default_rng(_TAUGHT)
    drawn = [shop.worth(lambda _, items: rng.permutation(items).tolist()) for _ in range(draws)]
    return float(np.mean(drawn))


def teach_sessions(model: Contender, shop: Successions, sessions: int) -> None:
    """Let a model learn sessions, event by event."""
    for n, session in enumerate(shop.sessions(sessions, length=_LENGTH, seed=_TAUGHT)):
        for item in session:
            at = n * SESSION_MS
            model.learn_one(Event(f"s:{n}", "view", at, "browses", 0, at, at, at, lines=[Line(item, [])]))


def hits_at_first(model: Contender, shop: Successions, sessions: int = 60) -> float:
    """Return how often a model's first place is right, two items and more into new sessions."""
    hits = [
        [item for item, _ in model.rank(Query(key="s:new", now=0, k=1, session=session[:n]))] == [session[n]]
        for session in shop.sessions(sessions, length=_LENGTH, seed=_ASKED)
        for n in range(2, _LENGTH)
    ]
    return sum(hits) / len(hits)
