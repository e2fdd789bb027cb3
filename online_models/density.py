"""Groups of customers by density, learned from samples, and which group a customer is in, if any."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from online_models.dbstream import Dbstream
from online_models.features import WEIGHTS
from online_models.kmeans import CLIP
from online_models.protocols import Store
from schemas.density import DensityGroups, DensityRow
from schemas.messages import Sample
from schemas.settings import Settings

KEY: Final = "density"
"""The key of everything: there is one clustering by density."""

WARM_UP: Final = 200
"""Samples before any groups are told."""


class DensityStep:
    """Learns groups, however many there are, beside the segments of K-means.

    Parameters
    ----------
    rows : Store of DensityRow
        One row of at most `online_models.dbstream.MOST` micro-clusters.
    settings : Settings
        `density`.

    Notes
    -----
    Samples bear no customer, so who is forgotten is not taken out: what they taught fades.

    Examples
    --------
    >>> from online_models.features import vector
    >>> from online_models.memory_store import MemoryStore
    >>> from schemas.state import Behaviour
    >>> step = DensityStep(MemoryStore(DensityRow), Settings())
    >>> for n in range(300):
    ...     taste = {("tea", "kites")[n % 2]: 30.0}
    ...     x = vector(Behaviour(events=9 + n % 5, sessions=1, categories=taste))
    ...     learned = step.learn_one(Sample(n, x, [], [], 0.0, 0))
    >>> [round(share, 1) for share in step.groups().shares]
    [0.5, 0.5]
    """

    def __init__(self, rows: Store[DensityRow], settings: Settings) -> None:
        self._rows = rows
        using = settings.density
        self._model = Dbstream(
            WEIGHTS, radius=using.radius, half_life=using.half_life_samples, share=using.shared
        )

    def key(self, x: Sample) -> str:  # noqa: ARG002  # there is one
        return KEY

    def learn_one(self, x: Sample) -> list[None]:
        if not x.features:
            return []
        row = self._rows.get(KEY) or DensityRow()
        row.at = max(row.at, x.at)
        self._model.learn_one(row, x.features)
        self._rows.put(KEY, row)
        return []

    def groups(self) -> DensityGroups | None:
        """Return what is to be published; None while there are too few samples."""
        row = self._rows.get(KEY)
        if row is None or row.seen < WARM_UP:
            return None
        found = self._model.groups(row)
        mean, deviation = self._model.scale(row)
        return DensityGroups(
            row.seen,
            mean.tolist(),
            deviation.tolist(),
            found.centres.tolist(),
            found.owners,
            [round(share, 6) for share in found.shares],
            self._model.radius,
            row.at,
        )


def group_of(groups: DensityGroups, vector: Sequence[float]) -> tuple[str, bool] | None:
    """Return the group whose centre is nearest, and whether the customer is like nobody.

    Returns
    -------
    (str, bool) or None
        None while there are no groups, and for a vector that is not as long as they are.

    Examples
    --------
    >>> two = DensityGroups(9, [0.0], [1.0], [[-1.0], [1.0], [1.5]], [0, 1, 1], [0.5, 0.5], 0.5, 0)
    >>> group_of(two, [1.6]), group_of(two, [0.2]), group_of(two, [])
    (('1', False), ('1', True), None)
    """
    if not groups.centres or len(vector) != len(groups.mean):
        return None
    point = (np.array(vector) - np.array(groups.mean)) / np.array(groups.deviation)
    apart = np.array(groups.centres) - np.clip(point, -CLIP, CLIP)
    squared = np.einsum("mf,mf->m", apart, apart)
    place = int(squared.argmin())
    return str(groups.owners[place]), bool(squared[place] >= groups.radius**2)
