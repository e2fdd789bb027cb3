"""The row of one item's counts: as it begins, and under a later decay landmark."""

from online_models.pair_shape import counted, moved
from online_models.pair_table import all_entries
from schemas.state import RuleRow
from schemas.times import MIN_EPOCH_MS

_NO_PAIRS = counted([{}, {}, {}])


def new_row(epoch: int) -> RuleRow:
    """Return an item's row before its first event, which has the landmark `epoch`."""
    return RuleRow(epoch, 0, [0, 0, 0], bytearray(_NO_PAIRS), MIN_EPOCH_MS)


def move_landmark(row: RuleRow, epoch: int) -> None:
    """Bring a row to a later landmark: what decays to 0 is dropped.

    Examples
    --------
    >>> from online_models.pair_table import by_key, named
    >>> row = RuleRow(epoch=3, counts=[8, 2, 0], pairs=counted([{"tea": 4, "cup": 1}, {}, {}]))
    >>> move_landmark(row, 5)
    >>> row.epoch, row.counts, named(row.pairs, 0, by_key(["tea", "cup"]))
    (5, [2, 0, 0], {'tea': 1})
    """
    shift = epoch - row.epoch
    row.epoch = epoch
    row.counts = [count >> shift for count in row.counts]
    row.pairs = moved(row.pairs, shift)


def is_empty(row: RuleRow) -> bool:
    """Whether a row counts nothing."""
    return not any(row.counts) and not len(all_entries(row.pairs).keys)
