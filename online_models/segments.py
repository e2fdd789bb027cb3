"""Samples each customer for the global models, whenever a fact brings the customer's features.

What is kept of a customer is bounded; guests and customers without consent leave no trace.
"""

from online_models.protocols import Store
from schemas.messages import Fact, Sample
from schemas.state import SegmentRow

MAX_ITEMS = 100
"""Items kept between two samples, the newest ones."""

_ACTIONS = frozenset({"view", "cart", "purchase", "rating"})


class SegmentsStep:
    """Emits a sample with each action that brings features, and keeps what lies between two samples.

    Parameters
    ----------
    rows : Store of SegmentRow
        By customer key.

    Notes
    -----
    An erasure deletes the row and emits a sample without features, so that the customer is no longer
    counted in the segment of `previous`.

    Examples
    --------
    >>> from online_models.memory_store import MemoryStore
    >>> from schemas.messages import Line
    >>> step = SegmentsStep(MemoryStore(SegmentRow))
    >>> def view(at, start, features):
    ...     return Fact("u:anna", "view", at, [Line("tea", ["drinks"])], [5], start, features)
    >>> step.learn_one(view(1, True, [0.1]))[0].items
    [('tea', ['drinks'], 5)]
    >>> step.learn_one(view(2, False, []))
    []
    >>> sample = step.learn_one(view(9, True, [0.3]))[0]
    >>> sample.previous, sample.features
    ([0.1], [0.3])
    """

    def __init__(self, rows: Store[SegmentRow]) -> None:
        self.rows = rows

    def key(self, x: Fact) -> str:
        return x.key

    def learn_one(self, x: Fact) -> list[Sample]:
        if x.kind == "erasure":
            return self._forget(x)
        if not x.key.startswith("u:"):
            return []
        row = self.rows.get(x.key)
        if x.kind not in _ACTIONS:
            # What a customer told about themselves is no behaviour yet: it waits for the first action.
            if row is not None and x.features:
                row.features = x.features
                self.rows.put(x.key, row)
            return []
        if row is None:
            row = SegmentRow()
        _add(row, x)
        samples = [_take(row)] if x.features else []
        self.rows.put(x.key, row)
        return samples

    def _forget(self, x: Fact) -> list[Sample]:
        row = self.rows.get(x.key)
        if row is None:
            return []
        self.rows.delete(x.key)
        return [Sample(x.at, [], row.sampled, [], 0.0, 0)] if row.sampled else []


def _add(row: SegmentRow, x: Fact) -> None:
    if x.features:
        row.features = x.features
    row.at = max(row.at, x.at)
    row.events += 1
    for line, gained in zip(x.lines, x.gained, strict=True):
        if gained > 0:
            row.items.append((line.item, line.categories, gained))
    del row.items[:-MAX_ITEMS]
    if x.kind == "purchase":
        row.purchases += 1
        row.spent += sum(line.quantity * (line.unit_price or 0.0) for line in x.lines)


def _take(row: SegmentRow) -> Sample:
    """Make the sample that is due and start over."""
    sample = Sample(row.at, row.features, row.sampled, row.items, row.spent, row.purchases)
    row.sampled, row.items, row.spent, row.purchases, row.events = row.features, [], 0.0, 0, 0
    return sample
