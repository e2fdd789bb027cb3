"""Content-based similarity without regard to speed: the oracle of the compiled passes."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from math import log, sqrt
from zlib import crc32

from online_models.attributes import KINDS, attributes_of
from online_models.content_index import BUCKETS
from schemas.messages import ItemFacts

Vector = dict[int, float]


def vectors(held: Sequence[ItemFacts], asked: Sequence[ItemFacts]) -> tuple[list[Vector], list[Vector]]:
    """Vectors of items, with rarities among those that are held."""
    with_it = Counter(bucket for facts in held for bucket in _weights(facts))
    rarity = {
        bucket: 1 + log((1 + len(held)) / (1 + with_it[bucket]))
        for facts in [*held, *asked]
        for bucket in _weights(facts)
    }

    def of(some: Sequence[ItemFacts]) -> list[Vector]:
        return [{bucket: x * rarity[bucket] for bucket, x in _weights(facts).items()} for facts in some]

    return of(held), of(asked)


def similarities(
    held: Sequence[ItemFacts],
    asked: Mapping[str, float],
    facts_of: Mapping[str, ItemFacts],
    *,
    euclidean: bool,
) -> dict[str, float]:
    """Similarity of every held item that shares an attribute with the profile."""
    theirs, mine = vectors(held, [facts_of[item] for item in asked])
    total = sum(asked.values())
    profile: defaultdict[int, float] = defaultdict(float)
    for vector, strength in zip(mine, asked.values(), strict=True):
        length = 1.0 if euclidean else sqrt(sum(x * x for x in vector.values())) or 1.0
        for bucket, value in vector.items():
            profile[bucket] += strength / total * value / length
    found = {}
    for facts, vector in zip(held, theirs, strict=True):
        dot = sum(x * profile[bucket] for bucket, x in vector.items())
        if dot:
            squares = sum(x * x for x in profile.values()), sum(x * x for x in vector.values())
            apart = sqrt(max(sum(squares) - 2 * dot, 0.0))
            found[facts.item] = 1 / (1 + apart) if euclidean else dot / sqrt(squares[0] * squares[1])
    return found


def _weights(facts: ItemFacts) -> Vector:
    found: Vector = {}
    for name in attributes_of(facts):
        found.setdefault(crc32(name.encode()) % BUCKETS, KINDS[name.partition(":")[0]])
    return found
