"""What one event changes in the counts of items and pairs, before it is packed per partition."""

import msgspec

from schemas.messages import WEIGHT_ONE


class Touch(msgspec.Struct, frozen=True):
    """What an event adds to one item's own counts (similarity, orders, sessions) and popularity.

    `weight` and the similarity count are in units of `schemas.messages.WEIGHT_ONE`.
    """

    item: str
    added: tuple[int, int, int]
    weight: int
    categories: list[str]


class PairGroup(msgspec.Struct, frozen=True):
    """Pairs of `item` with each partner in one scope: `amounts[n]` is added to both directions."""

    scope: int
    item: str
    partners: list[str]
    amounts: list[int]


class Delta(msgspec.Struct, frozen=True):
    """All count changes of one event that happened at `at` (epoch ms)."""

    at: int
    touches: list[Touch]
    groups: list[PairGroup]


def fixed_point(weight: float) -> int:
    """Express an implicit weight in integer units.

    Examples
    --------
    >>> fixed_point(1.0) == WEIGHT_ONE, fixed_point(2.5) / WEIGHT_ONE
    (True, 2.5)
    """
    return round(weight * WEIGHT_ONE)
