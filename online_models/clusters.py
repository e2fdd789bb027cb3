"""The segments of all customers: how many are in each, what they do and what they like.

Where the centres are is the business of `online_models.kmeans`; this counts who is near them.
"""

from hashlib import blake2b

import msgspec

from online_models.decay import Decay
from online_models.features import WEIGHTS
from online_models.kmeans import StreamingKMeans
from online_models.membership import count_in, count_out, hand_over
from online_models.protocols import Store
from online_models.segment_sums import heaviest, like, move_epoch
from schemas.clusters import ClusterRow, SegmentSums
from schemas.messages import WEIGHT_ONE, Centroids, Sample, SegmentTop
from schemas.recommendations import SegmentProfile
from schemas.settings import Settings

KEY = "clusters"
"""The key of everything: there is one clustering."""

KEPT_NAMES = 4
"""Times as many items and categories are kept for a segment as are published."""

_WEIGHT_BITS = 12
"""Lowest bits of a weight that are left out, so that decayed sums stay within 64 bits."""


class ClustersStep:
    """Learns the clustering from samples, and who is in which segment.

    Parameters
    ----------
    rows : Store of ClusterRow
        One row.
    settings : Settings
        `segments`, and the half-life of popularity.

    Notes
    -----
    A customer counts once: a sample takes them out of the segment of their previous features and puts
    them into that of the new ones, as the centres are now. Between two samples of a customer the centres
    move, so sizes are approximate; their sum is exact. During the warm-up samples wait; what is published
    until then is found among those that wait, as soon as there is one for each cluster. When other
    centres are chosen, each old segment's customers and likes are handed over as the newest samples are.

    References
    ----------
    MacQueen: Some Methods for Classification and Analysis of Multivariate Observations, 1967.

    Examples
    --------
    >>> from online_models.features import vector
    >>> from online_models.memory_store import MemoryStore
    >>> from schemas.state import Behaviour
    >>> step = ClustersStep(MemoryStore(ClusterRow), Settings())
    >>> for n in range(4):
    ...     x = vector(Behaviour(events=2**n, sessions=1))
    ...     learned = step.learn_one(Sample(n, x, [], [("tea", ["drinks"], 1 << 20)], 0.0, 0))
    >>> [segment.size for segment in step.centroids().segments]
    [1, 1, 1, 1]
    >>> step.profiles()[0].top_items
    ['tea']
    """

    def __init__(self, rows: Store[ClusterRow], settings: Settings) -> None:
        self.rows = rows
        self._settings = settings.segments
        self._decay = Decay(settings.popularity.half_life_s)
        self._model = StreamingKMeans(
            WEIGHTS,
            clusters=self._settings.clusters,
            forgetting_cap=self._settings.forgetting_cap,
            warmup_samples=self._settings.warmup_samples,
        )
        self._keep = KEPT_NAMES * max(self._settings.top_items, self._settings.top_categories)

    def key(self, x: Sample) -> str:  # noqa: ARG002  # one clustering, whatever the sample
        return KEY

    def learn_one(self, x: Sample) -> list[None]:
        row = self.rows.get(KEY) or ClusterRow(origin=x.at)
        row.at = max(row.at, x.at)
        learned = self._model.learn_one(row.model, x.features, x.previous) if x.features else None
        if row.segments:
            self._count(row, x, learned.distances if learned else self._distances(row, x))
            if learned and learned.taken_over is not None:
                hand_over(row, learned.taken_over, keep=self._keep)
        elif len(row.waiting) < 2 * self._model.warmup:
            row.waiting.append(x)
        if row.model.centres and not row.segments:
            self._start(row)
        self.rows.put(KEY, row)
        return []

    def centroids(self) -> Centroids | None:
        """Return the clustering as it is to be published; None while there are too few samples."""
        row = self._with_centres()
        if row is None:
            return None
        mean, deviation = self._model.scale(row.model)
        centres = (self._model.centres(row.model) - mean) / deviation
        digest = blake2b(mean.tobytes() + deviation.tobytes() + centres.tobytes(), digest_size=6).hexdigest()
        return Centroids(
            f"{row.model.seen}-{digest}",
            mean.tolist(),
            deviation.tolist(),
            centres.tolist(),
            [self._top(row, sums) for sums in row.segments],
            row.at,
        )

    def profiles(self) -> list[SegmentProfile]:
        """Return what each segment is like, in the order of their ids; nothing while there are no centres."""
        row = self._with_centres()
        if row is None:
            return []
        profiles = []
        for place, sums in enumerate(row.segments):
            top = self._top(row, sums)
            profiles.append(
                SegmentProfile(
                    str(place),
                    top.size,
                    top.recency_s,
                    top.frequency,
                    top.monetary,
                    top.top_categories,
                    [item for item, _ in top.top_items],
                    row.at,
                )
            )
        return profiles

    def _with_centres(self) -> ClusterRow | None:
        """Return the row, during the warm-up a copy with centres chosen among the samples that wait."""
        row = self.rows.get(KEY)
        if row is None or row.model.centres:
            return row
        if row.model.seen < self._settings.clusters:
            return None
        early = msgspec.msgpack.decode(msgspec.msgpack.encode(row), type=ClusterRow)
        self._model.choose(early.model)
        self._start(early)
        return early

    def _start(self, row: ClusterRow) -> None:
        """Count all samples that waited for centres."""
        waiting, row.waiting = row.waiting, []
        row.segments = [SegmentSums() for _ in range(self._settings.clusters)]
        for sample in waiting:
            self._count(row, sample, self._distances(row, sample))

    def _count(self, row: ClusterRow, x: Sample, distances: list[list[float]]) -> None:
        """Count the sample, given the distances of its features and previous features to the centres."""
        if x.previous:
            count_out(row, x, distances[-1])
        if x.features:
            nearest = distances[0].index(min(distances[0]))
            count_in(row, x, nearest)
            self._like(row, row.segments[nearest], x)

    def _distances(self, row: ClusterRow, x: Sample) -> list[list[float]]:
        return [self._model.distances(row.model, vector) for vector in (x.features, x.previous) if vector]

    def _like(self, row: ClusterRow, sums: SegmentSums, x: Sample) -> None:
        epoch, factor = self._decay.weight(x.at)
        if epoch > row.epoch:
            move_epoch(row.segments, from_epoch=row.epoch, to_epoch=epoch)
            row.epoch = epoch
        items, categories = [], []
        for item, names, weight in x.items:
            amount = ((weight >> _WEIGHT_BITS) * factor) >> (row.epoch - epoch)
            items.append((item, amount))
            categories += [(name, amount) for name in names]
        like(sums.items, items, keep=self._keep)
        like(sums.categories, categories, keep=self._keep)

    def _top(self, row: ClusterRow, sums: SegmentSums) -> SegmentTop:
        size = max(sums.size, 1)
        recency_s = (row.at - row.origin) / 1000.0 - sums.last_s / size
        unit = WEIGHT_ONE >> _WEIGHT_BITS
        items = heaviest(sums.items, self._settings.top_items)
        categories = heaviest(sums.categories, self._settings.top_categories)
        return SegmentTop(
            sums.size,
            max(recency_s, 0.0) if sums.size else 0.0,
            sums.orders / size,
            sums.spent / size,
            [name for name, _ in categories],
            [(name, self._decay.value(n, epoch=row.epoch, at=row.at) / unit) for name, n in items],
        )
