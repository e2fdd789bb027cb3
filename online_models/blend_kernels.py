"""Compiled passes over the evidence of a list: sums by item, features of candidates, the strongest pieces.

A piece of evidence is an amount that speaks for an item. Items are numbered; `places` is an array with an
entry for each number there is, of which nothing is known when a pass begins and nothing is kept.
"""

from math import expm1, log1p, sqrt

import numpy as np
from numpy.typing import NDArray

from online_models.compilation import compiled

Numbers = NDArray[np.intp]
Amounts = NDArray[np.float64]
Features = NDArray[np.float32]
Table = NDArray[np.int64]

_ABSENT = -1


@compiled("int64(int64[::1], float64[::1], float64[::1], int64[::1], int64[::1], int64[::1], int64[::1])")
def sum_up(
    numbers: Numbers,
    amounts: Amounts,
    factors: Amounts,
    ends: Numbers,
    places: Numbers,
    items: Numbers,
    place: Numbers,
) -> int:
    """Weigh pieces of evidence, and tell what items they speak for.

    Parameters
    ----------
    numbers, amounts : array, shape (pieces,)
        Item and amount of each piece, block by block; amounts are multiplied by their block's factor.
    factors, ends : array, shape (blocks,)
        Factor of each block, and where its pieces end.
    items : array, shape (pieces,)
        Receives the items, each once, in the order in which they come last.
    place : array, shape (pieces,)
        Receives the place of each piece's item among them.

    Returns
    -------
    int
        How many items there are.
    """
    begin = 0
    for block in range(len(ends)):
        for piece in range(begin, ends[block]):
            amounts[piece] *= factors[block]
        begin = ends[block]
    for piece in range(len(numbers)):
        places[numbers[piece]] = _ABSENT
    count = 0
    for piece in range(len(numbers) - 1, -1, -1):
        if places[numbers[piece]] == _ABSENT:
            places[numbers[piece]] = count
            items[count] = numbers[piece]
            count += 1
    for n in range(count // 2):
        items[n], items[count - 1 - n] = items[count - 1 - n], items[n]
    for piece in range(len(numbers)):
        place[piece] = count - 1 - places[numbers[piece]]
    return count


@compiled("void(int64[::1], int64[::1], float64[::1], int64[::1], int64[::1], int64[:,::1], int64[::1])")
def strongest(
    items: Numbers,
    place: Numbers,
    amounts: Amounts,
    wanted: Numbers,
    places: Numbers,
    pieces: Table,
    counts: Table,
) -> None:
    """Find for each of some items the pieces with the largest amounts, ties in their order.

    Parameters
    ----------
    items, place, amounts
        Items that pieces speak for; the place of each piece's item among them, and its amount.
    wanted : array
        Different items.
    pieces : array, shape (wanted, most)
        Receives the pieces of each, the strongest first.
    counts : array, shape (wanted,)
        Receives how many of these there are.
    """
    most = pieces.shape[1]
    for n in range(len(items)):
        places[items[n]] = _ABSENT
    for row in range(len(wanted)):
        places[wanted[row]] = row
        counts[row] = 0
    for piece in range(len(place)):
        row = places[items[place[piece]]]
        if row == _ABSENT:
            continue
        at = counts[row]
        if at == most:
            if amounts[piece] <= amounts[pieces[row, most - 1]]:
                continue
            at -= 1
        else:
            counts[row] += 1
        while at > 0 and amounts[pieces[row, at - 1]] < amounts[piece]:
            pieces[row, at] = pieces[row, at - 1]
            at -= 1
        pieces[row, at] = piece


@compiled(
    "int64(int64[::1], int64[::1], float64[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64[::1],"
    " float64[:,::1])"
)
def gather(
    items: Numbers,
    place: Numbers,
    amounts: Amounts,
    sources: Numbers,
    best: Numbers,
    proposed: Numbers,
    places: Numbers,
    together: Numbers,
    sums: Amounts,
) -> int:
    """Put those proposed and the best by evidence together, and add up what each source says of each.

    Parameters
    ----------
    items, place, amounts, sources
        Items that pieces speak for; the place of each piece's item among them, its amount, its source.
    best, proposed : array
        Items, each once; `best` are among `items`.
    together : array
        Receives `proposed`, then those of `best` that are not among them.
    sums : array, shape (proposed + best, sources)
        Receives the sums, 0 where nothing is said.

    Returns
    -------
    int
        How many there are together.
    """
    for n in range(len(items)):
        places[items[n]] = _ABSENT
    count = 0
    for n in range(len(proposed)):
        together[count] = proposed[n]
        places[proposed[n]] = count
        count += 1
    for n in range(len(best)):
        if places[best[n]] == _ABSENT:
            together[count] = best[n]
            places[best[n]] = count
            count += 1
    sums[:count] = 0.0
    for piece in range(len(place)):
        row = places[items[place[piece]]]
        if row != _ABSENT:
            sums[row, sources[piece]] += amounts[piece]
    return count


@compiled("void(float64[:,::1], int64[::1], int64[::1], int64[::1], float32[:,::1], int64)")
def describe_evidence(
    sums: Amounts, together: Numbers, best: Numbers, places: Numbers, features: Features, first: int
) -> None:
    """Write what the evidence says of each candidate.

    Parameters
    ----------
    sums : array, shape (candidates, sources)
        What each source says of each.
    together, best : array
        The candidates; and those that the evidence puts first, in their order.
    features : array, shape (candidates, features)
        Receives from column `first` on: for each source the root of its share of the most that it says of
        any; what it says, at most 1; then 1 - exp(-total), 1 / rank, ln(rank) / 5 (1 for one without rank),
        and whether there is any evidence.
    """
    count, sources = sums.shape
    most = np.zeros(sources)
    for n in range(count):
        places[together[n]] = _ABSENT
        for source in range(sources):
            most[source] = max(most[source], sums[n, source])
    for rank in range(len(best)):
        places[best[rank]] = rank
    raw, rest = first + sources, first + 2 * sources
    for n in range(count):
        total = 0.0
        for source in range(sources):
            value = sums[n, source]
            total += value
            if value > 0:
                features[n, first + source] = sqrt(value / most[source])
                features[n, raw + source] = min(value, 1.0)
        rank = places[together[n]]
        features[n, rest] = -expm1(-total)
        features[n, rest + 1] = 0.0 if rank == _ABSENT else 1.0 / (1 + rank)
        features[n, rest + 2] = 1.0 if rank == _ABSENT else log1p(rank) / 5
        features[n, rest + 3] = 1.0 if total > 0 else 0.0
