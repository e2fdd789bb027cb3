"""Compiled as a whole: the evidence of sessions is gathered, candidates are chosen and described."""

import numpy as np

from online_models.candidate_kernels import choose, describe_evidence, describe_items
from online_models.compilation import compiled
from online_models.evidence_kernels import (
    FOLLOWED,
    LAST_ITEMS,
    PER_ITEM,
    Lasts,
    Sums,
    ask_neighbours,
    follow,
    meet,
    step_twice,
)
from online_models.session_kernels import NONE, Ints, Items

_INDEX = "int32[:,::1], int32[:,::1], int64[:,::1], int64[::1], int64[::1]"
_ASKED = "int64[::1], int32[::1], int64, int64, int64, int64, int64"
_WORK = "uint8[::1], float32[:,::1], int32[::1], int64, int64[::1]"


@compiled(f"int64({_INDEX}, {_ASKED}, {_WORK})")
def gather(
    items: Items,
    links: Items,
    about: Ints,
    heads: Ints,
    counts: Ints,
    rows: Ints,
    current: Items,
    newest: int,
    own: int,
    sample: int,
    visits: int,
    now: int,
    lasts: Lasts,
    sums: Sums,
    met: Items,
    base: int,
    touched: Ints,
) -> int:
    """Gather what speaks for items: neighbours, what followed each of the last items, and two steps.

    Parameters
    ----------
    items, links, about, heads, counts, newest
        Of a session index.
    rows : array
        Sessions that are asked.
    current : array
        Items of the current session, oldest first; -1 for those that are not known.
    own : int
        That session, which is left out; -1 for none.
    sample, visits : int
        For each of the last items at most so many places, and sessions of so many items together.
    now : int
        Epoch ms.
    lasts : array
        For each item 0, and 0 again at the end.
    sums, met, base, touched
        Receive the evidence, as for `evidence_kernels.meet`.

    Returns
    -------
    int
        How many items were met.
    """
    found, length = 0, len(current)
    for n in range(length):
        if current[n] >= 0:
            lasts[current[n]] = n + 1
            found = meet(current[n], sums, met, base, touched, found)
    found = ask_neighbours(
        items, about, counts, current, lasts, newest, now, rows, sums, met, base, touched, found
    )
    column = FOLLOWED
    for n in range(length - 1, -1, -1):
        number = current[n]
        if number >= 0 and lasts[number] == n + 1 and column < FOLLOWED + LAST_ITEMS * PER_ITEM:
            prior = int(current[n - 1]) if n == length - 1 and n > 0 else NONE
            found = follow(
                items,
                links,
                about,
                heads,
                int(number),
                prior,
                own,
                sample,
                visits,
                column,
                sums,
                met,
                base,
                touched,
                found,
            )
            column += PER_ITEM
    for n in range(length):
        if current[n] >= 0:
            lasts[current[n]] = 0
    return int(step_twice(items, links, about, heads, counts, own, sums, met, base, touched, found))


@compiled(f"int64(int32[::1], boolean, int32[::1], float32[:,::1], {_INDEX}, {_ASKED}, {_WORK})")
def propose(
    before: Items,
    ended: bool,
    chosen: Items,
    features: Sums,
    items: Items,
    links: Items,
    about: Ints,
    heads: Ints,
    counts: Ints,
    rows: Ints,
    current: Items,
    newest: int,
    own: int,
    sample: int,
    visits: int,
    now: int,
    lasts: Lasts,
    sums: Sums,
    met: Items,
    base: int,
    touched: Ints,
) -> int:
    """Choose candidates for the next item of a session and describe them; the rest is as for `gather`.

    Parameters
    ----------
    before : array
        Items of sessions before, oldest first; -1 for those that are not known.
    ended : bool
        Whether `current` is not an open session but what stands in for one.
    chosen : array
        Receives the items; its length is the bound.
    features : array, shape (chosen, features)
        0 everywhere; receives their features.

    Returns
    -------
    int
        How many were chosen.
    """
    found = gather(
        items,
        links,
        about,
        heads,
        counts,
        rows,
        current,
        newest,
        own,
        sample,
        visits,
        now,
        lasts,
        sums,
        met,
        base,
        touched,
    )
    for n in range(len(before)):
        if before[n] >= 0:
            found = meet(before[n], sums, met, base, touched, found)
    looked_at = np.empty(len(before) + len(current), np.int64)
    count = 0
    for n in range(len(before) + len(current)):
        item = before[n] if n < len(before) else current[n - len(before)]
        # There is no row for what came when all were taken.
        if item >= 0 and met[item] >= base:
            looked_at[count] = met[item] - base
            count += 1
    best = np.empty(len(chosen), np.int64)
    kept = choose(sums, found, np.unique(looked_at[:count]), best)
    for n in range(kept):
        chosen[n] = touched[best[n]]
    describe_evidence(best[:kept], sums, features)
    describe_items(
        items, links, heads, counts, current, before, newest, found, int(ended), chosen[:kept], features
    )
    return kept
