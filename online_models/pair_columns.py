"""Pair deltas as columns of numbers: how they travel, and how tests and checks read them."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.messages import PairColumns, PairDeltas

_SMALL, _LARGE = np.dtype("<i4"), np.dtype("<i8")
_MOST_SMALL = 2**31 - 1


class Columns(NamedTuple):
    """The columns of `PairColumns` as arrays."""

    codes: NDArray[np.int32]
    items: NDArray[np.int32]
    lengths: NDArray[np.int32]
    partners: NDArray[np.int32]
    amounts: NDArray[np.int64]


def encode(columns: Columns) -> PairColumns:
    """Give the columns as they travel."""
    amounts = columns.amounts
    wide = len(amounts) and max(amounts.max(), -amounts.min()) > _MOST_SMALL
    packed = amounts.astype(_LARGE if wide else _SMALL)
    codes, items, lengths, partners = (column.astype(_SMALL).tobytes() for column in columns[:4])
    return PairColumns(codes, items, lengths, partners, packed.tobytes())


def decode(packed: PairColumns) -> Columns:
    """Give the columns as arrays, read only."""
    codes, items, lengths, partners = (
        np.frombuffer(column, _SMALL)
        for column in (packed.codes, packed.items, packed.lengths, packed.partners)
    )
    wide = len(packed.amounts) > len(packed.partners)
    amounts = np.frombuffer(packed.amounts, _LARGE if wide else _SMALL).astype(np.int64)
    return Columns(codes, items, lengths, partners, amounts)


def columns_of(groups: Iterable[PairDeltas]) -> PairColumns:
    """Pack groups.

    Examples
    --------
    >>> groups = [PairDeltas(2, 1, [0, 2], [1, 2**40]), PairDeltas(3, 1, [0], [1])]
    >>> groups_of(columns_of(groups)) == groups
    True
    """
    found = list(groups)
    return encode(
        Columns(
            np.array([each.code for each in found], _SMALL),
            np.array([each.item for each in found], _SMALL),
            np.array([len(each.partners) for each in found], _SMALL),
            np.array([partner for each in found for partner in each.partners], _SMALL),
            np.array([amount for each in found for amount in each.amounts], np.int64),
        )
    )


def groups_of(packed: PairColumns) -> list[PairDeltas]:
    """Unpack groups."""
    codes, items, lengths, partners, amounts = (column.tolist() for column in decode(packed))
    groups, start = [], 0
    for code, item, length in zip(codes, items, lengths, strict=True):
        stop = start + length
        groups.append(PairDeltas(code, item, partners[start:stop], amounts[start:stop]))
        start = stop
    return groups
