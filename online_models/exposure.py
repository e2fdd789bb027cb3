"""What many lists do to a catalogue together: coverage, concentration, popularity lift and novelty."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from math import log2

import numpy as np


def catalogue_coverage(lists: Iterable[Sequence[str]], catalogue: Collection[str], k: int) -> float:
    """Return the share of the catalogue's items that are among the first k of any list.

    References
    ----------
    Ge, Delgado-Battenfeld, Jannach: Beyond Accuracy: Evaluating Recommender Systems by Coverage and
    Serendipity, RecSys 2010.

    Examples
    --------
    >>> catalogue_coverage([["a", "b"], ["a", "c"]], {"a", "b", "c", "d"}, k=2)
    0.75
    """
    known = frozenset(catalogue)
    if not known:
        raise ValueError("the catalogue is empty; expected at least one item")
    return len(known & _exposures(lists, k).keys()) / len(known)


def exposure_gini(lists: Iterable[Sequence[str]], catalogue: Collection[str], k: int) -> float:
    """Return the Gini coefficient of how often each item of the catalogue is among the first k.

    0: every item is shown equally often; near 1: one item has all places. 0 when nothing is shown.

    References
    ----------
    Fleder, Hosanagar: Blockbuster Culture's Next Rise or Fall, Management Science 55(5), 2009.

    Examples
    --------
    >>> exposure_gini([["a"], ["b"]], {"a", "b"}, k=1), exposure_gini([["a"], ["a"]], {"a", "b"}, k=1)
    (0.0, 0.5)
    """
    shown = _exposures(lists, k)
    counts = np.sort(np.array([shown[item] for item in frozenset(catalogue)], dtype=np.float64))
    total = float(counts.sum())
    if not total:
        return 0.0
    size = len(counts)
    ranks = np.arange(1, size + 1)
    return float((2 * ranks - size - 1) @ counts) / (size * total)


def popularity_lift(lists: Iterable[Sequence[str]], popularity: Mapping[str, float], k: int) -> float:
    """Return the mean popularity of a recommended item relative to that of an interaction, minus 1.

    0: lists are as popular as what customers do by themselves; 1: twice as popular; below 0: less popular.

    Parameters
    ----------
    lists : iterable of sequence of str
        The lists, best first.
    popularity : mapping of str to float
        Number of interactions with each item; an item that isn't there has none.
    k : int
        Places of a list that count.

    References
    ----------
    Abdollahpouri, Mansoury, Burke, Mobasher: The Unfairness of Popularity Bias in Recommendation, RMSE
    workshop at RecSys 2019.

    Examples
    --------
    >>> popularity_lift([["a"], ["a"]], {"a": 3, "b": 1}, k=1) == 3 / ((3 * 3 + 1 * 1) / 4) - 1
    True
    """
    shown = _exposures(lists, k)
    places, interactions = _totals(shown, popularity)
    recommended = sum(n * popularity.get(item, 0.0) for item, n in shown.items()) / places
    acted = sum(count * count for count in popularity.values()) / interactions
    return recommended / acted - 1


def novelty(lists: Iterable[Sequence[str]], popularity: Mapping[str, float], k: int) -> float:
    """Return the mean self-information, in bits, of a recommended item: -log2 of its share of interactions.

    An item without interactions counts like one with a single interaction.

    References
    ----------
    Zhou et al.: Solving the Apparent Diversity-Accuracy Dilemma of Recommender Systems, PNAS 107(10), 2010.

    Examples
    --------
    >>> novelty([["a"], ["b"]], {"a": 4, "b": 2, "c": 2}, k=1)
    1.5
    """
    shown = _exposures(lists, k)
    places, interactions = _totals(shown, popularity)
    bits = (n * log2(interactions / (popularity.get(item, 0.0) or 1.0)) for item, n in shown.items())
    return sum(bits) / places


def _exposures(lists: Iterable[Sequence[str]], k: int) -> Counter[str]:
    if k < 1:
        raise ValueError(f"k is {k}; expected at least 1")
    return Counter(item for ranked in lists for item in ranked[:k])


def _totals(shown: Counter[str], popularity: Mapping[str, float]) -> tuple[int, float]:
    places, interactions = shown.total(), sum(popularity.values())
    if not places or not interactions:
        raise ValueError(
            f"{places} items were shown and there are {interactions} interactions; expected some of each"
        )
    return places, interactions
