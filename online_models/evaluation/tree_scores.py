"""How well the trees foretell what comes of sessions: each outcome is first answered, then learned."""

from collections.abc import Iterable, Sequence
from math import log
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from online_models.evaluation.bootstrap import Interval, percentiles
from online_models.evaluation.classification import Classification, area_under_curve, classification
from online_models.evaluation.plain_store import PlainStore
from online_models.tree_answers import BUYS, NEXT
from online_models.trees import Drift, TreesStep
from schemas.settings import Settings
from schemas.trees import LeafRow, Outcome, TreesRow

Floats = NDArray[np.float64]
Marks = NDArray[np.bool_]

BLOCK: Final = 20
"""Outcomes in a row that are drawn together: looks at one session follow each other."""

DRAWS: Final = 200
CURVE_POINTS: Final = 20
_LEAST: Final = 1e-6


class CurvePoint(msgspec.Struct, frozen=True):
    """A part of the outcomes: up to which one, its event time (epoch ms), and the measures of the part."""

    outcomes: int
    at: int
    auc: float | None
    log_loss: float


class NextScores(msgspec.Struct, frozen=True):
    """The next category: how often the likeliest one came, and how often the last one came again."""

    queries: int
    accuracy: float
    same_as_last: float
    log_loss: float


class TreeScores(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of the trees: `bought` is the share of outcomes with an order, `drifts` those noticed."""

    outcomes: int
    bought: float
    buys: Classification
    auc_interval: Interval | None
    next: NextScores | None
    drifts: list[Drift]
    curve: list[CurvePoint]


class Answers(msgspec.Struct):
    """What a step said of each outcome before it learned it, from the first outcome after the warm-up on."""

    ats: list[int] = []
    bought: list[bool] = []
    chances: list[float] = []
    hits: list[bool] = []
    repeated: list[bool] = []
    surprises: list[float] = []
    drifts: list[Drift] = []


def answered(outcomes: Iterable[Outcome], settings: Settings, *, warmup: int) -> Answers:
    """Answer, then learn, outcome by outcome; the first `warmup` are only learned."""
    step = TreesStep(PlainStore[TreesRow](), PlainStore[LeafRow](), settings)
    found = Answers()
    for number, x in enumerate(outcomes):
        if number >= warmup:
            _answer(step, x, found)
        found.drifts += step.learn_one(x)
    return found


def _answer(step: TreesStep, x: Outcome, found: Answers) -> None:
    chances = dict(step.answer(x, BUYS))
    if not chances:
        return
    found.ats.append(x.at)
    found.bought.append(x.bought)
    found.chances.append(chances["order"])
    if x.next:
        following = step.answer(x, NEXT)
        found.hits.append(following[0][0] == x.next)
        found.repeated.append(x.categories[0] == x.next)
        chance = next((each for name, each in following if name == x.next), 0.0)
        found.surprises.append(-log(max(chance, _LEAST)))


def scores(found: Answers, *, seed: int) -> TreeScores:
    """Return the measures of answers, with an interval.

    Raises
    ------
    ValueError
        Nothing was answered.

    Examples
    --------
    >>> found = Answers(ats=[1, 2], bought=[True, False], chances=[0.9, 0.2])
    >>> scores(found, seed=1).buys.auc
    1.0
    """
    if not found.ats:
        raise ValueError("no outcome of a session was answered; expected a longer log, or less warm-up")
    happened, chances = np.array(found.bought, np.bool_), np.array(found.chances)
    following = None
    if found.hits:
        means = (float(np.mean(each)) for each in (found.hits, found.repeated, found.surprises))
        following = NextScores(len(found.hits), *(round(mean, 6) for mean in means))
    return TreeScores(
        outcomes=len(happened),
        bought=round(float(happened.mean()), 6),
        buys=classification(happened, chances),
        auc_interval=auc_interval(happened, [chances], seed=seed)[0],
        next=following,
        drifts=found.drifts,
        curve=_curve(found, happened, chances),
    )


def auc_interval(happened: Marks, chances: Sequence[Floats], *, seed: int) -> list[Interval | None]:
    """Return the interval of the area under the curve: of the first chances, then of the others minus these.

    Parameters
    ----------
    happened : array of bool, shape (n,)
        What happened.
    chances : sequence of array of float, shape (n,)
        What each classifier said, on the same outcomes.
    seed : int
        Of the blocks that are drawn, `BLOCK` outcomes each.

    Examples
    --------
    >>> happened = np.tile([True, False], 100)
    >>> auc_interval(happened, [happened * 1.0, happened * 0.5], seed=1)
    [Interval(low=1.0, high=1.0), Interval(low=0.0, high=0.0)]
    """
    blocks = np.array_split(np.arange(len(happened)), max(len(happened) // BLOCK, 1))
    generator, rows = np.random.default_rng(seed), list[list[float]]()
    for _ in range(DRAWS):
        drawn = np.concatenate([blocks[n] for n in generator.integers(0, len(blocks), len(blocks))])
        areas = [area_under_curve(happened[drawn], each[drawn]) for each in chances]
        if None not in areas:
            first = float(areas[0] or 0.0)
            rows.append([first, *(float(each or 0.0) - first for each in areas[1:])])
    return list(percentiles(np.array(rows))) if rows else [None] * len(chances)


def _curve(found: Answers, happened: Marks, chances: Floats) -> list[CurvePoint]:
    points, start = [], 0
    parts = min(CURVE_POINTS, len(happened))
    for end in np.linspace(0, len(happened), parts + 1, dtype=int)[1:].tolist():
        part = classification(happened[start:end], chances[start:end])
        auc = None if part.auc is None else round(part.auc, 6)
        points.append(CurvePoint(end, found.ats[end - 1], auc, round(part.log_loss, 6)))
        start = end
    return points
