"""Count changes of events packed as the steps after history learn them, in one process and one partition."""

from collections.abc import Sequence

import numpy as np

from online_models.deltas import Delta
from online_models.pair_columns import Columns, encode
from schemas.messages import BACKWARD, FORWARD, ItemDeltas, ItemTouch


def packed(deltas: Sequence[Delta]) -> ItemDeltas:
    """Pack deltas, each as an event of its own; every pair goes to both its items.

    Examples
    --------
    >>> from online_models.deltas import PairGroup, Touch
    >>> from online_models.pair_columns import groups_of
    >>> group = PairGroup(0, "cup", ["tea"], [5])
    >>> both = packed([Delta(7, [Touch("cup", (5, 0, 0), 5, [])], [group])])
    >>> both.names, both.ats, [(each.code, each.item, each.partners) for each in groups_of(both.pairs)]
    (['cup', 'tea'], [7], [(0, 0, [1]), (1, 0, [1])])
    """
    names: dict[str, int] = {}
    touches: list[ItemTouch] = []
    codes: list[int] = []
    items: list[int] = []
    lengths: list[int] = []
    partners: list[int] = []
    amounts: list[int] = []
    for event, delta in enumerate(deltas):
        for touch in delta.touches:
            item = names.setdefault(touch.item, len(names))
            touches.append(ItemTouch(event, item, touch.added, touch.weight, touch.categories))
        for group in delta.groups:
            item = names.setdefault(group.item, len(names))
            among = [names.setdefault(partner, len(names)) for partner in group.partners]
            code = event * 8 + group.scope * 2
            codes += (code + FORWARD, code + BACKWARD)
            items += (item, item)
            lengths += (len(among), len(among))
            partners += among * 2
            amounts += group.amounts * 2
    columns = Columns(
        np.array(codes, np.int32),
        np.array(items, np.int32),
        np.array(lengths, np.int32),
        np.array(partners, np.int32),
        np.array(amounts, np.int64),
    )
    positions = [(event, 0) for event in range(len(deltas))]
    return ItemDeltas(list(names), positions, [delta.at for delta in deltas], touches, encode(columns))
