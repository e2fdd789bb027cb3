"""What those who browse an item go on to buy: rules from browses to purchases, learned one event at a time.

Counts, measures and scores are here; whom a list is for, and what may be in it, is in `rule_recommender`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import sqrt
from types import MappingProxyType
from typing import Final

from online_models.counted_rows import CountedRow, CountedRows
from online_models.decay import Decay
from online_models.evaluation.contract import Query
from online_models.landmarks import plausible
from online_models.rule_measures import Table, lift, log_likelihood_ratio, measures
from online_models.rule_ranking import newest_last, ranked, shown
from online_models.visits import Visits
from schemas.messages import Event
from schemas.recommendations import Reason

BROWSES: Final = frozenset({"view", "cart"})
"""Events that rules lead from."""

SOURCE: Final = "cross-rules"
SCOPE: Final = "browse-purchase"

MIN_COUNT: Final = 2
"""So many visits with one item browsed and another bought make a rule, as with `rules.min_count`."""

LAST: Final = 20
"""So many of the items browsed last are asked."""

PRIOR: Final = 20.0
"""Imaginary visits to an item, after which as many buy it as do of those who browse any item."""

_RESOLUTION: Final = 0.999
_ITSELF: Final = "itself"

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

    A visit counts an item once as browsed and once as bought; a purchase counts with each item that was
    browsed before it in its visit, with the item itself, too. An item scores the sum, over the items browsed
    last, of the measure of the rule, divided by the square of how many steps ago that one was browsed.

    Parameters
    ----------
    measure : str
        What rules are weighed by: the square root of the log-likelihood ratio (`llr`), `confidence` or
        `lift`.
    half_life_s : int
        Time after which a count is worth half; 0: never.
    window_s : int
        A visit is all that a customer does without a longer gap, and a browse belongs to purchases up to so
        long after it; 0: a visit is a session.
    rows, bought : CountedRows of str, optional
        Counts of items browsed, with what was bought, and of items bought; their decay is to be that of
        `half_life_s`.
    visits : Visits, optional
        What goes on; its window is to be that of `window_s`.

    Raises
    ------
    ValueError
        There is no such measure.

    Notes
    -----
    Counts are exact integers while decay is off and no bound is reached: 100,000 items browsed, each with 100
    to 199 items bought, 100,000 items bought, and 100,000 visits of 100 items browsed and bought. A rule
    between two items needs `MIN_COUNT` visits, and speaks only if both come together more often than by
    chance.

    That an item is bought by those who browse it is a rule like others, and told as `same_item`. Most
    purchases are of this kind, and most items are bought too rarely to tell: `PRIOR` imaginary visits, after
    which an item is bought as often as any item by those who browse it, stand beside those of each item
    browsed. They weigh in scores; reasons tell what was counted.

    References
    ----------
    Dunning: Accurate Methods for the Statistics of Surprise and Coincidence, Computational Linguistics 1993.
    Schelter, Celebi, Dunning: Efficient Incremental Cooccurrence Analysis for Item-Based Collaborative
    Filtering, SSDBM 2019.

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
        rows: CountedRows[str] | None = None,
        bought: CountedRows[str] | None = None,
        visits: Visits | None = None,
    ) -> None:
        if measure not in _MEASURES:
            raise ValueError(f"there is no measure {measure!r}; expected one of {', '.join(_MEASURES)}")
        self._measure, self._decay = _MEASURES[measure], Decay(half_life_s)
        self._rows = CountedRows[str](self._decay) if rows is None else rows
        self._bought = CountedRows[str](self._decay) if bought is None else bought
        self._visits = Visits(1_000 * window_s) if visits is None else visits
        self._all, self._any = CountedRow(0), CountedRow(0)
        self._newest_at = 0

    def learn_one(self, x: Event) -> None:
        if x.kind not in BROWSES and x.kind != "purchase":
            return
        self._newest_at = max(self._newest_at, x.at)
        learn = self._learn_purchase if x.kind == "purchase" else self._learn_browse
        for line in x.lines:
            learn(x, line.item)

    def _learn_browse(self, x: Event, item: str) -> None:
        opened, new = self._visits.browse(x.key, x.session_id, item, x.at)
        self._count_visit(x.at, opened=opened)
        if new:
            self._any.count += self._any.weight(self._decay, x.at)
            self._rows.count(item, x.at)

    def _learn_purchase(self, x: Event, item: str) -> None:
        opened, browsed = self._visits.buy(x.key, x.session_id, item, x.at)
        self._count_visit(x.at, opened=opened)
        if browsed is None:
            return
        self._bought.count(item, x.at)
        for each in browsed:
            self._rows.add(each, item, x.at)
            if each == item:
                weight = self._any.weight(self._decay, x.at)
                self._any.pairs[_ITSELF] = self._any.pairs.get(_ITSELF, 0) + weight

    def _count_visit(self, at: int, *, opened: bool) -> None:
        if opened:
            self._all.count += self._all.weight(self._decay, at)

    def rank(self, query: Query) -> Sequence[tuple[str, float]]:
        visit = self._visits.going_on(query.key, query.now)
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
            for other, table in self._tables(item):
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
            table = dict(self._tables(each, only=item)).get(item)
            if table is not None and table.pair * table.total > table.n_i * table.n_j:
                told.append((-self._measure(*table) / (steps * steps), each, self._reason(each, item)))
        return [reason for _, _, reason in sorted(told, key=lambda rule: rule[:2])[:most]]

    def table(self, item: str, other: str) -> Table:
        """Return what was counted of browsing one item and buying another, in visits of now.

        Examples
        --------
        >>> CrossRules().table("tea", "pot")
        Table(pair=0.0, n_i=0.0, n_j=0.0, total=0.0)
        """
        row = self._rows.get(item)
        pair = self._events(row, row.pairs.get(other, 0)) if row is not None else 0.0
        n_i = self._events(row, row.count) if row is not None else 0.0
        return Table(pair, n_i, self._n_bought(other), self._events(self._all, self._all.count))

    def held(self) -> dict[str, int]:
        """Return how many items browsed, rules, items bought and visits are held."""
        rows, bought = self._rows, self._bought
        return {
            "browsed": len(rows),
            "rules": rows.entries(),
            "bought": len(bought),
            "visits": len(self._visits),
        }

    def _tables(self, item: str, only: str | None = None) -> Iterator[tuple[str, Table]]:
        """Yield the rules of an item, with imaginary visits; those to one item only, if it is given."""
        row, total = self._rows.get(item), self._events(self._all, self._all.count) + PRIOR
        n_i, pairs, unit = PRIOR, dict[str, int](), 0.0
        if row is not None:
            n_i, pairs, unit = n_i + self._events(row, row.count), row.pairs, self._events(row, 1)
        least = MIN_COUNT * _RESOLUTION
        tries = self._any.count
        same = PRIOR * self._any.pairs.get(_ITSELF, 0) / tries if tries else 0.0
        for other in pairs if only is None else [only]:
            pair = pairs.get(other, 0) * unit
            if pair >= least and other != item:
                yield other, Table(*plausible(pair, n_i, self._n_bought(other), total))
        if only is None or only == item:
            n_j = self._n_bought(item) + same
            yield item, Table(*plausible(pairs.get(item, 0) * unit + same, n_i, n_j, total))

    def _reason(self, item: str, other: str) -> Reason:
        table = self.table(item, other)
        told: Reason = {
            "source": SOURCE,
            "item_id": item,
            "scope": SCOPE,
            "same_item": item == other,
        }
        if not table.pair:
            count, tries = self._any.pairs[_ITSELF], self._any.count
            told |= {"any_item": True, "count": shown(self._events(self._any, count))}
            return told | {"confidence": shown(count / tries)}
        found = measures(*plausible(*table))
        counted = {
            "count": table.pair,
            "support": found.support,
            "confidence": found.confidence,
            "lift": found.lift,
            "llr": found.llr,
        }
        return told | {name: shown(value) for name, value in counted.items()}

    def _n_bought(self, item: str) -> float:
        row = self._bought.get(item)
        return self._events(row, row.count) if row is not None else 0.0

    def _events(self, row: CountedRow, count: int) -> float:
        return self._decay.value(count, epoch=row.epoch, at=self._newest_at)
