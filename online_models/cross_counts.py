"""Counts of what was browsed and what was bought in visits, for rules from the one to the other."""

from collections.abc import Iterator
from typing import Final

from online_models.counted_rows import CountedRow, CountedRows
from online_models.decay import Decay
from online_models.landmarks import plausible
from online_models.rule_measures import Table
from online_models.visits import Visit, Visits
from schemas.messages import Event

BROWSES: Final = frozenset({"view", "cart"})
"""Events that rules lead from."""

MIN_COUNT: Final = 2
"""So many visits with one item browsed and another bought make a rule, as with `rules.min_count`."""

PRIOR: Final = 20.0
"""Imaginary visits to an item, after which as many buy it as do of those who browse any item."""

_RESOLUTION: Final = 0.999
_ITSELF: Final = "itself"


class CrossCounts:
    """Counts a visit once for an item browsed, once for an item bought, and once for each pair in this order.

    A purchase counts with each item that was browsed before it in its visit, with the item itself, too.

    Parameters
    ----------
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

    Notes
    -----
    Counts are exact integers while decay is off and no bound is reached: 100,000 items browsed, each with 100
    to 199 items bought, 100,000 items bought, and 100,000 visits of 100 items browsed and bought.

    References
    ----------
    Schelter, Celebi, Dunning: Efficient Incremental Cooccurrence Analysis for Item-Based Collaborative
    Filtering, SSDBM 2019.

    Examples
    --------
    >>> from schemas.messages import Line
    >>> counts = CrossCounts(half_life_s=0)
    >>> for n, (kind, item) in enumerate([("view", "tea"), ("cart", "tea"), ("purchase", "pot")]):
    ...     counts.learn_one(Event("s:a", kind, n, "browses", 0, n, n, n, lines=[Line(item, [])]))
    >>> counts.table("tea", "pot")
    Table(pair=1.0, n_i=1.0, n_j=1.0, total=1.0)
    """

    def __init__(
        self,
        *,
        half_life_s: int = 90 * 86_400,
        window_s: int = 7 * 86_400,
        rows: CountedRows[str] | None = None,
        bought: CountedRows[str] | None = None,
        visits: Visits | None = None,
    ) -> None:
        self._decay = Decay(half_life_s)
        self._rows = CountedRows[str](self._decay) if rows is None else rows
        self._bought = CountedRows[str](self._decay) if bought is None else bought
        self._visits = Visits(1_000 * window_s) if visits is None else visits
        self._all, self._any = CountedRow(0), CountedRow(0)
        self._newest_at = 0

    def learn_one(self, x: Event) -> None:
        """Count an event, if it is a browse or a purchase."""
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

    def going_on(self, key: str, now: int) -> Visit | None:
        """Return the visit of a key, if it goes on at a time in epoch ms."""
        return self._visits.going_on(key, now)

    def table(self, item: str, other: str) -> Table:
        """Return what was counted of browsing one item and buying another, in visits of now."""
        row = self._rows.get(item)
        pair = self._events(row, row.pairs.get(other, 0)) if row is not None else 0.0
        n_i = self._events(row, row.count) if row is not None else 0.0
        return Table(pair, n_i, self._n_bought(other), self._events(self._all, self._all.count))

    def of_any(self) -> tuple[float, float]:
        """Return how often what was browsed was bought, in visits of now, and in which share of all.

        Both are about all items together.
        """
        bought, tries = self._any.pairs.get(_ITSELF, 0), self._any.count
        return self._events(self._any, bought), bought / tries if tries else 0.0

    def held(self) -> dict[str, int]:
        """Return how many items browsed, rules, items bought and visits are held."""
        rows, bought = self._rows, self._bought
        return {
            "browsed": len(rows),
            "rules": rows.entries(),
            "bought": len(bought),
            "visits": len(self._visits),
        }

    def tables(self, item: str, only: str | None = None) -> Iterator[tuple[str, Table]]:
        """Yield the rules of an item, with imaginary visits; those to one item only, if it is given."""
        row, total = self._rows.get(item), self._events(self._all, self._all.count) + PRIOR
        n_i, pairs, unit = PRIOR, dict[str, int](), 0.0
        if row is not None:
            n_i, pairs, unit = n_i + self._events(row, row.count), row.pairs, self._events(row, 1)
        least, same = MIN_COUNT * _RESOLUTION, PRIOR * self.of_any()[1]
        for other in pairs if only is None else [only]:
            pair = pairs.get(other, 0) * unit
            if pair >= least and other != item:
                yield other, Table(*plausible(pair, n_i, self._n_bought(other), total))
        if only is None or only == item:
            n_j = self._n_bought(item) + same
            yield item, Table(*plausible(pairs.get(item, 0) * unit + same, n_i, n_j, total))

    def _n_bought(self, item: str) -> float:
        row = self._bought.get(item)
        return self._events(row, row.count) if row is not None else 0.0

    def _events(self, row: CountedRow, count: int) -> float:
        return self._decay.value(count, epoch=row.epoch, at=self._newest_at)
