"""What those followed do, without regard to speed: the oracle of the compiled passes."""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import NamedTuple

from online_models.social import FLOOR


class Act(NamedTuple):
    """What somebody did, when, and the time of the last action in that session."""

    item: str
    session_at: int


def said(
    acts: Mapping[str, Sequence[Act]],
    links: Mapping[str, float],
    mine: Sequence[str],
    *,
    now: int,
    half_life_ms: float,
) -> dict[str, tuple[float, int]]:
    """Share and number of people by item; `acts` of each person are oldest first."""
    total, sums, people = 0.0, dict[str, float](), dict[str, int]()
    for person, weight in links.items():
        newest = {act.item: act.session_at for act in acts.get(person, ())}
        if not newest:
            continue
        shared = len(newest.keys() & set(mine))
        strength = weight * (FLOOR + (shared / sqrt(len(newest) * len(mine)) if mine else 0.0))
        total += strength
        for item, at in newest.items():
            sums[item] = sums.get(item, 0.0) + strength * 0.5 ** (max(0, now - at) / half_life_ms)
            people[item] = people.get(item, 0) + 1
    return {item: (value / total, people[item]) for item, value in sums.items()}
