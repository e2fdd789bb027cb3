"""Candidates of a list together, whoever proposed them, and the features by which a ranker orders them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_models.candidate_kernels import FEATURES as OF_SESSIONS
from online_models.evidence import Amounts, Evidence, ItemNumbers, Numbers
from online_models.session_candidates import Candidates as SessionCandidatesFound
from online_models.sources import SOURCES
from schemas.state import HistoryRow

MOST_BY_EVIDENCE: Final = 100
"""Items with the most evidence that are candidates, besides those that sessions propose."""

VERSION: Final = 1
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


class Described(NamedTuple):
    """Candidates: their item numbers and ids, and features, shape (candidates, `FEATURES`)."""

    numbers: Numbers
    names: list[str]
    features: Features
    by_sessions: int
    """So many of them, the first, are proposed by sessions."""


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
    names: Sequence[str],
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
    names : sequence of str
        Ids of items by the numbers of the session index.
    history : HistoryRow or None
        What the customer did with items.
    now : int
        Epoch ms.
    """
    in_sessions = numbers.of([names[number] for number in proposed.numbers.tolist()])
    best, _ = evidence.among_best(MOST_BY_EVIDENCE)
    fresh = best[numbers.places_if(best, in_sessions) < 0]
    together = np.concatenate([in_sessions, fresh])
    features = np.zeros((len(together), FEATURES), np.float32)
    features[: len(in_sessions), :OF_SESSIONS] = proposed.features
    mine = features[:, OF_SESSIONS:]
    sums = evidence.of_sources(together, SOURCES)
    _describe_evidence(sums, numbers.places_if(together, best), mine)
    ids = [numbers.names[number] for number in together.tolist()]
    _describe_history(history, ids, now, mine)
    return Described(together, ids, features, len(in_sessions))


def _describe_evidence(sums: Amounts, places: Numbers, features: Features) -> None:
    most = sums.max(axis=0, initial=0.0)
    features[:, SHARE : SHARE + SOURCES] = np.sqrt(sums / np.where(most > 0, most, 1.0))
    features[:, RAW : RAW + SOURCES] = np.minimum(sums, 1.0)
    total = sums.sum(axis=1)
    features[:, SUM] = -np.expm1(-total)
    found = places >= 0
    features[found, FIRST] = 1.0 / (1 + places[found])
    features[:, PLACE] = np.where(found, np.log1p(np.maximum(places, 0)) / 5, 1.0)
    features[:, IN_EVIDENCE] = total > 0


def _describe_history(history: HistoryRow | None, ids: Sequence[str], now: int, features: Features) -> None:
    if history is None:
        return
    marks = history.items
    features[:, ACTIVE] = np.log1p(len(marks)) / 6
    features[:, ALL] = np.log1p(history.met) / 8
    known = [(n, mark) for n, item in enumerate(ids) if (mark := marks.get(item)) is not None]
    if known:
        features[[n for n, _ in known], HAD : OFTEN + 1] = [
            (
                mark.had,
                not mark.had,
                mark.disliked,
                1.0 / (1.0 + max(0, now - mark.at) / _DAY_MS),
                min(mark.acted / _WEIGHT_SCALE, 2.0),
            )
            for _, mark in known
        ]
