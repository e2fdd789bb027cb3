"""Why sessions propose an item: which items of the current session were in its sessions, and how often."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from online_models.compilation import compiled
from online_models.ranking import Found
from online_models.session_index import SessionIndex
from online_models.session_kernels import BEFORE, LENGTH, NONE, ROOT, Ints, Items
from schemas.recommendations import Reason

_SESSIONS: Final = 100
_LENGTH: Final = 20
_TOLD: Final = 3


@compiled(
    "int64(int32[:,::1], int32[:,::1], int64[:,::1], int64[::1], int64, int64, int32[::1], int64, int64[::1])"
)
def shared(
    items: Items,
    links: Items,
    about: Ints,
    heads: Ints,
    asked: int,
    own: int,
    current: Items,
    most: int,
    counts: Ints,
) -> int:
    """Count how many of the newest sessions with an item also hold each of some others.

    Parameters
    ----------
    asked : int
        The item, which must be known.
    own : int
        The session that is left out, -1 for none.
    current : array
        Distinct items; -1 for those that are not known.
    most : int
        Most sessions.
    counts : array
        Receives the count of each of them and, at its end, of the sessions with any of them.

    Returns
    -------
    int
        How many sessions were looked at.
    """
    width = items.shape[1]
    place, seen = heads[asked], 0
    counts[:] = 0
    while place != NONE and seen < most:
        row, again = place // width, items[place // width, place % width] != asked
        place = links[place, BEFORE]
        if again or about[row, ROOT] == own:
            continue
        seen += 1
        found = False
        for n in range(len(current)):
            if current[n] < 0 or current[n] == asked:
                continue
            for other in range(about[row, LENGTH]):
                if items[row, other] == current[n]:
                    counts[n] += 1
                    found = True
                    break
        counts[len(current)] += found
    return seen


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
    current = index.numbers(acts)
    counts = np.zeros(len(acts) + 1, np.int64)
    own = index.session_of(found.key)
    told: dict[str, Reason] = {}
    for item, number in zip(items, index.numbers(items).tolist(), strict=True):
        seen = 0
        if number >= 0:
            seen = shared(
                index.items,
                index.links,
                index.about,
                index.heads,
                number,
                own,
                current,
                _SESSIONS,
                counts,
            )
        held = counts.tolist() if seen else [0] * (len(acts) + 1)
        order = sorted((n for n in range(len(acts)) if held[n]), key=lambda n: (-held[n], n))
        names = [acts[n] for n in order[:_TOLD]] or [name for name in acts if name != item][:1] or acts[:1]
        similarity = round(held[-1] / seen, 6) if seen else 0.0
        told[item] = {"source": "session", "session_items": names, "similarity": similarity}
    return told
