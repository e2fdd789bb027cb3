"""What the trees are asked, and what their classes mean: chances by name, and paths in words.

The next category is asked for by its part in the session (the last one again, the one before...), not by
name: so much is learned of all categories at once, and a new one needs no examples of its own.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from online_models.visit_features import BINS, CATEGORIES, FEATURES, NUMBERS, in_words
from schemas.trees import Outcome, TreeNodes

BUYS, NEXT = "buys", "next"

CLASSES: Final[Mapping[str, tuple[str, ...]]] = {
    BUYS: ("no order", "order"),
    NEXT: ("the last category", "the one before", "the first", "the favourite", "another"),
}
"""Classes of each task; those of `next` but the last are the `CATEGORIES` of a look."""

TASKS: Final = tuple(CLASSES)


def outcome_of(task: str, x: Outcome) -> int:
    """Return the class of an outcome.

    Examples
    --------
    >>> outcome_of("next", Outcome(0, 1, [], ["tea", "cups", "tea", "jam"], "jam"))
    3
    """
    if task == BUYS:
        return int(x.bought)
    return x.categories.index(x.next) if x.next in x.categories else len(CATEGORIES)


def by_name(
    task: str, x: Outcome, chances: Sequence[float], counts: Mapping[str, int]
) -> list[tuple[str, float]]:
    """Return what may come, by name, the likeliest first.

    Parameters
    ----------
    task : str
        One of `TASKS`.
    x : Outcome
        The look at the session.
    chances : sequence of float
        Of each class.
    counts : mapping of str to int
        How often categories were met: another one comes as often as it is met. What is left has the name "".

    Examples
    --------
    >>> x = Outcome(0, 1, [], ["tea", "", "tea", "jam"])
    >>> by_name("next", x, [0.6, 0.1, 0.0, 0.2, 0.1], {"tea": 5, "pots": 3, "cups": 1})
    [('tea', 0.6), ('jam', 0.2), ('pots', 0.15), ('cups', 0.05)]
    """
    found: dict[str, float] = {}
    if task == BUYS:
        found = dict(zip(CLASSES[BUYS], chances, strict=True))
    else:
        another = chances[-1]
        for name, chance in zip(x.categories, chances[:-1], strict=True):
            # A part that nothing plays, or the category of an earlier part, too, can't be what comes.
            if name and name not in found:
                found[name] = chance
            else:
                another += chance
        others = {name: n for name, n in counts.items() if name not in found}
        total = sum(others.values())
        found |= {name: another * n / total for name, n in others.items() if n}
        if not total:
            found[""] = another
    return sorted(
        ((name, round(chance, 6)) for name, chance in found.items()), key=lambda each: (-each[1], each[0])
    )


def path_in_words(nodes: TreeNodes, path: Sequence[int]) -> list[str]:
    """Say what the nodes of a path ask and how it is answered; of two answers only the one that says more.

    Examples
    --------
    >>> features, places = bytearray([1, 255, 0]), bytearray(3)
    >>> path_in_words(TreeNodes(0, [], features, places, bytearray()), [0, 2, 5])
    ['1 or more things put into the cart', 'no views']
    """
    features, found = np.frombuffer(nodes.features, np.int8), dict[tuple[int, bool], str]()
    for node, after in pairwise(path):
        feature, right = int(features[node]), after == 2 * node + 2
        place = nodes.places[node]
        # Later thresholds of a number lie inside earlier ones; categories that it is not are all told.
        key = (feature if feature < len(NUMBERS) or right else FEATURES + BINS * feature + place, right)
        found.pop(key, None)
        found[key] = in_words(feature, place, nodes.categories, right=right)
    return list(found.values())
