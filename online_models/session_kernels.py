"""Compiled loops over the rows of `online_models.session_index`: append, forget, find.

A session is a row of items in order; an item that comes again marks its earlier place as ~item, so that the
places not marked are the distinct items, each where it was last. Each place links to the places before and
behind it that hold the same item, whatever the session: these chains take the part of posting lists. A place
is numbered row * width + position. Sessions are numbered for ever and share rows modulo the capacity.
"""

import numpy as np
from numpy.typing import NDArray

from online_models.compilation import compiled

Ints = NDArray[np.int64]
Items = NDArray[np.int32]

NONE = -1
LAST_AT, LENGTH, DISTINCT, ROOT = range(4)
"""Columns of what is kept of a session: time of its last event, places, distinct items, its first part."""

BEFORE, BEHIND = range(2)
"""Columns of links: the next older and the next newer place of the same item."""


@compiled("void(int32[:,::1], int32[:,::1], int64[:,::1], int64[::1], int64[::1], int64, int64, int64)")
def append(
    items: Items, links: Items, about: Ints, heads: Ints, counts: Ints, row: int, item: int, at: int
) -> None:
    """Add an item to the end of a session, which must have room."""
    length = about[row, LENGTH]
    about[row, DISTINCT] += 1
    for earlier in range(length):
        if items[row, earlier] == item:
            items[row, earlier] = ~item
            about[row, DISTINCT] -= 1
    items[row, length] = item
    place = row * items.shape[1] + length
    links[place, BEFORE], links[place, BEHIND] = heads[item], NONE
    if heads[item] != NONE:
        links[heads[item], BEHIND] = place
    heads[item] = place
    counts[item] += 1
    about[row, LENGTH] = length + 1
    about[row, LAST_AT] = max(about[row, LAST_AT], at)


@compiled("int64(int32[:,::1], int32[:,::1], int64[:,::1], int64[::1], int64[::1], int64, int64[::1])")
def forget(items: Items, links: Items, about: Ints, heads: Ints, counts: Ints, row: int, gone: Ints) -> int:
    """Take a session out and clear its row; `gone` receives the items no other holds, the return how many."""
    found = 0
    for n in range(about[row, LENGTH]):
        item = items[row, n] if items[row, n] >= 0 else ~items[row, n]
        place = row * items.shape[1] + n
        before, behind = links[place, BEFORE], links[place, BEHIND]
        if behind == NONE:
            heads[item] = before
        else:
            links[behind, BEFORE] = before
        if before != NONE:
            links[before, BEHIND] = behind
        items[row, n] = links[place, BEFORE] = links[place, BEHIND] = 0
        counts[item] -= 1
        if counts[item] == 0:
            gone[found] = item
            found += 1
    about[row, LENGTH] = about[row, DISTINCT] = 0
    return found


@compiled("boolean(int64[:,::1], int64, int64, int64)")
def _earlier(about: Ints, newest: int, one: int, other: int) -> bool:
    """Whether the session in one row ended before that in another, or with it but began before."""
    if about[one, LAST_AT] != about[other, LAST_AT]:
        return bool(about[one, LAST_AT] < about[other, LAST_AT])
    capacity = about.shape[0]
    return bool((newest - one) % capacity > (newest - other) % capacity)


@compiled("void(int64[::1], int64[:,::1], int64, int64)")
def _sift_down(heap: Ints, about: Ints, newest: int, size: int) -> None:
    at = 0
    while True:
        least = at
        for child in (2 * at + 1, 2 * at + 2):
            if child < size and _earlier(about, newest, heap[child], heap[least]):
                least = child
        if least == at:
            return
        heap[at], heap[least] = heap[least], heap[at]
        at = least


@compiled("void(int64[::1], int64[:,::1], int64, int64)")
def _heapify(heap: Ints, about: Ints, newest: int, size: int) -> None:
    for at in range(1, size):
        child = at
        while child > 0:
            parent = (child - 1) // 2
            if not _earlier(about, newest, heap[child], heap[parent]):
                break
            heap[child], heap[parent] = heap[parent], heap[child]
            child = parent


@compiled(
    "int64(int32[:,::1], int32[:,::1], int64[:,::1], int64[::1], int32[::1], int64, int64, int64, int64[::1],"
    " int64[::1], int64)"
)
def recent_rows(
    items: Items,
    links: Items,
    about: Ints,
    heads: Ints,
    current: Items,
    newest: int,
    own: int,
    places: int,
    held: Ints,
    marks: Ints,
    mark: int,
) -> int:
    """Find the sessions with the latest last events that share an item with the current one.

    Chains are walked from the newest item of the current session back; once enough are held, a session that
    ended before the earliest one held ends the walk of that chain (VMIS-kNN, SIGMOD'22).

    Parameters
    ----------
    current : array
        Items of the current session, oldest first; -1 for those that are not known.
    newest, own : int
        Number of the newest session; number of the first part of the current one, which is left out.
    places : int
        Enough are held, too, once they have so many places together.
    held : array
        Receives rows, in no order; its length is the bound.
    marks : array
        One number per row; `mark` for those that were met.

    Returns
    -------
    int
        How many rows were found.
    """
    width = items.shape[1]
    found, full = 0, False
    for n in range(len(current) - 1, -1, -1):
        if current[n] < 0:
            continue
        place = heads[current[n]]
        while place != NONE:
            row = place // width
            if marks[row] != mark and about[row, ROOT] != own:
                if not full:
                    held[found] = row
                    found += 1
                    places -= about[row, LENGTH]
                    full = found == len(held) or places <= 0
                    if full:
                        _heapify(held, about, newest, found)
                elif _earlier(about, newest, held[0], row):
                    held[0] = row
                    _sift_down(held, about, newest, found)
                else:
                    break
                marks[row] = mark
            place = links[place, BEFORE]
    return found
