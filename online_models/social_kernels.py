"""Compiled passes over the newest sessions of people who are followed."""

import numpy as np
from numpy.typing import NDArray

from online_models.compilation import compiled
from online_models.session_kernels import LAST_AT, LENGTH, NONE, Ints, Items

Floats = NDArray[np.float64]
SUM, PEOPLE = range(2)
"""Columns of what is said for an item."""


@compiled(
    "float64(int32[:,::1], int64[:,::1], int64[::1], int64, int64, int64, int64, int64[::1], int64,"
    " int64[::1], int64)"
)
def cosine(
    items: Items,
    about: Ints,
    before: Ints,
    newest: int,
    session: int,
    rows: int,
    own: int,
    mine: Ints,
    asks: int,
    met: Ints,
    mark: int,
) -> float:
    """Return the cosine of the items of who asks and those of somebody's newest sessions; -1 without any.

    Parameters
    ----------
    items, about, before, newest, rows, own, mine, met
        As for `acted_on`.
    session : int
        The newest one.
    asks, mark : int
        What items of who asks have in `mine`, and what those that were met get in `met`.
    """
    held, distinct, shared = about.shape[0], 0, 0
    for _ in range(rows):
        if session == NONE or session <= newest - held:
            break
        row = session % held
        for place in range(about[row, LENGTH]):
            item = items[row, place]
            if item < 0 or met[item] == mark:
                continue
            met[item] = mark
            distinct += 1
            shared += mine[item] == asks
        session = before[row]
    if not distinct:
        return -1.0
    return shared / np.sqrt(distinct * own) if own else 0.0


@compiled(
    "int64(int32[:,::1], int64[:,::1], int64[::1], int64, int64, int64, float64, int64, float64, int64[::1],"
    " int64, float64[:,::1], int64[::1], int64)"
)
def add(
    items: Items,
    about: Ints,
    before: Ints,
    newest: int,
    session: int,
    rows: int,
    strength: float,
    now: int,
    half_life_ms: float,
    met: Ints,
    mark: int,
    said: Floats,
    found: Ints,
    count: int,
) -> int:
    """Add what somebody did in the newest sessions; the newest action on an item counts."""
    held = about.shape[0]
    for _ in range(rows):
        if session == NONE or session <= newest - held:
            break
        row = session % held
        weight = strength * 0.5 ** (max(0, now - about[row, LAST_AT]) / half_life_ms)
        for place in range(about[row, LENGTH]):
            item = items[row, place]
            if item < 0 or met[item] == mark:
                continue
            if said[item, PEOPLE] == 0:
                if count == len(found):
                    continue
                found[count] = item
                count += 1
            met[item] = mark
            said[item, SUM] += weight
            said[item, PEOPLE] += 1
        session = before[row]
    return count


@compiled(
    "int64(int32[:,::1], int64[:,::1], int64[::1], int64[::1], int64, int64, int64[::1], float64[::1],"
    " int64, float64, int64, float64, int64[::1], int64[::1], int64, float64[:,::1], int64[::1],"
    " float64[::1])"
)
def acted_on(
    items: Items,
    about: Ints,
    before: Ints,
    newest_of: Ints,
    newest: int,
    rows: int,
    people: Ints,
    weights: Floats,
    own: int,
    floor: float,
    now: int,
    half_life_ms: float,
    mine: Ints,
    met: Ints,
    base: int,
    said: Floats,
    found: Ints,
    total: Floats,
) -> int:
    """Add up, per item, who of some people acted on it of late.

    Parameters
    ----------
    items, about, newest
        Of a session index, as it documents them.
    before, newest_of
        Of its chains of customers.
    rows : int
        Newest rows of sessions of each that are looked at.
    people, weights : arrays, shape (people,)
        Numbers of customers, and of the links to them.
    own : int
        How many items are marked in `mine`.
    floor : float
        What is added to the cosine between the items of who asks and of each of them.
    now, half_life_ms
        When, epoch ms, and the age at which an action weighs half.
    mine, met : arrays, shape (items,)
        Items of who asks have `base` in the first; from `base` on the second is free for marks.
    said : array, shape (items, 2)
        Receives for the items found the sum of weight * (floor + cosine) * decay of the newest action of each
        person, and how many people that are.
    found, total
        Receive the items, no more than fit, and the sum of weight * (floor + cosine) of all people.

    Returns
    -------
    int
        How many items these are.
    """
    count = 0
    total[0] = 0.0
    for n in range(len(people)):
        session, mark = newest_of[people[n]], base + 2 * n
        alike = cosine(items, about, before, newest, session, rows, own, mine, base, met, mark)
        if alike < 0:
            continue
        strength = weights[n] * (floor + alike)
        total[0] += strength
        count = add(
            items,
            about,
            before,
            newest,
            session,
            rows,
            strength,
            now,
            half_life_ms,
            met,
            mark + 1,
            said,
            found,
            count,
        )
    return count
