"""Compiled loops that weigh the neighbours of a session and score the items in them."""

import numpy as np
from numpy.typing import NDArray

from online_models.compilation import compiled
from online_models.session_kernels import DISTINCT, LAST_AT, LENGTH, Ints, Items

Floats = NDArray[np.float64]


@compiled("int64(int64[::1], float64[::1], int64, int64, int64, int64)")
def keep_nearest(rows: Ints, nearness: Floats, found: int, kept: int, newest: int, capacity: int) -> int:
    """Keep the `kept` nearest rows, among equals those that began later."""
    if found <= kept:
        return found
    least = np.partition(nearness[:found], found - kept)[found - kept]
    better = equals = 0
    ages = np.empty(found, np.int64)
    for n in range(found):
        if nearness[n] > least:
            rows[better], nearness[better] = rows[n], nearness[n]
            better += 1
        elif nearness[n] == least:
            ages[equals] = (newest - rows[n]) % capacity
            equals += 1
    ages = np.sort(ages[:equals])
    for n in range(kept - better):
        rows[better + n], nearness[better + n] = (newest - ages[n]) % capacity, least
    return kept


@compiled("UniTuple(float64, 2)(int32[::1], float64[::1], int64[::1])")
def _mark_last_places(current: Items, weights: Floats, lasts: Ints) -> tuple[float, float]:
    """Note in `lasts` where each item was last, from 1; the squared norm, and how many items there are."""
    norm = 0.0
    distinct = 0
    for n in range(len(current) - 1, -1, -1):
        if current[n] >= 0 and lasts[current[n]] == 0:
            lasts[current[n]] = n + 1
            norm += weights[n] * weights[n]
            distinct += 1
    return norm, float(distinct)


@compiled("float64(int32[::1], int64, float64[::1], int64[::1])")
def _shared(row: Items, length: int, weights: Floats, lasts: Ints) -> float:
    """Sum the weights of the items that a neighbour shares."""
    shared = 0.0
    for place in range(length):
        item = row[place]
        if item >= 0 and lasts[item] > 0:
            shared += weights[lasts[item] - 1]
    return shared


@compiled("UniTuple(int64, 2)(int32[::1], int64, int64[::1])")
def _match(row: Items, length: int, lasts: Ints) -> tuple[int, int]:
    """Find the last place that is shared, and the latest place of the current session that it shares."""
    match = latest = 0
    for place in range(length):
        item = row[place]
        if item >= 0 and lasts[item] > 0:
            match = place
            latest = max(latest, lasts[item])
    return match, latest


@compiled(
    "int64(int32[:,::1], int64[:,::1], int64[::1], int32[::1], float64[::1], float64[::1], float64[::1],"
    " int64, int64, int64[::1], float64[::1], int64[::1], float64[::1], int64[::1])"
)
def score_items(
    items: Items,
    about: Ints,
    counts: Ints,
    current: Items,
    weights: Floats,
    steps: Floats,
    how: Floats,
    newest: int,
    now: int,
    rows: Ints,
    nearness: Floats,
    lasts: Ints,
    scores: Floats,
    touched: Ints,
) -> int:
    """Weigh the rows that were found, keep the nearest and add their weights to the items in them.

    Parameters
    ----------
    current : array
        Items of the current session, oldest first; -1 for those that are not known.
    weights, steps : array
        For each of them, its weight in the similarity, and that of a neighbour in which it is the last match.
    how : array
        Neighbours kept, 1 for the cosine, the spans of session age in ms and of places, and the idf factor;
        0 leaves that part out.
    rows, nearness : array
        As many rows as were found, and room for their weights.
    lasts, scores : array
        One number per item, all 0, and all NaN; so they are again afterwards, but for the scores found.
    touched : array
        Receives the items that have a score.

    Returns
    -------
    int
        How many items have a score.
    """
    kept, cosine, age_span, place_span, idf_factor = how
    norm, distinct = _mark_last_places(current, weights, lasts)
    capacity = items.shape[0]
    for n in range(len(rows)):
        row = rows[n]
        near = _shared(items[row], about[row, LENGTH], weights, lasts)
        near /= np.sqrt(norm * about[row, DISTINCT]) if cosine > 0 else distinct
        if age_span > 0:
            near *= np.exp((about[row, LAST_AT] - now) / age_span)
        nearness[n] = near
    used = keep_nearest(rows, nearness, len(rows), int(kept), newest, capacity)
    sessions = min(newest + 1, capacity)
    found = 0
    for n in range(used):
        row = rows[n]
        match, latest = _match(items[row], about[row, LENGTH], lasts)
        weight = nearness[n] * steps[latest - 1]
        for place in range(about[row, LENGTH]):
            item = items[row, place]
            if item < 0:
                continue
            score = weight
            if place_span > 0:
                score *= np.exp(-abs(place - match) / place_span)
            if idf_factor > 0:
                score *= 1.0 + idf_factor * np.log(sessions / counts[item])
            if np.isnan(scores[item]):
                touched[found] = item
                scores[item] = 0.0
                found += 1
            scores[item] += score
    for n in range(len(current)):
        if current[n] >= 0:
            lasts[current[n]] = 0
    return found
