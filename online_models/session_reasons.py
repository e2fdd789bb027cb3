"""Why sessions propose an item: which items of the current session were in its sessions, and how often."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from online_models.compilation import compiled
from online_models.ranking import Found
from online_models.session_index import SessionIndex
from online_models.session_kernels import BEFORE, LENGTH, NONE, ROOT, Ints, Items
from schemas.recommendations import Reason

Table = NDArray[np.int64]

_SESSIONS: Final = 50
_LENGTH: Final = 20
_TOLD: Final = 3


@compiled("void(int64[::1], int64[::1])")
def _largest(counts: Ints, best: Ints) -> None:
    """Write the places of the largest counts above 0, ties in their order, then -1."""
    best[:] = NONE
    for at in range(len(best)):
        most = 0
        for n in range(len(counts)):
            if counts[n] > most and n not in best[:at]:
                most, best[at] = counts[n], n


@compiled(
    "void(int32[:,::1], int32[:,::1], int64[:,::1], int64[::1], int32[::1], int64, int32[::1], int64,"
    " int64[:,::1], int64[:,::1])"
)
def shared(
    items: Items,
    links: Items,
    about: Ints,
    heads: Ints,
    asked: Items,
    own: int,
    current: Items,
    sessions: int,
    counts: Table,
    best: Table,
) -> None:
    """Count, for each of some items, how many of its newest sessions also hold each of some others.

    Parameters
    ----------
    asked : array
        Items; -1 for those that are not known.
    own : int
        The session that is left out, -1 for none.
    current : array
        Distinct items; -1 for those that are not known.
    sessions : int
        Most sessions of an item.
    counts : array, shape (asked, current + 2)
        Receives the count of each of them and, in the last two columns, of the sessions with any of them
        and of those that were looked at.
    best : array, shape (asked, told)
        Receives, for each, the places of those with the largest counts, ties in their order; -1 where there
        are no more with a count.
    """
    width, length = items.shape[1], len(current)
    counts[:] = 0
    # Most places hold none of them, and one look at six bits of the item's number tells so for most of these.
    some = 0
    for n in range(length):
        if current[n] >= 0:
            some |= 1 << (current[n] & 63)
    for row_of in range(len(asked)):
        item = asked[row_of]
        place = heads[item] if item >= 0 else NONE
        while place != NONE and counts[row_of, length + 1] < sessions:
            row, again = place // width, items[place // width, place % width] != item
            place = links[place, BEFORE]
            if again or about[row, ROOT] == own:
                continue
            counts[row_of, length + 1] += 1
            found = False
            for other in range(about[row, LENGTH]):
                held = items[row, other]
                if held < 0 or held == item or not (some >> (held & 63)) & 1:
                    continue
                for n in range(length):
                    if current[n] == held:
                        counts[row_of, n] += 1
                        found = True
                        break
            counts[row_of, length] += found
        _largest(counts[row_of, :length], best[row_of])


def session_reasons(index: SessionIndex, items: Sequence[str], found: Found) -> dict[str, Reason]:
    """Return for items that sessions propose, by id, the reason to tell.

    `similarity` is the share of an item's newest sessions that hold any other item of the current session,
    or, if that has none, of those before; `session_items` are up to three of these, those held most often
    first. An item that only comes two steps after them has a similarity of 0.

    Examples
    --------
    >>> from online_models.protocols import Request
    >>> from online_models.memory_views import MemoryViews
    >>> from online_models.ranking import ListCandidates
    >>> from schemas.settings import Settings
    >>> from schemas.state import HistoryRow, SessionMark
    >>> index = SessionIndex()
    >>> for key, item in (("s:a", "tea"), ("s:a", "cup"), ("s:b", "cup")):
    ...     index.learn_one(key, None, item, 0)
    >>> history = HistoryRow(sessions=[SessionMark(None, 0, 0, [], ["pot", "tea"])])
    >>> found = ListCandidates(MemoryViews(), Settings()).find(Request(history=history, now=0))
    >>> session_reasons(index, ["cup"], found)
    {'cup': {'source': 'session', 'session_items': ['tea'], 'similarity': 0.5}}
    """
    acts = list(dict.fromkeys(reversed(found.session or found.earlier)))[:_LENGTH]
    counts = np.empty((len(items), len(acts) + 2), np.int64)
    best = np.empty((len(items), _TOLD), np.int64)
    places = (index.items, index.links, index.about, index.heads)
    asked, current = index.numbers(items), index.numbers(acts)
    shared(*places, asked, index.session_of(found.key), current, _SESSIONS, counts, best)
    told: dict[str, Reason] = {}
    for item, chosen, (held, of) in zip(items, best.tolist(), counts[:, -2:].tolist(), strict=True):
        names = [acts[n] for n in chosen if n >= 0]
        names = names or [name for name in acts if name != item][:1] or acts[:1]
        similarity = round(held / of, 6) if of else 0.0
        told[item] = {"source": "session", "session_items": names, "similarity": similarity}
    return told
