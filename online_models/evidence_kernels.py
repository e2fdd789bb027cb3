"""Compiled loops that gather, in a few walks over the session index, what speaks for each item to be next.

Evidence is a row of sums per item that is met, in the order in which they are met. Each walk counts its rows
from a base above all those of the walks before, so that nothing has to be set to 0 in between.
"""

import numpy as np
from numpy.typing import NDArray

from online_models.compilation import compiled
from online_models.session_kernels import (
    BEFORE,
    DISTINCT,
    LAST_AT,
    LENGTH,
    NONE,
    ROOT,
    Ints,
    Items,
)

Sums = NDArray[np.float32]
Lasts = NDArray[np.uint8]

VSTAN, VSKNN, STAN, ONWARD, NORMED, RECENT, LATEST = range(7)
"""Columns of what neighbours say: three weightings, only what came later, and those that are new."""

FOLLOWED = 7
NEXT, SOON, NEWLY, BEFORE_IT, TOGETHER, TOGETHER_NEWLY = range(6)
PER_ITEM = 6
"""Columns from `FOLLOWED` on, for each of the last items: what came right after it, within some steps, right
after it lately, before it, and in its sessions, ever and lately."""

LAST_ITEMS = 3
AFTER_TWO = FOLLOWED + LAST_ITEMS * PER_ITEM
TWO_STEPS = AFTER_TWO + 1
COLUMNS = TWO_STEPS + 1

_PLACES = "int32[:,::1], int32[:,::1], int64[:,::1], int64[::1]"
_WORK = "float32[:,::1], int32[::1], int64, int64[::1], int64"

_SPAN, _SHORT_SPAN = 3.62, 1.81
_DISTANCE, _ONWARD_DISTANCE = 0.4525, 3.0
_AGE_MS = 100 * 86_400_000.0
_RECENT, _LATEST = 2000.0, 100.0
_NEWLY = 0.95
_STEPS = 12
_STEP_PLACES, _STEP_REACH = 40, 3
_FADES = np.array([0.97**seen for seen in range(_STEP_PLACES + 1)])
"""What the so manieth place of an item says, beside the first."""

_COUNTED = 64
_ROOTS = np.sqrt(np.arange(_COUNTED) + 3.0)


@compiled("int64(int64, float32[:,::1], int32[::1], int64, int64[::1], int64)", inline=True)
def meet(item: int, sums: Sums, met: Items, base: int, touched: Ints, found: int) -> int:
    """Begin the evidence of an item that was not met before.

    Parameters
    ----------
    item : int
        Its number.
    sums, touched : array
        A row of sums, and the item, for each that was met; nothing is begun once they are full.
    met : array
        For each item, `base` and its row; less if it was not met in this walk.
    found : int
        How many have been met.

    Returns
    -------
    int
        How many have been met now.
    """
    if met[item] >= base or found == len(touched):
        return found
    met[item] = base + found
    for column in range(COLUMNS):
        sums[found, column] = 0.0
    touched[found] = item
    return found + 1


@compiled(
    "int64(int32[:,::1], int64[:,::1], int64[::1], int32[::1], uint8[::1], int64, int64, int64[::1],"
    f" {_WORK})"
)
def ask_neighbours(
    items: Items,
    about: Ints,
    counts: Ints,
    current: Items,
    lasts: Lasts,
    newest: int,
    now: int,
    rows: Ints,
    sums: Sums,
    met: Items,
    base: int,
    touched: Ints,
    found: int,
) -> int:
    """Add what each neighbour says of the items in it; `lasts` has where each item was last, from 1."""
    capacity, length = len(items), len(current)
    weights = np.exp((np.arange(length) + 1.0 - length) / _SPAN)
    distinct = norm = 0.0
    for n in range(length):
        if current[n] >= 0 and lasts[current[n]] == n + 1:
            distinct += 1
            norm += np.exp(2 * (n + 1 - length) / _SHORT_SPAN)
    near = np.exp(-np.arange(items.shape[1]) / _DISTANCE)
    onward = np.exp(-np.arange(items.shape[1]) / _ONWARD_DISTANCE)
    for row in rows:
        dot = shared = short = 0.0
        match = latest = 0
        for place in range(about[row, LENGTH]):
            item = items[row, place]
            if item >= 0 and lasts[item] > 0:
                last = lasts[item]
                dot += weights[last - 1]
                short += weights[last - 1] * weights[last - 1]
                shared += 1
                match, latest = place, max(latest, last)
        size = about[row, DISTINCT]
        # What is newer than a late question is as new as can be; it would outgrow all numbers.
        age = np.exp(min(0.0, (about[row, LAST_AT] - now) / _AGE_MS))
        sessions_since = (newest - row) % capacity
        by_match = dot / distinct * age * weights[latest - 1]
        by_set = shared / np.sqrt(distinct * size) * (1 - 0.1 * (length - latest + 1))
        by_short = short / np.sqrt(norm * size) * age
        normed = by_match / np.sqrt(size)
        recent, newer = np.exp(-sessions_since / _RECENT), np.exp(-sessions_since / _LATEST)
        for place in range(about[row, LENGTH]):
            item = items[row, place]
            if item >= 0:
                found = meet(item, sums, met, base, touched, found)
                if met[item] < base:
                    continue
                close = near[abs(place - match)]
                its = met[item] - base
                sums[its, VSTAN] += by_match * close
                sums[its, VSKNN] += by_set
                sums[its, STAN] += by_short * close
                sums[its, NORMED] += normed
                sums[its, RECENT] += by_match * recent
                sums[its, LATEST] += by_match * newer
                if place > match:
                    sums[its, ONWARD] += by_match * onward[place - match]
    sessions = min(newest + 1, capacity)
    for n in range(found):
        rarity = np.log(sessions / counts[touched[n]])
        sums[n, VSTAN] *= 1 + rarity
        sums[n, VSKNN] *= 1 + 10 * rarity
    return found


@compiled(f"int64({_PLACES}, int64, int64, int64, int64, int64, int64, {_WORK})")
def follow(
    items: Items,
    links: Items,
    about: Ints,
    heads: Ints,
    asked: int,
    prior: int,
    own: int,
    most: int,
    visits: int,
    column: int,
    sums: Sums,
    met: Items,
    base: int,
    touched: Ints,
    found: int,
) -> int:
    """Add what came after, before and together with an item, in the newest places of it.

    Parameters
    ----------
    asked, prior : int
        The item; and the item before it in the current session, -1 for none.
    own : int
        The current session, which is left out.
    most, visits : int
        Most places; the sessions of so many items are enough.
    column : int
        First of its columns.
    """
    width = items.shape[1]
    place, seen, lately = heads[asked], 0, 1.0
    while place != NONE and seen < most and visits > 0:
        row, at = place // width, place % width
        place = links[place, BEFORE]
        if about[row, ROOT] == own:
            continue
        seen += 1
        visits -= about[row, LENGTH]
        lately *= _NEWLY
        both = at > 0 and prior >= 0 and (items[row, at - 1] == prior or items[row, at - 1] == ~prior)
        for other in range(about[row, LENGTH]):
            if other == at:
                continue
            item = items[row, other] if items[row, other] >= 0 else ~items[row, other]
            found = meet(item, sums, met, base, touched, found)
            if met[item] < base:
                continue
            its = met[item] - base
            sums[its, column + TOGETHER] += 1
            sums[its, column + TOGETHER_NEWLY] += lately
            if other < at:
                sums[its, column + BEFORE_IT] += 1.0 / (at - other)
                continue
            sums[its, column + SOON] += 1.0 / (other - at)
            if other == at + 1:
                sums[its, column + NEXT] += 1
                sums[its, column + NEWLY] += lately
                if both:
                    sums[its, AFTER_TWO] += 1
    return found


@compiled(f"int64({_PLACES}, int64[::1], int64, {_WORK})")
def step_twice(
    items: Items,
    links: Items,
    about: Ints,
    heads: Ints,
    counts: Ints,
    own: int,
    sums: Sums,
    met: Items,
    base: int,
    touched: Ints,
    found: int,
) -> int:
    """Add what is around the items that have the most evidence so far."""
    width = items.shape[1]
    support = np.empty(found)
    for n in range(found):
        raw = sums[n, VSTAN] + 0.2 * sums[n, NORMED] + sums[n, FOLLOWED + SOON]
        support[n] = raw / np.sqrt(counts[touched[n]] + 3.0)
    steps = min(_STEPS, found)
    for _ in range(steps):
        best = np.argmax(support)
        weight, asked = support[best], touched[best]
        support[best] = -1.0
        if weight <= 0:
            break
        place, seen = heads[asked], 0
        while place != NONE and seen < _STEP_PLACES:
            row = place // width
            at = place - row * width
            place = links[place, BEFORE]
            if about[row, ROOT] == own:
                continue
            seen += 1
            said = weight * _FADES[seen]
            for other in range(max(0, at - _STEP_REACH), min(about[row, LENGTH], at + _STEP_REACH + 1)):
                item = items[row, other] if items[row, other] >= 0 else ~items[row, other]
                if item != asked:
                    found = meet(item, sums, met, base, touched, found)
                    if met[item] < base:
                        continue
                    count = counts[item]
                    root = _ROOTS[count] if count < _COUNTED else np.sqrt(count + 3.0)
                    sums[met[item] - base, TWO_STEPS] += said / (abs(other - at) * root)
    return found
