"""What those who browse an item go on to buy: rules from browses to purchases, learned one event at a time.

Measures, scores and reasons are here; counts are in `cross_counts`, and whom a list is for, and what may be
in it, is in `rule_recommender`.
"""

from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from types import MappingProxyType
from typing import Final

from online_models.cross_counts import CrossCounts
from online_models.evaluation.contract import Query
from online_models.landmarks import plausible
from online_models.rule_measures import lift, log_likelihood_ratio, measures
from online_models.rule_ranking import newest_last, ranked, shown
from schemas.messages import Event
from schemas.recommendations import Reason

SOURCE: Final = "cross-rules"
SCOPE: Final = "browse-purchase"

LAST: Final = 20
"""So many of the items browsed last are asked."""


Measure = Callable[[float, float, float, float], float]

_MEASURES: Final[Mapping[str, Measure]] = MappingProxyType(
    {
        "llr": lambda pair, n_i, n_j, total: sqrt(log_likelihood_ratio(pair, n_i, n_j, total)),
        "confidence": lambda pair, n_i, _n_j, _total: pair / n_i,
        "lift": lift,
    }
)


class CrossRules:
    """Ranks what was bought in visits in which the items browsed last were browsed before.

    An item scores the sum, over the items browsed last, of the measure of the rule from that one to it,
    divided by the square of how many steps ago that one was browsed.

    Parameters
    ----------
    measure : str
        What rules are weighed by: the square root of the log-likelihood ratio (`llr`), `confidence` or
        `lift`.
    half_life_s, window_s : int
        Of `CrossCounts`.
    counts : CrossCounts, optional
        Where visits are counted, instead of in counts of its own; nobody else may teach it.

    Raises
    ------
    ValueError
        There is no such measure.

    Notes
    -----
    A rule between two items needs two visits, and speaks only if both come together more often than by
    chance.

    That an item is bought by those who browse it is a rule like others, and told as `same_item`. Most
    purchases are of this kind, and most items are bought too rarely to tell: 20 imaginary visits, after
    which an item is bought as often as any item by those who browse it, stand beside those of each item
    browsed. They weigh in scores; reasons tell what was counted.

    References
    ----------
    Dunning: Accurate Methods for the Statistics of Surprise and Coincidence, Computational Linguistics 1993.

    Examples
    --------
    >>> from schemas.messages import Line
    >>> def act(n, kind, item):
    ...     return Event(f"s:{n}", kind, n, "browses", 0, n, n, n, lines=[Line(item, [])])
    >>> rules = CrossRules(half_life_s=0)
    >>> pairs = ("tea", "pot"), ("tea", "pot"), ("mat", "mop"), ("jug", "jug")
    >>> for n, (browsed, bought) in enumerate(pairs):
    ...     rules.learn_one(act(n, "view", browsed))
    ...     rules.learn_one(act(n, "purchase", bought))
    >>> [item for item, _ in rules.rank(Query(key="s:9", now=9, k=5, session=["tea"]))]
    ['tea', 'pot']
    >>> found = rules.reasons("pot", ["tea"], most=1)[0]
    >>> found["item_id"], found["same_item"], found["count"], found["confidence"], found["lift"]
    ('tea', False, 2.0, 1.0, 2.0)
    """

    def __init__(
        self,
        measure: str = "llr",
        *,
        half_life_s: int = 90 * 86_400,
        window_s: int = 7 * 86_400,
        counts: CrossCounts | None = None,
    ) -> None:
        if measure not in _MEASURES:
            raise ValueError(f"there is no measure {measure!r}; expected one of {', '.join(_MEASURES)}")
        self._measure = _MEASURES[measure]
        self.counts = CrossCounts(half_life_s=half_life_s, window_s=window_s) if counts is None else counts

    def learn_one(self, x: Event) -> None:
        self.counts.learn_one(x)

    def rank(self, query: Query) -> Sequence[tuple[str, float]]:
        visit = self.counts.going_on(query.key, query.now)
        before = visit.browsed if visit is not None else ()
        return ranked(self.scores(newest_last([*before, *query.session])), query)

    def scores(self, browsed: Sequence[str]) -> dict[str, float]:
        """Score what those go on to buy who browsed these items.

        Parameters
        ----------
        browsed : sequence of str
            Distinct items, the newest one last.
        """
        found: dict[str, float] = {}
        for steps, item in enumerate(reversed(browsed[-LAST:]), start=1):
            for other, table in self.counts.tables(item):
                if table.pair * table.total > table.n_i * table.n_j:
                    found[other] = found.get(other, 0.0) + self._measure(*table) / (steps * steps)
        return found

    def reasons(self, item: str, browsed: Sequence[str], *, most: int) -> list[Reason]:
        """Return the rules that speak for an item, the strongest one first.

        Parameters
        ----------
        item : str
            One that has a score.
        browsed : sequence of str
            Distinct items, the newest one last.
        most : int
            So many rules are told, if there are.

        Returns
        -------
        list of dict
            With the counts and measures of what happened. A rule from an item to itself that rests on what
            is true of all items has `any_item`: its counts are theirs.
        """
        told: list[tuple[float, str, Reason]] = []
        for steps, each in enumerate(reversed(browsed[-LAST:]), start=1):
            table = dict(self.counts.tables(each, only=item)).get(item)
            if table is not None and table.pair * table.total > table.n_i * table.n_j:
                told.append((-self._measure(*table) / (steps * steps), each, self._reason(each, item)))
        return [reason for _, _, reason in sorted(told, key=lambda rule: rule[:2])[:most]]

    def _reason(self, item: str, other: str) -> Reason:
        table = self.counts.table(item, other)
        told: Reason = {
            "source": SOURCE,
            "item_id": item,
            "scope": SCOPE,
            "same_item": item == other,
        }
        if not table.pair:
            count, share = self.counts.of_any()
            return told | {"any_item": True, "count": shown(count), "confidence": shown(share)}
        found = measures(*plausible(*table))
        counted = {
            "count": table.pair,
            "support": found.support,
            "confidence": found.confidence,
            "lift": found.lift,
            "llr": found.llr,
        }
        return told | {name: shown(value) for name, value in counted.items()}
