"""A stream of events of any length over a catalogue of any size: sessions of guests and returning customers.

No two items belong together, so that there are as many different pairs as a stream can have: the most that
models of pairs and of sessions can be made to hold.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.messages import Event, ItemFacts, Line

Ints = NDArray[np.int64]
_DAY_MS = 86_400_000
_TOGETHER = 4_096
"""Sessions that are drawn at a time."""

_KINDS = ("view", "cart", "purchase", "rating")
_UNTIL = (0.87, 0.93, 0.98, 1.0)
"""Shares of the kinds, added up: those of the workload `bench-1`."""


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream is made from.

    Popularity of items follows Zipf's law with exponent `zipf`; `events_per_session` is a mean, and every
    session has at least two. Some customers come much more often than others.
    """

    items: int
    seed: int = 1
    customers: int = 20_000
    guest_share: float = 0.5
    zipf: float = 1.0
    events_per_session: float = 8.0
    sessions_per_day: int = 75_000
    pause_s: float = 20.0
    categories: int = 100


class Rows(NamedTuple):
    """Events as columns, in the order of time; a guest is customer -1, `second` is what is bought besides."""

    at: Ints
    session: Ints
    customer: Ints
    kind: Ints
    item: Ints
    second: Ints


def rows(load: Load) -> Iterator[Rows]:
    """Give events without end, many at a time."""
    rng = np.random.default_rng([load.seed, load.items])
    popularity = np.cumsum(np.arange(1, load.items + 1, dtype=np.float64) ** -load.zipf)
    between_ms = _DAY_MS / load.sessions_per_day
    held: Rows | None = None
    begun = 0
    while True:
        numbers = np.arange(begun, begun + _TOGETHER)
        begun += _TOGETHER
        lengths = 1 + rng.geometric(1 / (load.events_per_session - 1), _TOGETHER)
        session = np.repeat(numbers, lengths)
        pauses = rng.exponential(load.pause_s * 1_000, len(session))
        waited = np.cumsum(pauses)
        waited -= np.repeat(waited[np.cumsum(lengths) - lengths], lengths)
        customers = (load.customers * rng.random(_TOGETHER) ** 2).astype(np.int64)
        customers[rng.random(_TOGETHER) < load.guest_share] = -1
        drawn = np.searchsorted(popularity, rng.random((2, len(session))) * popularity[-1], side="right")
        new = Rows(
            (session * between_ms + waited).astype(np.int64),
            session,
            np.repeat(customers, lengths),
            np.searchsorted(_UNTIL, rng.random(len(session)), side="right"),
            *np.minimum(drawn, load.items - 1),
        )
        every = new if held is None else Rows(*map(np.concatenate, zip(held, new, strict=True)))
        order = np.argsort(every.at, kind="stable")
        # What comes later than the next session to be drawn may have others in between.
        ready = int(np.searchsorted(every.at[order], begun * between_ms))
        yield Rows(*(column[order[:ready]] for column in every))
        held = Rows(*(column[order[ready:]] for column in every))


def events(load: Load) -> Iterator[Event]:
    """Give events without end, in the order of time; the same load gives the same events.

    Examples
    --------
    >>> from itertools import islice
    >>> first = list(islice(events(Load(items=10)), 100))
    >>> [event.at for event in first] == sorted(event.at for event in first)
    True
    >>> {event.key[:2] for event in first} == {"u:", "s:"}, {len(event.lines) for event in first}
    (True, {1, 2})
    """
    number = 0
    for block in rows(load):
        for at, session, customer, kind, item, second in zip(*(c.tolist() for c in block), strict=True):
            yield _event(load, number, at, session, customer, _KINDS[kind], (item, second))
            number += 1


def catalogue(load: Load) -> Iterator[ItemFacts]:
    """Give the row of each item."""
    for item in range(load.items):
        price = 5.0 + item % 95
        yield ItemFacts(f"i{item}", f"Item {item}", _categories(load, item), None, price, [], True, 0)


def key_of(session: int, customer: int) -> str:
    """Return who acts, as in events."""
    return f"s:{session}" if customer < 0 else f"u:{customer}"


def _event(
    load: Load, number: int, at: int, session: int, customer: int, kind: str, items: tuple[int, int]
) -> Event:
    bought, rated = kind == "purchase", kind == "rating"
    lines = [Line(f"i{item}", _categories(load, item)) for item in items[: 1 + bought]]
    return Event(
        key_of(session, customer),
        kind,
        at,
        "purchases" if bought else "ratings" if rated else "browses",
        0,
        number,
        at,
        at,
        f"e{number}",
        f"{session}",
        f"o{number}" if bought else None,
        lines,
        4.0 if rated else None,
        5.0 if rated else None,
    )


def _categories(load: Load, item: int) -> list[str]:
    return [f"c{item % load.categories}"]
