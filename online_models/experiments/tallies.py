"""Exact sums over the customers of an arm, from which means, ratios and their variances follow.

A customer's amounts change with every event; the sums take the difference, so they are at any time those
over the customers as they are, in whatever order events came.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from schemas.experiments import MAX_ARMS, ArmTallies, ArmTally

LISTS, CLICKS, CONVERTED, VISITS, ORDERS, REVENUE, RATINGS, RATING, BUYER, REPEAT = range(10)
AMOUNTS: Final = (
    "lists",
    "clicks",
    "converted",
    "visits",
    "orders",
    "revenue",
    "ratings",
    "rating",
    "buyer",
    "repeat",
)
"""What is summed of a customer since the first list: lists shown, of these clicked and bought from, visits,
orders, revenue (millionths), ratings, their sum (thousandths),
1 for one who ordered, and 1 for one who did twice.
"""

PRODUCTS: Final = (
    (LISTS, LISTS),
    (CLICKS, LISTS),
    (CLICKS, CLICKS),
    (CONVERTED, LISTS),
    (CONVERTED, CONVERTED),
    (VISITS, VISITS),
    (REVENUE, VISITS),
    (REVENUE, REVENUE),
    (RATINGS, RATINGS),
    (RATING, RATINGS),
    (RATING, RATING),
)
"""Pairs of amounts whose products are summed."""

_PLACES: Final = {pair: place for place, pair in enumerate(PRODUCTS)}
_WIDE: Final = 16


class ArmChange(NamedTuple):
    """What one event changes for one arm: a customer's amounts before and after.

    `entered` is 1 with the first list that a customer is shown, `crossed` 1 when the customer turned out to
    be in another variant, too.
    """

    arm: str
    at: int
    before: Sequence[int]
    after: Sequence[int]
    entered: int = 0
    crossed: int = 0


def add(tallies: ArmTallies, change: ArmChange) -> None:
    """Add a change to the tallies of its arm; of too many arms, the one that was quiet longest leaves.

    Examples
    --------
    >>> tallies = ArmTallies({})
    >>> nothing, shown, clicked = [0] * 10, [1, 0, 0, 1] + [0] * 6, [1, 1, 0, 1] + [0] * 6
    >>> add(tallies, ArmChange("length:long", 5, nothing, shown, entered=1))
    >>> add(tallies, ArmChange("length:long", 9, shown, clicked))
    >>> tally = tallies.arms["length:long"]
    >>> tally.customers, tally.sums[LISTS], tally.sums[CLICKS], product(tally, CLICKS, LISTS)
    (1, 1, 1, 1)
    """
    tally = tallies.arms.get(change.arm)
    if tally is None:
        tally = tallies.arms[change.arm] = empty(change.at)
    tally.customers += change.entered
    tally.crossed += change.crossed
    tally.first_at, tally.newest_at = min(tally.first_at, change.at), max(tally.newest_at, change.at)
    before, after = change.before, change.after
    tally.sums = [n + new - old for n, old, new in zip(tally.sums, before, after, strict=True)]
    tally.products = [
        _wide(_narrow(n) + after[i] * after[j] - before[i] * before[j])
        for n, (i, j) in zip(tally.products, PRODUCTS, strict=True)
    ]
    if len(tallies.arms) > MAX_ARMS:
        del tallies.arms[min(tallies.arms, key=lambda arm: (tallies.arms[arm].newest_at, arm))]


def empty(at: int = 0) -> ArmTally:
    """Return the tally of an arm that nobody was seen in, from `at` (epoch ms) on."""
    return ArmTally(0, 0, at, at, [0] * len(AMOUNTS), [_wide(0)] * len(PRODUCTS))


def merged(rows: Iterable[ArmTallies]) -> dict[str, ArmTally]:
    """Return the arms of all partitions together."""
    found: dict[str, ArmTally] = {}
    for row in rows:
        for arm, tally in row.arms.items():
            found[arm] = _sum(found[arm], tally) if arm in found else tally
    return found


def product(tally: ArmTally, first: int, second: int) -> int:
    """Return the sum, over customers, of the product of two amounts; in the order of `PRODUCTS`."""
    return _narrow(tally.products[_PLACES[first, second]])


def _sum(one: ArmTally, other: ArmTally) -> ArmTally:
    return ArmTally(
        one.customers + other.customers,
        one.crossed + other.crossed,
        min(one.first_at, other.first_at),
        max(one.newest_at, other.newest_at),
        [a + b for a, b in zip(one.sums, other.sums, strict=True)],
        [_wide(_narrow(a) + _narrow(b)) for a, b in zip(one.products, other.products, strict=True)],
    )


def _wide(n: int) -> bytes:
    """Return an integer in 16 bytes: squares of millionths pass the 8 that a row's integers have."""
    return n.to_bytes(_WIDE, "little", signed=True)


def _narrow(raw: bytes) -> int:
    return int.from_bytes(raw, "little", signed=True)
