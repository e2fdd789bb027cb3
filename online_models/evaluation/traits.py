"""What a log is like, in a few numbers by which one can choose among models."""

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Final

import msgspec

from online_models.attributes import attributes_of
from online_models.evaluation.actions import Logged
from online_models.evaluation.relevance import ACTIONS
from online_models.evaluation.splitting import place_of_share, sessions_of
from schemas.messages import Event, ItemFacts

FEW: Final = 5
"""Who has done less before is cold."""

_DAY_MS: Final = 86_400_000
_LATE: Final = 0.9
_MOST_POPULAR: Final = 100


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """What a log is like; shares are between 0 and 1, and 0 where there is nothing to share.

    Attributes
    ----------
    events : int
        Actions on items: views, carts, orders, ratings.
    customers, items, sessions : int
        How many different ones act, or are acted upon; a guest is no customer.
    days : float
        From the first action to the last.
    guests : float
        Share of the events that nobody signed in for.
    events_per_customer, events_per_session : float
        The median, and the mean.
    sparsity : float
        Share of all pairs of a customer and an item that never met.
    repeats : float
        Share of the events of customers about an item that the same customer had acted upon before.
    cold : float
        Share of the events of those who had done fewer than `FEW` things before; a guest's session counts
        as somebody.
    turnover : float
        Share of the events of the last tenth about items that nobody had acted upon in the nine before.
    drift : float
        Share of the 100 most popular items of the first half that are not among those of the second.
    head : float
        Share of the events that are about the most popular hundredth of the items.
    orders, ratings : float
        Share of the events that are one or the other.
    described : float
        Share of the events about items with a category, a brand, a tag or a price in the catalogue.
    links : int
        How many times a customer said whom they follow.
    """

    events: int
    customers: int
    items: int
    sessions: int
    days: float
    guests: float
    events_per_customer: float
    events_per_session: float
    sparsity: float
    repeats: float
    cold: float
    turnover: float
    drift: float
    head: float
    orders: float
    ratings: float
    described: float
    links: int


def traits(log: Sequence[Logged], *, gap_ms: int) -> Traits:
    """Look at a log once.

    Parameters
    ----------
    log : sequence of Event or ItemFacts
        In the order of time.
    gap_ms : int
        A session without an id ends after so long without an event.

    Raises
    ------
    ValueError
        Nobody acts on anything in it.

    Examples
    --------
    >>> from schemas.messages import Line
    >>> def view(user, item, at):
    ...     return Event(user, "view", at, "browses", 0, at, at, at, lines=[Line(item, [])])
    >>> found = traits([view("u:a", "tea", 0), view("u:a", "tea", 1), view("s:b", "cup", 2)], gap_ms=60_000)
    >>> found.events, found.customers, found.items, found.repeats, round(found.guests, 2)
    (3, 1, 2, 0.5, 0.33)
    """
    acted = [each for each in log if isinstance(each, Event) and each.kind in ACTIONS and each.lines]
    if not acted:
        raise ValueError("nobody acts on any item: there are no views, carts, orders or ratings")
    seen = _Seen(log)
    for event in acted:
        seen.add(event)
    lengths = [sum(len(each.lines) for each in session) for session in sessions_of(log, gap_ms=gap_ms)]
    total, late = sum(seen.of_item.values()), place_of_share(log, _LATE)
    of_customers = [count for key, count in seen.of_key.items() if key.startswith("u:")]
    together = sum(of_customers)
    return Traits(
        events=total,
        customers=len(of_customers),
        items=len(seen.of_item),
        sessions=len(lengths),
        days=round((acted[-1].at - acted[0].at) / _DAY_MS, 3),
        guests=_share(total - together, total),
        events_per_customer=float(median(of_customers)) if of_customers else 0.0,
        events_per_session=round(_share(sum(lengths), len(lengths)), 3),
        sparsity=1.0 - _share(len(seen.pairs), len(of_customers) * len(seen.of_item)),
        repeats=_share(together - len(seen.pairs), together),
        cold=_share(seen.cold, total),
        turnover=_turnover(log[:late], log[late:]),
        drift=_drift(acted),
        head=_share(sum(n for _, n in seen.of_item.most_common(-(-len(seen.of_item) // 100))), total),
        orders=_share(seen.of_kind["purchase"], total),
        ratings=_share(seen.of_kind["rating"], total),
        described=_share(seen.described, total),
        links=sum(isinstance(each, Event) and each.kind == "link" for each in log),
    )


class _Seen:
    """Counts what a log holds."""

    def __init__(self, log: Sequence[Logged]) -> None:
        self._known = {each.item for each in log if isinstance(each, ItemFacts) and attributes_of(each)}
        self.of_item: Counter[str] = Counter()
        self.of_key: Counter[str] = Counter()
        self.of_kind: Counter[str] = Counter()
        self.pairs: set[tuple[str, str]] = set()
        self.cold = self.described = 0

    def add(self, event: Event) -> None:
        for line in event.lines:
            self.cold += self.of_key[event.key] < FEW
            self.of_item[line.item] += 1
            self.of_key[event.key] += 1
            self.of_kind[event.kind] += 1
            self.described += line.item in self._known
            if event.key.startswith("u:"):
                self.pairs.add((event.key, line.item))


def _items(log: Sequence[Logged]) -> list[str]:
    return [
        line.item for each in log if isinstance(each, Event) and each.kind in ACTIONS for line in each.lines
    ]


def _turnover(early: Sequence[Logged], late: Sequence[Logged]) -> float:
    known, then = frozenset(_items(early)), _items(late)
    return _share(sum(item not in known for item in then), len(then))


def _drift(acted: Sequence[Event]) -> float:
    half = len(acted) // 2
    first, second = (
        Counter(_items(part)).most_common(_MOST_POPULAR) for part in (acted[:half], acted[half:])
    )
    stay = {item for item, _ in second}
    return _share(sum(item not in stay for item, _ in first), len(first))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
