"""The items of each customer, as baselines keep them: distinct, in the order of the last action, bounded."""

from collections.abc import Sequence
from typing import Final

MAX_CUSTOMERS: Final = 1_000_000
MAX_HISTORY: Final = 5_000


class Customers:
    """Who had which items.

    Parameters
    ----------
    max_customers : int
        Kept at most; whoever was seen longest ago makes room.
    max_history : int
        Items kept of each, the newest ones.

    Examples
    --------
    >>> customers = Customers(max_history=2)
    >>> [customers.add("u:anna", item) for item in ("tea", "cup", "tea", "jam")]
    [True, True, False, True]
    >>> customers.items("u:anna", []), customers.items("u:anna", ["tea", "pot"])
    (['tea', 'jam'], ['jam', 'tea', 'pot'])
    """

    def __init__(self, *, max_customers: int = MAX_CUSTOMERS, max_history: int = MAX_HISTORY) -> None:
        self._rows: dict[str, dict[str, None]] = {}
        self._max_customers, self._max_history = max_customers, max_history

    def row(self, key: str) -> dict[str, None]:
        """Return the items of a customer as they are kept, oldest first."""
        return self._rows.get(key, {})

    def add(self, key: str, item: str) -> bool:
        """Note an action and return whether the item is new to the customer."""
        row = self._rows.pop(key, None)
        if row is None:
            row = {}
            if len(self._rows) >= self._max_customers:
                del self._rows[next(iter(self._rows))]
        self._rows[key] = row
        new = item not in row
        row.pop(item, None)
        row[item] = None
        if len(row) > self._max_history:
            del row[next(iter(row))]
        return new

    def items(self, key: str, session: Sequence[str]) -> list[str]:
        """Return a customer's items, oldest first; those of the open session count as the newest."""
        known = self._rows.get(key)
        if not known:
            return list(dict.fromkeys(reversed(session)))[::-1]
        if not session:
            return list(known)
        newest = dict.fromkeys(reversed(session))
        return [item for item in known if item not in newest] + list(newest)[::-1]
