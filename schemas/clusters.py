"""The state of the clustering of customers: one row for all of them, its size fixed by settings.

Vectors are bytes of little-endian float64, one number per feature, so that a learner changes them in place.
"""

import msgspec

from schemas.messages import Sample


class KMeansState(msgspec.Struct, array_like=True):
    """Running moments, centres and the newest samples.

    `centres` has one vector per cluster, in the units of the samples; it is empty until the first are
    chosen. `counts` says how many samples each centre remembers, `won_at` at which sample it last moved.
    `recent` is a ring of the newest vectors, `seen` the number of samples so far, `refit_at` the number of
    samples at which to look for better centres.
    """

    seen: int = 0
    mean: bytearray = msgspec.field(default_factory=bytearray)
    variance: bytearray = msgspec.field(default_factory=bytearray)
    centres: bytearray = msgspec.field(default_factory=bytearray)
    counts: list[int] = []
    won_at: list[int] = []
    recent: bytearray = msgspec.field(default_factory=bytearray)
    refit_at: int = 0


class SegmentSums(msgspec.Struct, array_like=True):
    """Sums over the customers of one segment, each counted once, and what they like.

    `last_s` sums the seconds from the row's `origin` to each customer's newest sample; `items` and
    `categories` hold integer weights under the decay landmark of the row.
    """

    size: int = 0
    orders: float = 0.0
    spent: float = 0.0
    last_s: float = 0.0
    items: dict[str, int] = {}
    categories: dict[str, int] = {}


class ClusterRow(msgspec.Struct, array_like=True):
    """All of the clustering.

    `waiting` keeps the samples of the warm-up, which are counted once there are centres; `marks`
    remembers in which segment the customers of the newest samples were counted, by a checksum of the sample.
    `origin` and `at` are the times of the first and of the newest sample (epoch ms), `epoch` is the decay
    landmark.
    """

    model: KMeansState = msgspec.field(default_factory=KMeansState)
    segments: list[SegmentSums] = []
    waiting: list[Sample] = []
    marks: dict[int, int] = {}
    origin: int = 0
    at: int = 0
    epoch: int = 0
