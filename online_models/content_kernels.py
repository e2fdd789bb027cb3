"""Compiled passes over the content of items: a profile is added up, and items like it are looked for."""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from online_models.attributes import MOST
from online_models.compilation import compiled

Buckets = NDArray[np.int32]
Values = NDArray[np.float32]
Longs = NDArray[np.int64]
HELD, PROFILE = range(2)
"""Columns of buckets: ln(1 + items that have it), and what a profile has of it, else 0."""


@compiled(
    "int64(int32[::1], float32[::1], int64[::1], float32[::1], float32, boolean, float32[:,::1], int32[::1])"
)
def add_up(
    buckets: Buckets,
    weights: Values,
    lengths: Longs,
    strengths: Values,
    most: float,
    unit: bool,
    table: Values,
    touched: Buckets,
) -> int:
    """Add the vectors of items, each times its strength, to a profile that is 0 everywhere.

    Parameters
    ----------
    buckets, weights : arrays
        Attributes of all items, one item behind the other.
    lengths, strengths : arrays, shape (items,)
        How many attributes each has, and how much it counts; strengths add up to 1.
    most : float
        What an attribute that no item has is worth: 1 + ln(1 + items held).
    unit : bool
        Whether each vector is brought to length 1 before.
    table : array, shape (buckets, 2)
        Receives the sum.
    touched : array
        Receives the buckets that have something now, each once.

    Returns
    -------
    int
        How many these are.
    """
    count = begin = 0
    for item in range(len(lengths)):
        end = begin + lengths[item]
        square = np.float32(0)
        for n in range(begin, end):
            value = weights[n] * (most - table[buckets[n], HELD])
            square += value * value
        scale = strengths[item] / np.sqrt(square) if unit and square > 0 else strengths[item]
        for n in range(begin, end):
            bucket = buckets[n]
            if table[bucket, PROFILE] == 0:
                touched[count] = bucket
                count += 1
            table[bucket, PROFILE] += scale * weights[n] * (most - table[bucket, HELD])
        begin = end
    return count


@compiled("float64(float64, float64, float64, boolean)")
def similarity(dot: float, square: float, other: float, euclidean: bool) -> float:
    """Return how similar two vectors are, by their product and their squared lengths."""
    if euclidean:
        return 1.0 / (1.0 + sqrt(max(square + other - 2 * dot, 0.0)))
    product = square * other
    return min(dot / sqrt(product), 1.0) if product > 0 else 0.0


@compiled(
    "int64(int32[:,::1], float32[:,::1], int32[:,::1], int64[::1], int64[::1], int32[::1], int32[::1],"
    " float32, float32[:,::1], float32, boolean, int64, int64, int64[::1], int64, int64[::1], float32[::1])"
)
def walk(
    buckets: Buckets,
    weights: Values,
    links: Buckets,
    lengths: Longs,
    numbers: Longs,
    heads: Buckets,
    asked: Buckets,
    most: float,
    table: Values,
    square: float,
    euclidean: bool,
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
    asked : array
        Buckets, in the order in which their items are looked at.
    most, table
        As for `add_up`; the table has the profile.
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
    count = 0
    for bucket in asked:
        place, left, before = heads[bucket], each, np.int64(2**62)
        for _ in range(steps):
            if place < 0 or left == 0:
                break
            row = place // MOST
            at = place - row * MOST
            # The row that was here may have been taken by an item that is newer, or has not this attribute.
            if numbers[row] >= before or buckets[row, at] != bucket:
                break
            before, place = numbers[row], links[row, at]
            if marks[row] == mark or lengths[row] == 0:
                continue
            if count == len(found):
                return count
            marks[row] = mark
            left -= 1
            dot = other = np.float32(0)
            for n in range(lengths[row]):
                held = buckets[row, n]
                value = weights[row, n] * (most - table[held, HELD])
                dot += value * table[held, PROFILE]
                other += value * value
            found[count] = row
            similarities[count] = similarity(float(dot), float(square), float(other), euclidean)
            count += 1
    return count


@compiled(
    "int64(int32[::1], float32[::1], int64[::1], float32[::1], int64, int64[::1], int32[:,::1],"
    " float32[:,::1], int32[:,::1], int64[::1], int64[::1], int32[::1], float32, float32[:,::1], boolean,"
    " int64, int64, int64[::1], int64, int64[::1], float32[::1])"
)
def ask(
    mine: Buckets,
    my_weights: Values,
    my_lengths: Longs,
    strengths: Values,
    asked: int,
    without: Longs,
    buckets: Buckets,
    weights: Values,
    links: Buckets,
    lengths: Longs,
    numbers: Longs,
    heads: Buckets,
    most: float,
    table: Values,
    euclidean: bool,
    each: int,
    steps: int,
    marks: Longs,
    mark: int,
    found: Longs,
    similarities: Values,
) -> int:
    """Make a profile of items, compare it with the newest ones that share something, and clear it away.

    Parameters
    ----------
    mine, my_weights, my_lengths, strengths : arrays
        As `add_up` takes them.
    asked : int
        Buckets of the profile, its strongest, whose items are looked at.
    without : array
        Rows that are passed over.
    buckets, weights, links, lengths, numbers, heads, most, table, euclidean, each, steps, marks, mark
        As `walk` takes them; the table has no profile before and after.
    found, similarities : arrays
        As `walk` fills them.

    Returns
    -------
    int
        How many were compared.
    """
    touched = np.empty(len(mine), np.int32)
    count = add_up(mine, my_weights, my_lengths, strengths, most, not euclidean, table, touched)
    values = np.empty(count, np.float32)
    square = np.float32(0)
    for n in range(count):
        values[n] = -table[touched[n], PROFILE]
        square += values[n] * values[n]
    strongest = touched[np.argsort(values, kind="mergesort")[:asked]]
    for row in without:
        marks[row] = mark
    compared = walk(
        buckets,
        weights,
        links,
        lengths,
        numbers,
        heads,
        strongest,
        most,
        table,
        float(square),
        euclidean,
        each,
        steps,
        marks,
        mark,
        found,
        similarities,
    )
    for n in range(count):
        table[touched[n], PROFILE] = 0
    return int(compared)


@compiled(
    "void(int32[::1], float32[::1], int32[::1], float32[::1], int64[::1], float32, float32[:,::1], boolean,"
    " float32[::1])"
)
def compare(
    mine: Buckets,
    my_weights: Values,
    buckets: Buckets,
    weights: Values,
    lengths: Longs,
    most: float,
    table: Values,
    euclidean: bool,
    similarities: Values,
) -> None:
    """Compare an item with each of some others; `buckets` to `table` are as for `add_up`."""
    square = np.float32(0)
    for n in range(len(mine)):
        value = my_weights[n] * (most - table[mine[n], HELD])
        table[mine[n], PROFILE] = value
        square += value * value
    begin = 0
    for item in range(len(lengths)):
        end = begin + lengths[item]
        dot = other = np.float32(0)
        for n in range(begin, end):
            value = weights[n] * (most - table[buckets[n], HELD])
            dot += value * table[buckets[n], PROFILE]
            other += value * value
        similarities[item] = similarity(float(dot), float(square), float(other), euclidean)
        begin = end
    for n in range(len(mine)):
        table[mine[n], PROFILE] = 0
