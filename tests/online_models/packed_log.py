"""Count changes of events as tests write them, and the packed form in which stages exchange them."""

from itertools import pairwise

import msgspec

from online_models.pair_columns import columns_of
from schemas.messages import BACKWARD, FORWARD, ItemDeltas, ItemTouch, PairDeltas

Added = tuple[int, int, int]
_POSITION = 10


class Change(msgspec.Struct):
    """What one event changes: (item, added, weight, categories) and (scope, item, partner, amount)."""

    at: int
    touches: list[tuple[str, Added, int, list[str]]] = []
    pairs: list[tuple[int, str, str, int]] = []


def position(event: int) -> tuple[int, int]:
    """Position of an event of the log: two entries to a record."""
    return event // 2 + _POSITION, event % 2


def pack(log: list[Change], start: int = 0, stop: int | None = None) -> ItemDeltas:
    """Pack the events [start, stop) of a log."""
    names: dict[str, int] = {}
    part = log[start:stop]
    touches: list[ItemTouch] = []
    pairs: list[PairDeltas] = []

    def index(name: str) -> int:
        return names.setdefault(name, len(names))

    for n, change in enumerate(part):
        for item, added, weight, categories in change.touches:
            touches.append(ItemTouch(n, index(item), added, weight, categories))
        for number, (scope, item, partner, amount) in enumerate(change.pairs):
            code, row, column = n * 8 + scope * 2, index(item), index(partner)
            # Written either way, a change is the same.
            if number % 2:
                pairs.append(PairDeltas(code + FORWARD, row, [column], [amount]))
            else:
                pairs.append(PairDeltas(code + BACKWARD, column, [row], [amount]))
    positions = [position(start + n) for n in range(len(part))]
    return ItemDeltas(list(names), positions, [change.at for change in part], touches, columns_of(pairs))


def basket(at: int, *items: str, scope: int = 1) -> Change:
    """All pairs of an order (or of a session, or similarity of weight 1) in both directions."""
    added: Added = (int(scope == 0), int(scope == 1), int(scope == 2))
    pairs = [(scope, one, other, 1) for one in items for other in items if one != other]
    return Change(at, [(item, added, 0, []) for item in items], pairs)


def batches(size: int, cuts: set[int]) -> list[tuple[int, int]]:
    """Cut [0, size) into successive ranges."""
    edges = sorted({0, size} | {cut for cut in cuts if 0 < cut < size})
    return list(pairwise(edges))
