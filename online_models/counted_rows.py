"""Counts of antecedents and of what goes with each, decayed, in rows that are bounded in number and length.

What an antecedent is, one item or two, and what counts as once is up to the caller.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from online_models.decay import Decay
from online_models.sequential_rules import heaviest

Antecedent = TypeVar("Antecedent", bound=Hashable)


class CountedRow:
    """How often something happened, and how often each of some items with it, under a decay landmark.

    Attributes
    ----------
    epoch : int
        The landmark (`online_models.decay`).
    count : int
        Of the antecedent.
    pairs : dict of str to int
        Of the antecedent with each item.
    """

    __slots__ = ("count", "epoch", "pairs")

    def __init__(self, epoch: int) -> None:
        self.epoch, self.count = epoch, 0
        self.pairs: dict[str, int] = {}

    def weight(self, decay: Decay, at: int) -> int:
        """Move to the landmark of a time (epoch ms), if it is later; return what once counts there."""
        epoch, factor = decay.weight(at)
        if epoch > self.epoch:
            shift = epoch - self.epoch
            self.epoch, self.count = epoch, self.count >> shift
            moved = ((item, count >> shift) for item, count in self.pairs.items())
            self.pairs = {item: count for item, count in moved if count}
        return factor >> (self.epoch - epoch)


class CountedRows(Generic[Antecedent]):
    """Counts by antecedent; a row that has grown to twice its bound keeps its heaviest entries.

    Rows that counted nothing for longest are forgotten.

    Parameters
    ----------
    decay : Decay
        Of what is counted.
    rows, entries : int
        Most rows, and entries that a row keeps when it is cut.

    Notes
    -----
    A count is an exact integer as long as no bound is reached and decay is off. A row that was forgotten
    begins anew, with its antecedent as well as with what goes with it, so that confidences hold for all that
    happened since.

    References
    ----------
    Cormode, Shkapenyuk, Srivastava, Xu: Forward Decay: A Practical Time Decay Model for Streaming
    Systems, ICDE 2009.

    Examples
    --------
    >>> rows = CountedRows[str](Decay(0), rows=1)
    >>> rows.count("tea", 0)
    >>> rows.add("tea", "cup", 0)
    >>> rows.add("mat", "mop", 0)  # what was never counted has no row
    >>> rows.get("tea").count, rows.get("tea").pairs, rows.get("mat")
    (1, {'cup': 1}, None)
    >>> rows.count("mat", 0)
    >>> rows.get("tea") is None
    True
    """

    def __init__(self, decay: Decay, *, rows: int = 100_000, entries: int = 100) -> None:
        self._decay, self._most_rows, self._most_entries = decay, rows, entries
        self._rows: OrderedDict[Antecedent, CountedRow] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rows)

    def count(self, antecedent: Antecedent, at: int) -> None:
        """Count an antecedent once, at a time in epoch ms."""
        row = self._rows.get(antecedent)
        if row is None:
            row = self._rows[antecedent] = CountedRow(self._decay.weight(at)[0])
            if len(self._rows) > self._most_rows:
                self._rows.popitem(last=False)
        else:
            self._rows.move_to_end(antecedent)
        row.count += row.weight(self._decay, at)

    def add(self, antecedent: Antecedent, item: str, at: int) -> None:
        """Count an item that goes with an antecedent; an antecedent without a row stays without one."""
        row = self._rows.get(antecedent)
        if row is None:
            return
        weight = row.weight(self._decay, at)
        row.pairs[item] = row.pairs.get(item, 0) + weight
        if len(row.pairs) >= 2 * self._most_entries and len(row.pairs) > 1:
            row.pairs = dict(heaviest(row.pairs.items(), self._most_entries))

    def times(self, antecedent: Antecedent, item: str, at: int) -> float:
        """Return how often an item went with an antecedent, in times of now (`at`, epoch ms)."""
        row = self._rows.get(antecedent)
        if row is None:
            return 0.0
        weight = row.weight(self._decay, at)
        return row.pairs.get(item, 0) / weight if weight else 0.0

    def get(self, antecedent: Antecedent) -> CountedRow | None:
        """Return a row, None if it was never counted or is forgotten."""
        return self._rows.get(antecedent)

    def entries(self) -> int:
        """Return how many items all rows hold."""
        return sum(len(row.pairs) for row in self._rows.values())
