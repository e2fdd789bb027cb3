"""What the trees ask about an open session: numbers with fixed thresholds, categories, and both in words.

Numbers are cut into bins here, so that a tree needs counts alone; which categories have bins of their own is
the tree's business.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

VERSION: Final = 1
"""Grows when a number, a threshold or a category means something else."""

BINS: Final = 16
"""Most bins of a feature."""

MAX_CATEGORIES: Final = BINS - 2
"""Most categories with a bin of their own; the last two are for the others and for none."""

NEVER_DAYS: Final = 99_999.0
"""What stands for the days since something that never was."""

_COUNTS = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0)
_FEW = (1.0, 2.0, 3.0, 5.0, 8.0)
_DAYS = (0.05, 0.25, 1.0, 2.0, 3.0, 5.0, 7.0, 14.0, 30.0, 60.0, 90.0, 180.0, NEVER_DAYS)


class Number(NamedTuple):
    """A number: its thresholds, each the least of a bin, and how being at least, or below, one is said.

    `unit` is of the thresholds: "", "s", "days" or "%".
    """

    name: str
    edges: tuple[float, ...]
    at_least: str
    below: str
    unit: str = ""


NUMBERS: Final = (
    Number("views", (1.0, *_COUNTS), "{} or more views", "fewer than {} views"),
    Number("carts", _FEW, "{} or more things put into the cart", "fewer than {} things put into the cart"),
    Number("orders", _FEW[:3], "{} or more orders in this session", "fewer than {} orders in this session"),
    Number("items", _COUNTS, "{} or more different items", "fewer than {} different items"),
    Number("repeats", _FEW, "{} or more returns to an item", "fewer than {} returns to an item"),
    Number("categories", _COUNTS[:6], "{} or more categories", "fewer than {} categories"),
    Number(
        "streak", _COUNTS[:6], "{} or more in one category in a row", "fewer than {} in one category in a row"
    ),
    Number(
        "session",
        (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0, 3_600.0, 7_200.0),
        "for {} or longer",
        "for less than {}",
        "s",
    ),
    Number(
        "pause",
        (2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0),
        "a pause of {} or longer before the last action",
        "a pause of less than {} before the last action",
        "s",
    ),
    Number(
        "price",
        (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0),
        "last price {} or more",
        "last price below {}",
    ),
    Number(
        "price_level",
        (0.5, 0.7, 0.85, 0.95, 1.05, 1.2, 1.5, 2.0),
        "last price {} times the session's mean, or more",
        "last price below {} times the session's mean",
    ),
    Number("known", (1.0,), "a known customer", "a guest"),
    Number(
        "sessions",
        (1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0, 34.0, 55.0),
        "{} or more sessions before",
        "fewer than {} sessions before",
    ),
    Number(
        "buying_share",
        (0.01, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
        "bought in {} of the sessions before, or more",
        "bought in less than {} of the sessions before",
        "%",
    ),
    Number(
        "ordered",
        (1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0),
        "{} or more orders before",
        "fewer than {} orders before",
    ),
    Number("order_days", _DAYS, "last order {} ago or longer", "last order less than {} ago", "days"),
    Number("visit_days", _DAYS, "last session {} ago or longer", "last session less than {} ago", "days"),
)
"""Numbers of a look at a session, in order."""

CATEGORIES: Final = ("last", "previous", "first", "favourite")
"""Categories of a look at a session, in order: of the newest action, of another one before it, of the first
action, and the one that the customer cares for most."""

FEATURES: Final = len(NUMBERS) + len(CATEGORIES)

_OF_CATEGORIES = {
    "last": "the last category",
    "previous": "the category before",
    "first": "the first category of the session",
    "favourite": "the favourite category",
}


def is_number(feature: int) -> bool:
    """Whether a feature is a number; the others are categories."""
    return feature < len(NUMBERS)


def bins_of(numbers: Sequence[float], categories: Sequence[str], known: Sequence[str]) -> list[int]:
    """Return the bin of each feature: of numbers, then of categories.

    Parameters
    ----------
    numbers : sequence of float
        One for each of `NUMBERS`.
    categories : sequence of str
        One for each of `CATEGORIES`; "" for none.
    known : sequence of str
        Categories with a bin of their own, at most `MAX_CATEGORIES`.

    Examples
    --------
    >>> bins_of([0.0] * len(NUMBERS), ["tea", "", "cups", "tea"], ["cups", "tea"])[-4:]
    [1, 15, 0, 1]
    """
    bins = [bisect_right(number.edges, x) for number, x in zip(NUMBERS, numbers, strict=True)]
    for name in categories:
        if not name:
            bins.append(BINS - 1)
        else:
            bins.append(known.index(name) if name in known else BINS - 2)
    return bins


def in_words(feature: int, place: int, known: Sequence[str], *, right: bool) -> str:
    """Say what a node asks, and the answer.

    Parameters
    ----------
    feature : int
        Number of the feature.
    place : int
        Of a number, the last bin that goes left; of a category, the bin that goes right.
    known : sequence of str
        Categories with a bin of their own.
    right : bool
        Where it went.

    Examples
    --------
    >>> in_words(0, 2, [], right=True), in_words(15, 6, [], right=False)
    ('3 or more views', 'last order less than 7 days ago')
    >>> in_words(len(NUMBERS), 1, ["cups", "tea"], right=True)
    'the last category is tea'
    """
    if is_number(feature):
        number = NUMBERS[feature]
        return _number_in_words(number, number.edges[place], right=right)
    if place == BINS - 1:
        what = "there is none"
    elif place == BINS - 2 or place >= len(known):
        what = "a rare one"
    else:
        what = known[place]
    name = _OF_CATEGORIES[CATEGORIES[feature - len(NUMBERS)]]
    return (
        f"{name} {'is' if right else 'is not'} {what}"
        if what != "there is none"
        else (f"{name} is {'unknown' if right else 'known'}")
    )


def _number_in_words(number: Number, edge: float, *, right: bool) -> str:
    if edge == NEVER_DAYS:
        what = "an order" if number.name == "order_days" else "a session"
        return f"never had {what} before" if right else f"had {what} before"
    if edge == 1.0 and not right and not number.unit:
        return number.below.replace("fewer than {}", "no")
    return (number.at_least if right else number.below).format(_amount(edge, number.unit))


def _amount(edge: float, unit: str) -> str:
    if unit == "%":
        return f"{edge:.0%}"
    if unit == "days":
        return f"{edge:g} days" if edge > 1 else f"{edge * 24:g} hours"
    if unit == "s":
        return f"{edge:g} s" if edge < 120 else f"{edge / 60:g} min"
    return f"{edge:g}"
