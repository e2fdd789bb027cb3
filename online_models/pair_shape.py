"""Making pair tables: empty, from entries, larger, smaller, and under a later landmark."""

import numpy as np

from online_models.pair_kernels import FEWEST, larger, lay_out, most, move_over, room
from online_models.pair_table import HEADER, HOMES, Entries, all_entries, name_key


def table_of(found: Entries, homes: int = FEWEST) -> bytearray:
    """Lay entries out in the smallest table that holds them, of so many homes at least.

    Parameters
    ----------
    found : Entries
        Under keys with their scope, ascending.
    homes : int
        One of the sizes that `larger` goes through.
    """
    while most(homes) < len(found.keys):
        homes = larger(homes)
    while True:
        table = _empty(homes)
        if lay_out(np.frombuffer(table, np.int64), found.keys, found.counts):
            return table
        homes = larger(homes)


def _empty(homes: int) -> bytearray:
    table = bytearray(8 * (HEADER + 2 * room(homes)))
    np.frombuffer(table, np.int64, HEADER)[HOMES] = homes
    return table


def counted(pairs: list[dict[str, int]]) -> bytearray:
    """Make the table of counts by id, one dict per scope.

    Examples
    --------
    >>> from online_models.pair_table import by_key, named
    >>> table = counted([{"tea": 2}, {}, {"tea": 1, "cup": 5}])
    >>> named(table, 2, by_key(["cup", "tea", "pot"])) == {"tea": 1, "cup": 5}
    True
    """
    keys = [name_key(name) | scope for scope, counts in enumerate(pairs) for name in counts]
    order = np.argsort(np.array(keys, np.int64))
    counts = [count for each in pairs for count in each.values()]
    return table_of(Entries(np.array(keys, np.int64)[order], np.array(counts, np.int64)[order]))


def grown(table: bytearray) -> bytearray:
    """Lay a table out in the next larger size."""
    homes = homes_of(table)
    while True:
        homes = larger(homes)
        found = _empty(homes)
        if move_over(np.frombuffer(table, np.int64), np.frombuffer(found, np.int64)):
            return found


def shrunk(table: bytearray) -> bytearray:
    """Lay a table out in the smallest size that holds it."""
    keys, counts = all_entries(table)
    return table_of(Entries(np.ascontiguousarray(keys), np.ascontiguousarray(counts)))


def moved(table: bytearray, shift: int) -> bytearray:
    """Bring counts to a landmark so many half-lives later; what decays to 0 is dropped."""
    keys, counts = all_entries(table)
    left = counts >> min(shift, 63)
    return table_of(Entries(keys[left > 0], left[left > 0]))


def homes_of(table: bytearray) -> int:
    """Size of a table."""
    return int(np.frombuffer(table, np.int64, 1, 8 * HOMES)[0])
