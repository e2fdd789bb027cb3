"""From scores of rules to places of a list, and numbers as reasons tell them."""

from collections.abc import Iterable, Mapping
from heapq import nsmallest

from online_models.evaluation.contract import Query


def newest_last(items: Iterable[str]) -> list[str]:
    """Return distinct items in the order in which each came last.

    Examples
    --------
    >>> newest_last(["tea", "cup", "tea"])
    ['cup', 'tea']
    """
    return list(dict.fromkeys(reversed(list(items))))[::-1]


def ranked(scores: Mapping[str, float], query: Query) -> list[tuple[str, float]]:
    """Return the best `query.k` that the query does not exclude, ties by id.

    Examples
    --------
    >>> query = Query(key="s:a", now=0, k=2, exclude=frozenset({"tea"}))
    >>> ranked({"pot": 1.0, "tea": 3.0, "cup": 1.0, "jam": 0.5}, query)
    [('cup', 1.0), ('pot', 1.0)]
    """
    wanted = ((-score, item) for item, score in scores.items() if item not in query.exclude)
    return [(item, -negative) for negative, item in nsmallest(query.k, wanted)]


def shown(number: float) -> float:
    """Return a number with six significant digits.

    Examples
    --------
    >>> shown(2 / 3), shown(0.00001234567), shown(12.0)
    (0.666667, 1.23457e-05, 12.0)
    """
    return float(f"{number:.6g}")
