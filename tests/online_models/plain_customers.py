"""User-user collaborative filtering in plain Python: what the compiled loops have to equal."""

from collections.abc import Mapping, Sequence
from math import sqrt

import msgspec
import numpy as np

from online_models.session_index import SessionIndex

Found = dict[str, tuple[float, int, float]]
"""Items with their share, the customers who have them, and the mean cosine of these."""


class PlainSession(msgspec.Struct):
    """A session of somebody (the digest of their key), its items by name, repeats kept."""

    number: int
    key: int
    items: list[str]


def plain_sessions(index: SessionIndex) -> list[PlainSession]:
    """What an index holds, oldest first."""
    rows = index.rows()
    about = np.frombuffer(rows.about, np.int64).reshape(-1, 4)
    owners = np.frombuffer(rows.owners, np.int64).reshape(-1, 2)
    items = np.frombuffer(rows.items, np.int32).reshape(-1, rows.width)
    found = []
    for number in range(rows.newest - len(about) + 1, rows.newest + 1):
        row = number % len(about)
        numbers = items[row, : about[row, 1]].tolist()
        if numbers:
            names = [rows.names[n if n >= 0 else ~n] for n in numbers]
            found.append(PlainSession(number, int(owners[row, 0]), names))
    return found


def plain_cosines(
    sessions: Sequence[PlainSession], own: int, weights: Mapping[str, float], rows: int
) -> dict[int, float]:
    """How near each customer is who shares an item, by the weights of items."""
    norm, cosines = sum(weight**2 for weight in weights.values()), dict[int, float]()
    for key in {each.key for each in sessions if each.key != own}:
        mine = [set(each.items) for each in sessions if each.key == key]
        shared = set().union(*mine) & set(weights)
        if shared:
            size = sum(len(items) for items in mine[-rows:])
            cosines[key] = sum(weights[item] for item in shared) / sqrt(norm * size)
    return cosines


def plain_find(index: SessionIndex, own: int, weights: Mapping[str, float], *, rows: int) -> Found:
    """Return what all customers who share an item have in their newest rows, none of them left out."""
    sessions = plain_sessions(index)
    cosines = plain_cosines(sessions, own, weights, rows)
    found: dict[str, list[float]] = {}
    for key, cosine in cosines.items():
        mine = [each.items for each in sessions if each.key == key][-rows:]
        for item in {item for session in mine for item in session}:
            found.setdefault(item, []).append(cosine)
    total = sum(cosines.values())
    return {item: (sum(near) / total, len(near), sum(near) / len(near)) for item, near in found.items()}
