"""Which row of a table each item has: so many rows, whatever the number of items."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

NO_ROW: Final = -1
"""Where there is no item: the beginning of a short window, an unknown item."""

Rows = NDArray[np.int32]


class ItemRows:
    """Gives rows to items; the item that was entered longest ago makes room.

    What was noted of a row when there had been so many `acts` is about another item once the row has been
    given away since: `stale` tells.

    Parameters
    ----------
    rows : int
        How many there are.

    Examples
    --------
    >>> items = ItemRows(rows=2)
    >>> [items.enter(item) for item in ("tea", "cup", "tea", "pot")]
    [(0, True), (1, True), (0, False), (1, True)]
    >>> items.names, items.of(["cup", "pot"]).tolist()
    (['tea', 'pot'], [-1, 1])
    >>> items.stale(np.array([0, 1]), np.array([2, 2])).tolist()
    [False, True]
    """

    def __init__(self, rows: int) -> None:
        if rows < 1:
            raise ValueError(f"rows is {rows}; expected at least 1")
        self.acts = 0
        self.names: list[str] = []
        self._rows = rows
        self._given_at = np.zeros(rows, np.int64)
        self._of: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self.names)

    def enter(self, item: str) -> tuple[int, bool]:
        """Return the row of an item that is acted on, and whether it was given to the item just now."""
        self.acts += 1
        row = self._of.get(item)
        given = row is None
        if row is None:
            row = self._of[item] = self._free(item)
            self._given_at[row] = self.acts
        self._of.move_to_end(item)
        return row, given

    def of(self, items: Sequence[str]) -> Rows:
        """Return the row of each item, `NO_ROW` for one that has none."""
        return np.array([self._of.get(item, NO_ROW) for item in items], np.int32)

    def stale(self, rows: NDArray[np.integer], acts: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Tell which rows have been given to another item since there had been so many acts."""
        found: NDArray[np.bool_] = self._given_at[rows] > acts
        return found

    def _free(self, item: str) -> int:
        if len(self.names) < self._rows:
            self.names.append(item)
            return len(self.names) - 1
        _, row = self._of.popitem(last=False)
        self.names[row] = item
        return row
