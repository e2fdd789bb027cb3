"""Which category a customer's next visit begins with: four sources, weighed by how often each was right.

Own interests, the visit before, what follows that visit's category at others, and what all begin with.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

SOURCES: Final = ("interests", "last visit", "others", "popular")
"""Where a guess comes from, in the order of the mixture."""

PRIOR: Final = (0.4, 0.2, 0.3, 0.1)
"""The mixture before anything is learned."""

MAX_FROM: Final = 500
"""Categories of which it is kept what follows."""

MAX_TO: Final = 32
"""Categories kept that follow one, and twice as many until the lightest go."""

FULL: Final = 1 << 15
"""Visits after which the counts of a row are halved."""

_PRIOR_LESSONS: Final = 200.0
_LEAST_RATE: Final = 0.0005
_LEAST: Final = 1e-6


class Guess(NamedTuple):
    """A category, its chance, and the part of it that each source gives."""

    category: str
    chance: float
    parts: tuple[float, ...]


def count(counts: dict[str, int], name: str, *, most: int) -> None:
    """Add a visit; at twice `most` names the lightest go, at `FULL` visits all are halved.

    Examples
    --------
    >>> counts = {"a": 3, "b": 1}
    >>> count(counts, "c", most=1)
    >>> counts
    {'a': 3}
    """
    counts[name] = counts.get(name, 0) + 1
    if len(counts) > 2 * most:
        kept = sorted(counts, key=lambda each: (-counts[each], each))[:most]
        for each in counts.keys() - set(kept):
            del counts[each]
    if sum(counts.values()) >= FULL:
        for each, n in list(counts.items()):
            counts[each] = n // 2
            if not counts[each]:
                del counts[each]


def learn_mixture(mixture: list[float], shares: Sequence[float], learned: int) -> None:
    """Move the mixture, in place, towards the sources that expected what happened.

    Parameters
    ----------
    mixture : list of float, shape (4,)
        Sums to 1.
    shares : sequence of float, shape (4,)
        Chance that each source gave to what happened.
    learned : int
        Lessons before.

    References
    ----------
    Cappé, Moulines: On-line Expectation-Maximization Algorithm for Latent Data Models, JRSS B 71, 2009.

    Examples
    --------
    >>> mixture = list(PRIOR)
    >>> for n in range(4000):
    ...     learn_mixture(mixture, (0.1, 0.0, 0.9, 0.1), n)
    >>> [round(part, 1) for part in mixture]
    [0.0, 0.0, 1.0, 0.0]
    """
    # A source that can still be right keeps a little, or it could never come back.
    weighed = [part * max(share, _LEAST) for part, share in zip(mixture, shares, strict=True)]
    total = sum(weighed)
    rate = max(1.0 / (_PRIOR_LESSONS + learned), _LEAST_RATE)
    for place, each in enumerate(weighed):
        mixture[place] += rate * (each / total - mixture[place])


def guesses(
    mixture: Sequence[float],
    sources: Sequence[Mapping[str, float]],
    *,
    most: int,
) -> list[Guess]:
    """Return the likeliest categories, best first, ties by name.

    Parameters
    ----------
    mixture : sequence of float, shape (4,)
        Weight of each source.
    sources : sequence of mapping, shape (4,)
        Of each source, its chances by category; an empty one knows nothing, and the others weigh more.
    most : int
        At most so many.

    Examples
    --------
    >>> own, others = {"tea": 1.0}, {"cups": 0.5, "tea": 0.5}
    >>> for guess in guesses([0.5, 0.0, 0.5, 0.0], [own, {}, others, {}], most=2):
    ...     print(guess.category, guess.chance, guess.parts)
    tea 0.75 (0.5, 0.0, 0.25, 0.0)
    cups 0.25 (0.0, 0.0, 0.25, 0.0)
    """
    weights = [part if source else 0.0 for part, source in zip(mixture, sources, strict=True)]
    total = sum(weights)
    if not total:
        return []
    found = []
    for name in {name for source in sources for name in source}:
        parts = tuple(
            weight / total * source.get(name, 0.0) for weight, source in zip(weights, sources, strict=True)
        )
        found.append(Guess(name, sum(parts), parts))
    return sorted(found, key=lambda each: (-each.chance, each.category))[:most]


def shares_of(weights: Mapping[str, float]) -> dict[str, float]:
    """Divide weights by their sum; nothing stays nothing.

    Examples
    --------
    >>> shares_of({"tea": 3, "cups": 1}), shares_of({})
    ({'tea': 0.75, 'cups': 0.25}, {})
    """
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()} if total else {}
