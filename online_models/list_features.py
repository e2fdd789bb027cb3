"""Candidates of a list together, whoever proposed them, and the features by which a ranker orders them."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from online_models.blend_kernels import describe_evidence
from online_models.candidate_kernels import FEATURES as OF_SESSIONS
from online_models.evidence import Evidence, ItemNumbers, Numbers
from online_models.session_candidates import Candidates as SessionCandidatesFound
from online_models.sources import SOURCES
from schemas.state import HistoryRow, ItemMark

MOST_BY_EVIDENCE: Final = 100
"""Items with the most evidence that are candidates, besides those that sessions propose."""

VERSION: Final = 3
"""Of the features; what was learned of others is not used."""

SHARE, RAW = 0, SOURCES
SUM, FIRST, PLACE, IN_EVIDENCE, HAD, LOOKED_AT, DISLIKED, LATELY, OFTEN, ACTIVE, ALL = (
    2 * SOURCES + n for n in range(11)
)
OF_EVIDENCE: Final = 2 * SOURCES + 11
FEATURES: Final = OF_SESSIONS + OF_EVIDENCE
BY_EVIDENCE: Final = OF_SESSIONS + SUM
"""The feature that is the score of the evidence alone."""

_PRIOR_SCALE: Final = 4.0
_DAY_MS: Final = 86_400_000
_WEIGHT_SCALE: Final = 4 << 20

Features = NDArray[np.float32]


class Described:
    """Candidates with their features.

    Attributes
    ----------
    numbers : array of int
        The items, numbered as in the evidence.
    features : array of float32, shape (candidates, `FEATURES`)
        By what they are ordered.
    by_sessions : int
        So many of them, the first, are proposed by sessions.
    """

    __slots__ = ("_known", "by_sessions", "features", "numbers")

    def __init__(self, known: ItemNumbers, numbers: Numbers, features: Features, by_sessions: int) -> None:
        self._known, self.numbers, self.features, self.by_sessions = known, numbers, features, by_sessions

    @property
    def names(self) -> list[str]:
        """Item ids, in the order of `numbers`."""
        return [self._known.names[number] for number in self.numbers.tolist()]


def prior() -> list[float]:
    """Return weights with which candidates are ordered as their evidence alone does.

    Examples
    --------
    >>> len(prior()) == FEATURES, sum(weight != 0 for weight in prior())
    (True, 1)
    """
    weights = [0.0] * FEATURES
    weights[BY_EVIDENCE] = _PRIOR_SCALE
    return weights


def describe(
    numbers: ItemNumbers,
    evidence: Evidence,
    proposed: SessionCandidatesFound,
    in_sessions: Numbers,
    history: HistoryRow | None,
    now: int,
) -> Described:
    """Put the candidates of sessions and of the evidence together, each once, and describe them.

    Parameters
    ----------
    numbers : ItemNumbers
        The numbers that the evidence uses.
    evidence : Evidence
        What all other sources say.
    proposed : Candidates
        What sessions propose, with its features.
    in_sessions : array of int
        The numbers of these, as the evidence has them.
    history : HistoryRow or None
        What the customer did with items.
    now : int
        Epoch ms.
    """
    best, _ = evidence.among_best(MOST_BY_EVIDENCE)
    together, sums = evidence.described(best, in_sessions, SOURCES)
    features = np.zeros((len(together), FEATURES), np.float32)
    features[: len(in_sessions), :OF_SESSIONS] = proposed.features
    describe_evidence(sums, together, best, numbers.places, features, OF_SESSIONS)
    described = Described(numbers, together, features, len(in_sessions))
    if history is not None:
        _describe_history(history, numbers, described, now)
    return described


def _describe_history(history: HistoryRow, numbers: ItemNumbers, described: Described, now: int) -> None:
    marks, mine = history.items, described.features[:, OF_SESSIONS:]
    mine[:, ACTIVE] = np.log1p(len(marks)) / 6
    mine[:, ALL] = np.log1p(history.met) / 8
    known = _marked(marks, numbers, described)
    if known:
        mine[[n for n, _ in known], HAD : OFTEN + 1] = [
            (
                mark.had,
                not mark.had,
                mark.disliked,
                1.0 / (1.0 + max(0, now - mark.at) / _DAY_MS),
                min(mark.acted / _WEIGHT_SCALE, 2.0),
            )
            for _, mark in known
        ]


def _marked(
    marks: Mapping[str, ItemMark], numbers: ItemNumbers, described: Described
) -> list[tuple[int, ItemMark]]:
    """Return the places of the candidates in the history, with what is there; asks the smaller of the two."""
    if len(marks) > len(described.numbers):
        return [(n, mark) for n, item in enumerate(described.names) if (mark := marks.get(item)) is not None]
    places = numbers.places_if(numbers.of([*marks]), described.numbers).tolist()
    return [(n, mark) for n, mark in zip(places, marks.values(), strict=True) if n >= 0]
