"""All pair counts of one item in one block of memory: what a row holds of its partners.

A partner is a number made of its id, so that a row needs no texts; ids come back from who has them.
A table's bytes follow from its contents alone, whatever the order in which they came.
"""

import ctypes
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
HEADER = 4
"""Numbers before the slots: entries used in each of three scopes, and the homes."""

HOMES = 3
EMPTY = -1
SCOPE_BITS = 3
"""The lowest two bits of a key name the scope of an entry."""


class Entries(NamedTuple):
    """Keys of partners, ascending, and their counts."""

    keys: Ints
    counts: Ints


def name_key(name: str) -> int:
    """Key of an item: 61 bits of its id's digest, above two bits for a scope.

    Two items of a catalogue of ten million share a key with a probability of 0.00002.

    Examples
    --------
    >>> name_key("tea") == name_key("tea"), name_key("tea") & 3
    (True, 0)
    """
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little") >> 1 & ~SCOPE_BITS


def name_id(key: int) -> str:
    """Give the key of an item as a text, under which what is known of the item is stored."""
    return f"{key:016x}"


def entries(table: bytearray, scope: int) -> Entries:
    """Return what a table holds in one scope, under keys of items.

    Examples
    --------
    >>> entries(bytearray(), 0)
    Entries(keys=array([], dtype=int64), counts=array([], dtype=int64))
    """
    keys, counts = all_entries(table)
    mine = keys & SCOPE_BITS == scope
    return Entries(keys[mine] & ~SCOPE_BITS, counts[mine])


def all_entries(table: bytearray) -> Entries:
    """Return all that a table holds, under keys with their scope."""
    slots = np.frombuffer(table, np.int64)[HEADER:].reshape(-1, 2)
    taken = slots[slots[:, 0] != EMPTY]
    return Entries(taken[:, 0], taken[:, 1])


def used(table: bytearray, scope: int) -> int:
    """How many partners a table holds in one scope."""
    return int(np.frombuffer(table, np.int64, 1, 8 * scope)[0]) if table else 0


def partners(table: bytearray) -> int:
    """How many partners a table holds in any scope."""
    return len(np.unique(all_entries(table).keys & ~SCOPE_BITS))


def largest(found: Entries) -> int:
    """Return the largest count, 0 when there is none."""
    return int(found.counts.max(initial=0))


def by_key(names: Iterable[str]) -> dict[int, str]:
    """Return ids under their keys."""
    return {name_key(name): name for name in names}


def named(table: bytearray, scope: int, names: Mapping[int, str]) -> dict[str, int]:
    """Return the counts of one scope by id, of partners whose id is among `names`, by key."""
    keys, counts = entries(table, scope)
    found = zip(keys.tolist(), counts.tolist(), strict=True)
    return {names[key]: count for key, count in found if key in names}


def address(table: bytearray) -> int:
    """Where the table is in memory, for as long as it lives."""
    return ctypes.addressof(ctypes.c_char.from_buffer(table))
