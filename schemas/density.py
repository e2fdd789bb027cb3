"""The state of the density clustering of customers, and what is published of it."""

import msgspec


class DensityRow(msgspec.Struct, array_like=True):
    """Micro-clusters: `centres` as float64, little-endian, shape (many, features), in the units of samples.

    `weights` are as of sample `touched`, one each; `shared` has for pairs of places "i j" the weight of the
    samples that both held, and as of which sample. `mean` and `variance` are running moments of the features.
    """

    seen: int = 0
    mean: bytearray = msgspec.field(default_factory=bytearray)
    variance: bytearray = msgspec.field(default_factory=bytearray)
    centres: bytearray = msgspec.field(default_factory=bytearray)
    weights: list[float] = []
    touched: list[int] = []
    shared: dict[str, tuple[float, int]] = {}
    at: int = 0


class DensityGroups(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Groups of customers as published: standardised centres, the group that each belongs to, and the reach.

    Groups are numbered from the heaviest on; who is nearer than `radius` to no centre is an outlier.
    """

    seen: int
    mean: list[float]
    deviation: list[float]
    centres: list[list[float]]
    owners: list[int]
    shares: list[float]
    radius: float
    at: int
