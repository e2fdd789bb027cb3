"""Places that the shop gives: pinned items go into a list that is made of the others."""

from collections.abc import Sequence
from typing import NamedTuple

from online_models.filters import Filters


class Pinned(NamedTuple):
    """An item in a place that a rule gives it; `score` is that of the order, 0 where it is not in it."""

    position: int
    item: str
    score: float
    rule: str


def pinned_places(filters: Filters, best_first: Sequence[tuple[str, float]], k: int) -> list[Pinned]:
    """Return what is pinned in a list of k places, by place.

    Each pin takes the first of its items that the filters admit and no pin before it took; a place beyond
    the list, or for which no item is left, is not given.
    """
    if not filters.rules.pins:
        return []
    scores, found = dict(best_first), list[Pinned]()
    for pin in filters.rules.pins:
        if pin.position > k or len(found) == k:
            break
        taken = {each.item for each in found}
        item = next((each for each in pin.items if each not in taken and filters.admit(each)), None)
        if item is not None:
            found.append(Pinned(pin.position, item, scores.get(item, 0.0), pin.rule))
    return found


def with_pinned(
    places: Sequence[tuple[str, float, float | None]], pinned: Sequence[Pinned], *, explored: bool = False
) -> list[tuple[str, float, float | None]]:
    """Put pinned items into their places; where one is taken already, or the list is short, the next.

    Nothing is left to chance in a pinned place: where lists are `explored`, its propensity is 1.

    Examples
    --------
    >>> with_pinned([("tea", 0.9, None), ("cup", 0.5, None)], [Pinned(2, "jam", 0.0, "of the week")])
    [('tea', 0.9, None), ('jam', 0.0, None), ('cup', 0.5, None)]
    """
    others, made = list(places), list[tuple[str, float, float | None]]()
    for pin in pinned:
        free = max(0, pin.position - 1 - len(made))
        made += others[:free]
        del others[:free]
        made.append((pin.item, pin.score, 1.0 if explored else None))
    return made + others
