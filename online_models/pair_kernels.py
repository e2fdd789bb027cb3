"""Compiled loops over the pair tables of `online_models.pair_table`: add, make room, lay out.

A table is one block of int64: the entries used per scope, the number of homes, then slots of (key,
count). Slots ascend by key, with gaps; an entry stands at its key's home or right behind the entry before
it, so that where everything stands follows from what is in it (Amble and Knuth: Ordered Hash Tables, The
Computer Journal 1974). Functions are compiled once and kept; none touches memory outside of a table.
"""

from typing import Any

import numpy as np
from numba import carray, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from online_models.compilation import compiled
from online_models.pair_table import EMPTY, HEADER, HOMES, SCOPE_BITS, Ints

FEWEST = 4
"""Homes of the smallest table."""

_MOST_SHIFT = 62


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def _pointer(_typing: Any, address: Any) -> Any:
    """Take a number as the address of memory."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(address), generate


@compiled("int64(int64)")
def larger(homes: int) -> int:
    """Homes of the next larger table: a quarter more."""
    return homes + homes // 4 + 1


@compiled("int64(int64)")
def room(homes: int) -> int:
    """Slots for so many homes: a run of entries at the end may go beyond the last home."""
    return homes + homes // 16 + 4


@compiled("int64(int64)")
def most(homes: int) -> int:
    """Entries that so many homes may hold."""
    return homes * 17 // 20


@compiled("int64(int64, int64)")
def _home(key: int, homes: int) -> int:
    return ((key >> 31) * homes) >> 32


@compiled("boolean(int64[::1], int64[::1], int64[::1])")
def lay_out(table: Ints, keys: Ints, counts: Ints) -> bool:
    """Fill an empty table whose homes are set; False if the last entries find no slot.

    Parameters
    ----------
    table : array
        Header (homes set) and slots; all of it is written.
    keys, counts : array
        The entries, ascending by key.
    """
    homes = table[HOMES]
    slots = room(homes)
    table[:HOMES] = 0
    table[HEADER:] = EMPTY
    place = -1
    for n in range(len(keys)):
        place = max(place + 1, _home(keys[n], homes))
        if place >= slots:
            return False
        table[HEADER + 2 * place] = keys[n]
        table[HEADER + 2 * place + 1] = counts[n]
        table[keys[n] & SCOPE_BITS] += 1
    return True


@compiled("boolean(int64[::1], int64[::1])")
def move_over(table: Ints, larger_one: Ints) -> bool:
    """Lay a table out in another one, as `lay_out` does; False if the last entries find no slot."""
    homes = larger_one[HOMES]
    slots = room(homes)
    larger_one[:HOMES] = table[:HOMES]
    larger_one[HEADER:] = EMPTY
    last = -1
    for place in range(room(table[HOMES])):
        key = table[HEADER + 2 * place]
        if key != EMPTY:
            last = max(last + 1, _home(key, homes))
            if last >= slots:
                return False
            larger_one[HEADER + 2 * last] = key
            larger_one[HEADER + 2 * last + 1] = table[HEADER + 2 * place + 1]
    return True


@compiled("void(int64[:], int64, int64, int64)")
def _keep_largest(table: Ints, slots: int, scope: int, kept: int) -> None:
    """Drop all but the `kept` largest counts of a scope; among equal ones the smaller keys stay."""
    homes = table[HOMES]
    used = table[0] + table[1] + table[2]
    keys, counts = np.empty(used, np.int64), np.empty(used, np.int64)
    mine = np.empty(table[scope], np.int64)
    found = own = 0
    for place in range(slots):
        key = table[HEADER + 2 * place]
        if key != EMPTY:
            keys[found], counts[found] = key, table[HEADER + 2 * place + 1]
            if key & SCOPE_BITS == scope:
                mine[own] = counts[found]
                own += 1
            found += 1
            table[HEADER + 2 * place] = EMPTY
            table[HEADER + 2 * place + 1] = EMPTY
    mine.sort()
    least = mine[own - kept]
    equal = kept
    for n in range(own - kept, own):
        if mine[n] > least:
            equal -= 1
    place = -1
    for n in range(found):
        if keys[n] & SCOPE_BITS == scope:
            if counts[n] < least:
                continue
            if counts[n] == least:
                if equal == 0:
                    continue
                equal -= 1
        place = max(place + 1, _home(keys[n], homes))
        table[HEADER + 2 * place] = keys[n]
        table[HEADER + 2 * place + 1] = counts[n]
    table[scope] = kept


@compiled("void(int64[:], int64, int64, int64)")
def _remove(table: Ints, place: int, slots: int, homes: int) -> None:
    """Take an entry out; those behind it that are not at home move up."""
    table[table[HEADER + 2 * place] & SCOPE_BITS] -= 1
    after = place + 1
    while after < slots:
        key = table[HEADER + 2 * after]
        if key == EMPTY or _home(key, homes) == after:
            break
        table[HEADER + 2 * after - 2] = key
        table[HEADER + 2 * after - 1] = table[HEADER + 2 * after + 1]
        after += 1
    table[HEADER + 2 * after - 2] = EMPTY
    table[HEADER + 2 * after - 1] = EMPTY


@compiled("boolean(int64[:], int64, int64, int64, int64, int64)")
def _insert(table: Ints, place: int, slots: int, homes: int, key: int, count: int) -> bool:
    """Put a new entry in at its place; False if there is no room."""
    if table[0] + table[1] + table[2] + 1 > most(homes):
        return False
    gap = place
    while gap < slots and table[HEADER + 2 * gap] != EMPTY:
        gap += 1
    if gap == slots:
        return False
    for at in range(gap, place, -1):
        table[HEADER + 2 * at] = table[HEADER + 2 * at - 2]
        table[HEADER + 2 * at + 1] = table[HEADER + 2 * at - 1]
    table[HEADER + 2 * place] = key
    table[HEADER + 2 * place + 1] = count
    table[key & SCOPE_BITS] += 1
    return True


@compiled("int64(int64[::1], int32[::1], int64[::1], int64[::1], int64[::1], int64, int64, int64)")
def add_all(
    addresses: Ints,
    rows: NDArray[np.int32],
    keys: Ints,
    increments: Ints,
    late: Ints,
    first: int,
    bound: int,
    kept: int,
) -> int:
    """Add increments to entries of many tables, one after the other.

    Parameters
    ----------
    addresses : array
        Where each table is.
    rows, keys, increments : array
        For each addition: which table, the entry's key, and how much; may be negative.
    late : array
        For each table, how many bits its counts are ahead: increments are shifted right by it, toward 0.
    first : int
        Addition to begin with.
    bound, kept : int
        A scope with more entries than `bound` keeps the `kept` largest.

    Returns
    -------
    int
        Number of additions when all are done. Otherwise `n`, when there was no room for addition `n`: its
        table has to grow and the addition has to be made again; or `-n`, when entries were lost by addition
        `n - 1`, which was made: its table may have to shrink.
    """
    for n in range(first, len(rows)):
        row, key, increment = rows[n], keys[n], increments[n]
        shift = min(late[row], _MOST_SHIFT)
        increment = increment >> shift if increment >= 0 else -((-increment) >> shift)
        table = carray(_pointer(addresses[row]), (1 << 40,), np.int64)
        homes = table[HOMES]
        slots = room(homes)
        place = _home(key, homes)
        while place < slots and table[HEADER + 2 * place] != EMPTY and table[HEADER + 2 * place] < key:
            place += 1
        if place < slots and table[HEADER + 2 * place] == key:
            table[HEADER + 2 * place + 1] += increment
            if table[HEADER + 2 * place + 1] <= 0:
                _remove(table, place, slots, homes)
                return -(n + 1)
        elif increment > 0:
            if not _insert(table, place, slots, homes, key, increment):
                return n
            if table[key & SCOPE_BITS] > bound:
                _keep_largest(table, slots, key & SCOPE_BITS, kept)
                return -(n + 1)
    return len(rows)
