"""Compiled passes over the content of items: a profile is added up, and items like it are looked for."""

import numpy as np
from numpy.typing import NDArray

from online_models.compilation import compiled

Buckets = NDArray[np.int32]
Values = NDArray[np.float32]
Longs = NDArray[np.int64]


@compiled(
    "int64(int32[:,::1], float32[:,::1], int64[::1], float32[::1], int32[::1], float32[::1], int64,"
    " boolean, float32[::1], int32[::1])"
)
def add_up(
    buckets: Buckets,
    weights: Values,
    lengths: Longs,
    strengths: Values,
    items_with: Buckets,
    logs: Values,
    held: int,
    unit: bool,  # a compiled loop takes its arguments by place
    profile: Values,
    touched: Buckets,
) -> int:
    """Add the vectors of items, each times its strength, to a profile that is 0 everywhere.

    Parameters
    ----------
    buckets, weights : arrays, shape (items, width)
        Attributes of each item, by bucket.
    lengths, strengths : arrays, shape (items,)
        How many attributes each has, and how much it counts; strengths add up to 1.
    items_with, logs, held
        Items with each bucket, logarithms of whole numbers, and how many items are held: for rarity.
    unit : bool
        Whether each vector is brought to length 1 before.
    profile : array, shape (buckets,)
        Receives the sum.
    touched : array
        Receives the buckets that have something now, each once.

    Returns
    -------
    int
        How many these are.
    """
    count = 0
    for item in range(len(lengths)):
        norm = np.float32(0)
        for n in range(lengths[item]):
            value = weights[item, n] * (1 + logs[held] - logs[items_with[buckets[item, n]]])
            norm += value * value
        if norm == 0:
            continue
        scale = strengths[item] / np.sqrt(norm) if unit else strengths[item]
        for n in range(lengths[item]):
            bucket = buckets[item, n]
            if profile[bucket] == 0:
                touched[count] = bucket
                count += 1
            profile[bucket] += scale * weights[item, n] * (1 + logs[held] - logs[items_with[bucket]])
    return count


@compiled(
    "int64(int32[:,::1], float32[:,::1], int32[:,::1], int64[::1], int64[::1], int32[::1], int32[::1],"
    " float32[::1], int64, int32[::1], float32[::1], float32, boolean, int64, int64, int64[::1], int64,"
    " int64[::1], float32[::1])"
)
def walk(
    buckets: Buckets,
    weights: Values,
    links: Buckets,
    lengths: Longs,
    numbers: Longs,
    heads: Buckets,
    items_with: Buckets,
    logs: Values,
    held: int,
    asked: Buckets,
    profile: Values,
    square: float,
    euclidean: bool,  # a compiled loop takes its arguments by place
    each: int,
    steps: int,
    marks: Longs,
    mark: int,
    found: Longs,
    similarities: Values,
) -> int:
    """Compare a profile with the newest items that share one of some buckets with it.

    Parameters
    ----------
    buckets, weights, links, lengths, numbers, heads
        Of a content index, as it documents them.
    items_with, logs, held, profile
        As for `add_up`.
    asked : array
        Buckets, in the order in which their items are looked at.
    square : float
        Squared length of the profile.
    euclidean : bool
        Whether similarity is 1 / (1 + distance) instead of the cosine.
    each, steps : int
        Of each bucket so many items are compared, after at most so many steps.
    marks, mark : array, shape (items,), and int
        A row that has this mark was met; is changed.
    found, similarities : arrays
        Receive the rows that were compared, no more than fit, and how similar they are.

    Returns
    -------
    int
        How many these are.
    """
    width = links.shape[1]
    count = 0
    for bucket in asked:
        place, left, before = heads[bucket], each, np.int64(2**62)
        for _ in range(steps):
            if place < 0 or left == 0:
                break
            row = place // width
            # The row that was here may have been taken by an item that is newer, or has not this attribute.
            if numbers[row] >= before or buckets[row, place % width] != bucket:
                break
            before, place = numbers[row], links[row, place % width]
            if marks[row] == mark or lengths[row] == 0:
                continue
            if count == len(found):
                return count
            marks[row] = mark
            left -= 1
            dot = norm = np.float32(0)
            for n in range(lengths[row]):
                other = buckets[row, n]
                value = weights[row, n] * (1 + logs[held] - logs[items_with[other]])
                dot += value * profile[other]
                norm += value * value
            found[count] = row
            if euclidean:
                similarities[count] = 1 / (1 + np.sqrt(max(square + norm - 2 * dot, np.float32(0))))
            else:
                similarities[count] = min(dot / np.sqrt(square * norm), np.float32(1))
            count += 1
    return count
