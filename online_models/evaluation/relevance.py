"""Which events count as relevant: what somebody did that a good list would have had in it."""

import re
from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Final

from schemas.messages import Event

ACTIONS: Final = ("view", "cart", "purchase", "rating")
"""Kinds of events that are about items; all of them are relevant by default."""

_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {">=": ge, ">": gt, "<=": le, "<": lt}
_RATING: Final = re.compile(r"rating\s*(>=|>|<=|<)\s*(\d+(?:\.\d+)?)")


class Relevance:
    """Tells relevant events from others.

    Parameters
    ----------
    text : str
        Terms separated by commas: a kind of event, or `rating` with a bound, as in `purchase,rating>=4`.
        Empty: every action is relevant.

    Raises
    ------
    ValueError
        A term is neither.

    Examples
    --------
    >>> from schemas.messages import Line
    >>> def rated(value):
    ...     return Event("u:anna", "rating", 0, "ratings", 0, 0, 0, 0, lines=[Line("tea", [])], value=value)
    >>> liked = Relevance("purchase,rating>=4")
    >>> liked(rated(4.0)), liked(rated(3.5)), Relevance()(rated(0.5))
    (True, False, True)
    """

    def __init__(self, text: str = "") -> None:
        self.text = text
        self._kinds: dict[str, Callable[[Event], bool]] = {}
        for term in filter(None, (part.strip() for part in text.split(","))):
            self._add(term)
        if not self._kinds:
            self._kinds = dict.fromkeys(ACTIONS, _always)

    def __call__(self, event: Event) -> bool:
        test = self._kinds.get(event.kind)
        return test is not None and bool(event.lines) and test(event)

    def _add(self, term: str) -> None:
        found = _RATING.fullmatch(term)
        if found is not None:
            self._kinds["rating"] = _compares(found[1], float(found[2]))
        elif term in ACTIONS:
            self._kinds[term] = _always
        else:
            raise ValueError(
                f"{term!r} says nothing of events; expected one of {', '.join(ACTIONS)}, "
                "or a bound like rating>=4"
            )


def _always(_: Event) -> bool:
    return True


def _compares(operator: str, bound: float) -> Callable[[Event], bool]:
    holds = _COMPARE[operator]
    return lambda event: event.value is not None and holds(event.value, bound)
