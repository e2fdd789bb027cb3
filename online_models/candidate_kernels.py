"""Compiled loops that choose candidates by their evidence and write down their features for the ranker."""

import numpy as np

from online_models.compilation import compiled
from online_models.evidence_kernels import (
    COLUMNS,
    FOLLOWED,
    NEWLY,
    NEXT,
    ONWARD,
    SOON,
    STAN,
    TOGETHER_NEWLY,
    TWO_STEPS,
    VSKNN,
    VSTAN,
    Sums,
)
from online_models.session_kernels import BEFORE, NONE, Ints, Items

OF_ITEM = 23
"""Features that don't come from the sums of evidence."""

FEATURES = 2 * COLUMNS + OF_ITEM
_RECENT_PLACES = 5
_CHOOSING = np.array(
    [VSTAN, VSKNN, STAN, ONWARD, TWO_STEPS, FOLLOWED + NEXT, FOLLOWED + SOON, FOLLOWED + NEWLY,
     FOLLOWED + TOGETHER_NEWLY], np.int64,
)  # fmt: skip
_OWN = 100.0


@compiled("int64(float32[:,::1], int64, int64[::1], int64[::1])")
def choose(sums: Sums, found: int, own: Ints, chosen: Ints) -> int:
    """Choose the items with the most evidence, best first, before them those that somebody has looked at.

    Parameters
    ----------
    sums, found
        Rows of evidence; how many there are.
    own : array
        The rows, each once, of items that somebody has looked at.
    chosen : array
        Receives the rows; its length is the bound.

    Returns
    -------
    int
        How many were chosen.
    """
    most = np.zeros(len(_CHOOSING), np.float32)
    for n in range(found):
        for column in range(len(_CHOOSING)):
            most[column] = max(most[column], sums[n, _CHOOSING[column]])
    support = np.zeros(found)
    for n in range(found):
        for column in range(len(_CHOOSING)):
            if most[column] > 0:
                support[n] += sums[n, _CHOOSING[column]] / most[column]
    for row in own:
        support[row] += _OWN
    kept = min(found, len(chosen))
    if kept == 0:
        return 0
    least = np.partition(support, found - kept)[found - kept]
    above = np.flatnonzero(support > least)
    equal = np.flatnonzero(support == least)[: kept - len(above)]
    order = above[np.argsort(-support[above], kind="mergesort")]
    for n in range(len(order)):
        chosen[n] = order[n]
    for n in range(len(equal)):
        chosen[len(order) + n] = equal[n]
    return kept


@compiled("void(int64[::1], float32[:,::1], float32[:,::1])")
def describe_evidence(chosen: Ints, sums: Sums, features: Sums) -> None:
    """Write the evidence of each candidate: as a share of the most that any has, and by itself."""
    most = np.zeros(COLUMNS, np.float32)
    for row in chosen:
        for column in range(COLUMNS):
            most[column] = max(most[column], sums[row, column])
    for n in range(len(chosen)):
        for column in range(COLUMNS):
            value = sums[chosen[n], column]
            if value > 0:
                features[n, column] = np.sqrt(value / most[column])
                features[n, COLUMNS + column] = np.log1p(4 * value) / 3


@compiled("int64(int32[:,::1], int64[::1], int64, int64, int64)")
def _sessions_since(links: Items, heads: Ints, item: int, places: int, width: int) -> int:
    """Row of the so manieth newest place of an item, or of its oldest."""
    place = heads[item]
    for _ in range(places - 1):
        if links[place, BEFORE] == NONE:
            break
        place = links[place, BEFORE]
    return int(place // width)


@compiled(
    "void(int32[:,::1], int32[:,::1], int64[::1], int64[::1], int32[::1], int32[::1], int64, int64, int64,"
    " int32[::1], float32[:,::1])"
)
def describe_items(
    items: Items,
    links: Items,
    heads: Ints,
    counts: Ints,
    current: Items,
    earlier: Items,
    newest: int,
    met: int,
    ended: int,
    chosen: Items,
    features: Sums,
) -> None:
    """Write what each candidate is to the current session, to those before it, and in all sessions."""
    capacity, width = items.shape
    length, last = len(current), current[len(current) - 1]
    often = np.log1p(counts[last]) / 4 if last >= 0 else 0.0
    for n in range(len(chosen)):
        item = chosen[n]
        count = back = again = 0
        for place in range(length):
            if current[place] == item:
                count, back = count + 1, length - place
                again += place > 0 and current[place - 1] == last
        mine = features[n, 2 * COLUMNS :]
        if count > 0:
            mine[0] = 1.0
            mine[1] = min(count, 5) / 5
            mine[2] = 1.0 / back
            mine[3] = back == 1
            mine[4] = back == 2
            mine[5] = min(again, 3) / 2
            mine[6] = count / length
        mine[7] = np.log1p(counts[item]) / 4
        since = (newest - _sessions_since(links, heads, item, 1, width)) % capacity
        mine[8] = np.log1p(since) / 8
        since = (newest - _sessions_since(links, heads, item, _RECENT_PLACES, width)) % capacity
        mine[9] = np.log1p(since) / 8
        mine[10] = np.log(length) / 2
        mine[11] = length == 1
        mine[12] = length > 1 and current[length - 2] == last
        mine[13] = often
        mine[14] = np.log1p(met) / 6
        mine[15] = 1.0 / (1 + n)
        mine[16] = 1.0
        mine[17] = item == last
        mine[18] = np.log1p(n) / 5
        mine[19] = ended
        for place in range(len(earlier)):
            if earlier[place] == item:
                mine[20] = 1.0
                mine[21] = 1.0 / (len(earlier) - place)
                mine[22] = min(mine[22] + 0.2, 1.0)
