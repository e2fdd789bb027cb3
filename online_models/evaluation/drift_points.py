"""Where in a run a model's hit rate changed, as ADWIN sees it."""

from collections.abc import Sequence

import msgspec

from online_models.adwin import Adwin
from schemas.trees import AdwinState


class DriftPoint(msgspec.Struct, frozen=True):
    """The hit rate changed: noticed at which question and time (epoch ms), its means before and after."""

    queries: int
    at: int
    before: float
    after: float


def drift_points(hits: Sequence[float], ats: Sequence[int]) -> list[DriftPoint]:
    """Return the changes of the mean of hits, in the order in which they were asked for.

    Parameters
    ----------
    hits : sequence of float
        From 0 to 1, one for each question.
    ats : sequence of int
        When each was asked, epoch ms.

    Examples
    --------
    >>> found = drift_points([0.0, 1.0] * 300 + [0.0] * 300, range(900))
    >>> [(600 < point.queries < 700, point.after < 0.1) for point in found]
    [(True, True)]
    """
    adwin = Adwin(AdwinState())
    return [
        DriftPoint(number, at, round(change.before, 6), round(change.after, 6))
        for number, (hit, at) in enumerate(zip(hits, ats, strict=True), start=1)
        if (change := adwin.learn_one(hit)) is not None
    ]
