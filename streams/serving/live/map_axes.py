"""What a direction of the map of segments means, in words. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from math import sqrt
from typing import Final

from online_models.features import FEATURES, buckets

MOST_NAMED: Final = 3
"""Numbers that are named of each direction."""

LEAST: Final = 0.05
"""A number that weighs less says nothing."""

_WORDS: Final = {
    "frequency": "events",
    "sessions": "sessions",
    "recency_gap": "time between sessions",
    "monetary": "spending",
    "session_length": "items in a session",
    "price_level": "expensive items",
    "rating_mean": "praise",
    "cart_share": "carts",
    "purchase_share": "purchases",
}
_WITHOUT_ORDER: Final = {
    "age_band": "another age band",
    "gender": "another gender",
    "location": "another location",
    "income_band": "another income band",
}
_FIRST_SHARE: Final = FEATURES.index("category_00")


def axis_in_words(axis: Sequence[float], categories: Iterable[str]) -> str:
    """Return which numbers of customers grow most along a direction, and which shrink.

    Categories share numbers, so only those that are known can be named.

    Parameters
    ----------
    axis : sequence of float
        The weight of each of `FEATURES`, of length 1.
    categories : iterable of str
        Categories that customers of the segments like.

    Examples
    --------
    >>> axis = [0.0] * len(FEATURES)
    >>> axis[FEATURES.index("monetary")], axis[FEATURES.index("cart_share")] = 0.8, -0.6
    >>> axis_in_words(axis, ["tea"])
    'more spending, less carts'
    """
    weights = sorted(_weights(axis, categories), key=lambda each: (-abs(each[1]), each[0]))
    named = ((name, weight) for name, weight in weights if abs(weight) >= LEAST)
    return ", ".join(_told(name, weight) for name, weight in islice(named, MOST_NAMED))


def _told(name: str, weight: float) -> str:
    # How customers tell of themselves is hashed: there is no more and no less of it.
    return _WITHOUT_ORDER.get(name) or f"{'more' if weight > 0 else 'less'} {_WORDS.get(name, name)}"


def _weights(axis: Sequence[float], categories: Iterable[str]) -> Iterator[tuple[str, float]]:
    for name, weight in zip(FEATURES, axis, strict=True):
        if name in _WORDS or name in _WITHOUT_ORDER:
            yield name, weight
    for category in sorted(set(categories)):
        first, second = buckets(category)
        yield category, (axis[_FIRST_SHARE + first] + axis[_FIRST_SHARE + second]) / sqrt(2)
