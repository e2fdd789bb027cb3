"""How good a classifier of two classes is: accuracy, precision, recall, F1, AUC and log loss."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

THRESHOLD: Final = 0.5
_LEAST: Final = float(np.finfo(np.float64).eps)

Outcomes = Sequence[bool] | Sequence[int] | NDArray[np.bool_]
Probabilities = Sequence[float] | NDArray[np.float64]


class Classification(msgspec.Struct, frozen=True):
    """The measures of a classifier; `auc` is None when all outcomes are the same."""

    accuracy: float
    precision: float
    recall: float
    f1: float
    auc: float | None
    log_loss: float


def classification(outcomes: Outcomes, probabilities: Probabilities) -> Classification:
    """Measure predicted probabilities against what happened.

    Parameters
    ----------
    outcomes : sequence of bool, shape (n,)
        Whether it happened.
    probabilities : sequence of float, shape (n,)
        As predicted; from `THRESHOLD` on it was expected to happen.

    Returns
    -------
    Classification
        Precision, recall and F1 are 0 where they are not defined.

    Raises
    ------
    ValueError
        There are none, or not as many of each.

    Examples
    --------
    >>> found = classification([True, True, False, False], [0.9, 0.4, 0.6, 0.1])
    >>> found.accuracy, found.precision, found.recall, found.f1, found.auc
    (0.5, 0.5, 0.5, 0.5, 0.75)
    """
    happened, predicted = np.asarray(outcomes, dtype=np.bool_), np.asarray(probabilities, dtype=np.float64)
    if happened.shape != predicted.shape or not happened.size:
        raise ValueError(
            f"{happened.shape} outcomes and {predicted.shape} probabilities; expected as many, at least 1"
        )
    expected = predicted >= THRESHOLD
    both = int(np.sum(expected & happened))
    precision, recall = _ratio(both, int(expected.sum())), _ratio(both, int(happened.sum()))
    return Classification(
        float(np.mean(expected == happened)),
        precision,
        recall,
        2 * precision * recall / (precision + recall) if both else 0.0,
        area_under_curve(happened, predicted),
        _log_loss(happened, predicted),
    )


def area_under_curve(happened: NDArray[np.bool_], predicted: NDArray[np.float64]) -> float | None:
    """Return the chance that what happened was given a higher score than what didn't; a tie counts half.

    None when all outcomes are the same.

    References
    ----------
    Hanley, McNeil: The Meaning and Use of the Area under a ROC Curve, Radiology 143, 1982.

    Examples
    --------
    >>> area_under_curve(np.array([True, False]), np.array([0.2, 0.2]))
    0.5
    """
    positive = int(happened.sum())
    negative = len(happened) - positive
    if not positive or not negative:
        return None
    _, places, counts = np.unique(predicted, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    above = float(ranks[happened].sum()) - positive * (positive + 1) / 2
    return above / (positive * negative)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _log_loss(happened: NDArray[np.bool_], predicted: NDArray[np.float64]) -> float:
    safe = np.clip(predicted, _LEAST, 1 - _LEAST)
    return float(-np.mean(np.where(happened, np.log(safe), np.log1p(-safe))))
