"""What goes with two items together, within sessions: rules {a, b} -> c that back off to a -> c.

Counts, measures and scores are here; whom a list is for, and what may be in it, is in `rule_recommender`.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final, NamedTuple

from online_models.counted_rows import CountedRow, CountedRows
from online_models.decay import Decay
from online_models.evaluation.contract import Query
from online_models.landmarks import plausible
from online_models.open_sessions import ACTIONS, OpenSessions
from online_models.rule_measures import Table, lift
from online_models.rule_ranking import newest_last, ranked, shown
from schemas.messages import Event
from schemas.recommendations import Reason

SOURCE: Final = "pair-rules"
SCOPE: Final = "sessions"

WITHIN: Final = 5
"""An item goes with so many distinct ones before it, and so many beside the last one are asked."""

FREQUENT: Final = 2
"""So often two items have to be together before what goes with both is counted."""

BACK_OFF: Final = 20.0
"""Imaginary times that two items were together, which went on as the newer one of them goes on alone."""

_RESOLUTION: Final = 0.999

Pair = tuple[str, str]


class Voice(NamedTuple):
    """What an antecedent says: counts of what goes with it, each of which scores `factor` times itself."""

    antecedent: tuple[str, ...]
    counts: Mapping[str, int]
    factor: float


def pair_of(one: str, other: str) -> Pair:
    """Return two items in the order of their ids."""
    return (one, other) if one < other else (other, one)


class PairRules:
    """Ranks what goes with the last item of a session and one of those before it, or with one of them alone.

    An item that comes goes with each of the `WITHIN` distinct items before it, and each of them with it; the
    same holds for any two of these items and the third. The score of an item is its share of all that went
    with the last item and with the one that is s steps before that, averaged over s with weights 1 / s, in
    which `BACK_OFF` times the share of all that went with the last item alone is mixed; to which the shares
    that went with each single item before are added, divided by its place from the end.

    Parameters
    ----------
    half_life_s : int
        Time after which a count is worth half; 0: never.
    frequent : int
        So often two items have to be together before what goes with both is counted; 0: it never is, and
        only single items speak.
    singles : CountedRows of str, optional
        What goes with one item; its decay is to be that of `half_life_s`.
    pairs : CountedRows of (str, str), optional
        What goes with two items, the smaller id first; as `singles`.
    sessions : OpenSessions, optional
        What sessions have held.

    Notes
    -----
    Two items have a row only once they were together `frequent` times, as Apriori extends only what is
    frequent: most pairs never are. What such a row lacks is what came before that, in its own count as well
    as in those of third items: no count is ever too high, and shares are exact for all that came since. By
    default 100,000 rows of one item hold the 100 to 199 heaviest entries each, 200,000 rows of two 20 to 39;
    rows that counted nothing for longest are forgotten and begin anew.

    References
    ----------
    Agrawal, Srikant: Fast Algorithms for Mining Association Rules, VLDB 1994.
    Manku, Motwani: Approximate Frequency Counts over Data Streams, VLDB 2002.
    Katz: Estimation of Probabilities from Sparse Data for the Language Model Component of a Speech
    Recognizer, IEEE ASSP 1987 (back-off).

    Examples
    --------
    >>> rules = PairRules(half_life_s=0)
    >>> for n, items in enumerate(["tea cup pot", "tea mat mop", "cup mat rug"] * 3):
    ...     for item in items.split():
    ...         rules.learn_view(f"s:{n}", item, n)
    >>> [item for item, _ in rules.rank(Query(key="s:x", now=9, k=1, session=["cup", "tea"]))]
    ['pot']
    >>> found = rules.reasons("pot", ["cup", "tea"], most=3)[-1]
    >>> found["item_ids"], found["count"], found["confidence"], found["lift"]
    (['tea', 'cup'], 2.0, 1.0, 9.0)
    """

    def __init__(
        self,
        *,
        half_life_s: int = 90 * 86_400,
        frequent: int = FREQUENT,
        singles: CountedRows[str] | None = None,
        pairs: CountedRows[Pair] | None = None,
        sessions: OpenSessions | None = None,
    ) -> None:
        self._decay, self._frequent = Decay(half_life_s), frequent
        self._singles = CountedRows[str](self._decay) if singles is None else singles
        if pairs is None:
            pairs = CountedRows[Pair](self._decay, rows=200_000, entries=20)
        self._pairs = pairs
        self._sessions = OpenSessions(length=4 * WITHIN) if sessions is None else sessions
        self._all, self._newest_at = CountedRow(0), 0

    def learn_one(self, x: Event) -> None:
        if x.kind in ACTIONS:
            for line in x.lines:
                self.learn_view(x.key, line.item, x.at, x.session_id)

    def learn_view(self, key: str, item: str, at: int, session_id: str | None = None) -> None:
        """Learn an item without an event around it, at a time in epoch ms."""
        self._newest_at = max(self._newest_at, at)
        before = newest_last(self._sessions.grow(key, session_id, item, at).session)[-WITHIN:]
        for each in before:
            self._together(each, item, at)
            self._together(item, each, at)
        for one, other in combinations(before, 2) if self._frequent else ():
            self._follows(one, other, item, at)
            if item not in (one, other):
                self._follows(one, item, other, at)
                self._follows(other, item, one, at)
            else:
                self._follows(one, other, item, at)

    def _together(self, one: str, other: str, at: int) -> None:
        self._singles.count(one, at)
        self._singles.add(one, other, at)
        self._all.count += self._all.weight(self._decay, at)

    def _follows(self, one: str, other: str, item: str, at: int) -> None:
        pair = pair_of(one, other)
        least = self._frequent * _RESOLUTION
        if self._pairs.get(pair) is not None or self._singles.times(*pair, at) >= least:
            self._pairs.count(pair, at)
            self._pairs.add(pair, item, at)

    def rank(self, query: Query) -> Sequence[tuple[str, float]]:
        return ranked(self.scores(newest_last(query.session)), query)

    def scores(self, browsed: Sequence[str]) -> dict[str, float]:
        """Score what goes with these items.

        Parameters
        ----------
        browsed : sequence of str
            Distinct items, the newest one last.
        """
        found: dict[str, float] = {}
        for _, counts, factor in self._voices(browsed):
            for item, count in counts.items():
                found[item] = found.get(item, 0.0) + factor * count
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
        """
        told = [
            (-voice.factor * voice.counts[item], voice.antecedent)
            for voice in self._voices(browsed)
            if item in voice.counts
        ]
        return [self._reason(antecedent, item) for _, antecedent in sorted(told)[:most]]

    def _voices(self, browsed: Sequence[str]) -> Iterator[Voice]:
        last, *others = [*reversed(browsed)][: WITHIN + 1] or [""]
        weights = sum(1 / steps for steps in range(1, len(others) + 1))
        left = 0.0 if others else 1.0
        for steps, other in enumerate(others, start=1):
            row, weight = self._pairs.get(pair_of(last, other)), 1 / steps / weights
            times = self._events(row, row.count) if row is not None else 0.0
            left += weight * BACK_OFF / (times + BACK_OFF)
            if row is not None:
                yield Voice((last, other), row.pairs, weight * self._events(row, 1) / (times + BACK_OFF))
        for place, each in enumerate((last, *others), start=1):
            single = self._singles.get(each)
            if single is not None and single.count:
                yield Voice((each,), single.pairs, (left if place == 1 else 1 / place) / single.count)

    def table(self, antecedent: Sequence[str], item: str) -> Table:
        """Return how often an item went with one item or two, these with anything, it with anything, and all.

        Each time is worth what one of now is.

        Examples
        --------
        >>> PairRules().table(["tea", "cup"], "pot")
        Table(pair=0.0, n_i=0.0, n_j=0.0, total=0.0)
        """
        one, *other = antecedent
        row = self._pairs.get(pair_of(one, other[0])) if other else self._singles.get(one)
        mine = self._singles.get(item)
        pair = self._events(row, row.pairs.get(item, 0)) if row is not None else 0.0
        n_i = self._events(row, row.count) if row is not None else 0.0
        n_j = self._events(mine, mine.count) if mine is not None else 0.0
        return Table(pair, n_i, n_j, self._events(self._all, self._all.count))

    def held(self) -> dict[str, int]:
        """Return how many rows of one item and of two are held, with what they count, and open sessions."""
        singles, pairs = self._singles, self._pairs
        return {
            "singles": len(singles),
            "single_rules": singles.entries(),
            "pairs": len(pairs),
            "pair_rules": pairs.entries(),
            "sessions": len(self._sessions),
        }

    def _reason(self, antecedent: tuple[str, ...], item: str) -> Reason:
        table = Table(*plausible(*self.table(antecedent, item)))
        counted = {
            "count": table.pair,
            "support": table.pair / table.total,
            "confidence": table.pair / table.n_i,
            "lift": lift(*table),
        }
        reason: Reason = {"source": SOURCE, "item_ids": list(antecedent), "scope": SCOPE}
        return reason | {name: shown(value) for name, value in counted.items()}

    def _events(self, row: CountedRow, count: int) -> float:
        return self._decay.value(count, epoch=row.epoch, at=self._newest_at)
