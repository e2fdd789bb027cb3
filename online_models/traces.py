"""Which of a customer's items speak for others, and how strongly: newer and weightier ones more."""

from typing import NamedTuple

from schemas.messages import WEIGHT_ONE
from schemas.state import HistoryRow


class Trace(NamedTuple):
    """An item of a history: when it was touched last (epoch ms), its strength in (0, 1], bought or rated."""

    item: str
    at: int
    strength: float
    had: bool


def newest_traces(
    history: HistoryRow | None, *, now: int, history_items: int, half_life_s: int
) -> list[Trace]:
    """Return the newest items of a history that aren't disliked, newest first.

    Parameters
    ----------
    history : HistoryRow or None
        The customer's row; None leaves no trace.
    now : int
        The moment of the question (epoch ms).
    history_items : int
        Items returned at most.
    half_life_s : int
        Age at which an item's strength is halved.

    Returns
    -------
    list of Trace
        Strength = 2 ** (-age / half-life) / place * w / (w + 1): w is the implicit weight of what was done,
        and the items of one moment (the lines of an order) share a place, counted 1, 2, 3 from the newest.

    Examples
    --------
    >>> from schemas.state import ItemMark
    >>> seen = {"cup": ItemMark(WEIGHT_ONE, 0), "tea": ItemMark(3 * WEIGHT_ONE, 10_000, had=True)}
    >>> for trace in newest_traces(HistoryRow(seen), now=20_000, history_items=20, half_life_s=10):
    ...     print(trace.item, trace.strength)
    tea 0.375
    cup 0.0625
    """
    traces: list[Trace] = []
    place, moment = 0, None
    for item, mark in reversed(history.items.items()) if history is not None else ():
        if len(traces) == history_items:
            break
        if mark.disliked:
            continue
        if mark.at != moment:
            place, moment = place + 1, mark.at
        age_s = max(0, now - mark.at) / 1000
        action = mark.weight / (mark.weight + WEIGHT_ONE)
        traces.append(Trace(item, mark.at, 0.5 ** (age_s / half_life_s) / place * action, mark.had))
    return traces
