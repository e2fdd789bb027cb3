"""What deep models can be told: sizes of networks, and how they are learned. Each default is here alone."""

import msgspec


class SequenceShape(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes of the sequence recommender.

    `length` items of a window, `width` of their vectors; so many `horizontal` filters of each height from 1
    to `length`, and `vertical` ones.
    """

    length: int = 5
    width: int = 64
    horizontal: int = 8
    vertical: int = 4


class SequenceLearning(msgspec.Struct, frozen=True, kw_only=True):
    """How the sequence recommender learns.

    A step `every` so many acts, from a `batch` out of so many `examples`; `items` have a row, and the newest
    session of so many keys is known. `negatives` are drawn anew for each step and are the same for its whole
    batch. `rate` is the length of steps of the network, `item_rate` that of steps of items.
    """

    items: int = 20_000
    examples: int = 50_000
    open_sessions: int = 100_000
    every: int = 1
    batch: int = 64
    negatives: int = 256
    rate: float = 0.002
    item_rate: float = 0.05
    seed: int = 1


class SlateShape(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes of the Q-network.

    `length` items of a state, `width` of their vectors, `units` that are hidden, `places` of a slate.
    """

    length: int = 5
    width: int = 16
    units: int = 32
    places: int = 20


class SlateLearning(msgspec.Struct, frozen=True, kw_only=True):
    """How the Q-network learns.

    A step `every` so many slates, from a `batch` out of so many `examples`. `items` have a row; `open_slates`
    wait for what comes of them, each until its session has been silent for `gap_ms`. What is earned from the
    next slate on counts `discount` times as much, and so on. A place weighs 1 / propensity, at most
    `most_weight`. After `follow` steps the copy that values what comes later follows.
    """

    items: int = 20_000
    examples: int = 20_000
    open_slates: int = 10_000
    gap_ms: int = 1_800_000
    every: int = 2
    batch: int = 32
    discount: float = 0.9
    most_weight: float = 10.0
    follow: int = 200
    rate: float = 0.001
    item_rate: float = 0.01
    seed: int = 1
