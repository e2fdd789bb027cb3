"""What is published of an item's counts: its best neighbours for the recommender, its rules for everyone.

Measures come to be here, when a row is published or asked for, from the item's own row and what
others published: n of the partners and N. Nothing is kept and nothing is sent.
"""

from collections.abc import Callable, Iterable, Sequence
from heapq import nsmallest
from itertools import groupby, islice
from math import ldexp
from operator import itemgetter

from online_models.decay import Decay
from online_models.rule_measures import lift, measures, similarity
from schemas.messages import (
    ORDERS,
    SCOPES,
    SESSIONS,
    SIMILARITY,
    WEIGHT_ONE,
    ItemCounts,
    Neighbours,
    Rule,
    Similar,
    Totals,
)
from schemas.recommendations import AssociationRules
from schemas.settings import Settings
from schemas.state import RuleRow

CountsOf = Callable[[str], ItemCounts | None]
"""n of an item as its partition published it, None while it is not known."""

RULE_SCOPES = (ORDERS, SESSIONS)
_NONE = (0, 0, 0)
_FARTHEST = 200
"""Half-lives that separate counts at most: farther apart, one of them is worth nothing anyway."""

_RESOLUTION = 0.999
"""Decay resolves time in steps worth 0.07 %: so much of `min_count` may be missing."""


def counts(item: str, row: RuleRow) -> ItemCounts:
    """Return what other items' rows need to know of this one."""
    similar, orders, sessions = row.counts
    return ItemCounts(item, row.epoch, (similar, orders, sessions))


def neighbours(
    item: str, row: RuleRow, counts_of: CountsOf, totals: Sequence[Totals], settings: Settings
) -> Neighbours:
    """Return the best partners of an item for the recommender, best first in each list.

    Parameters
    ----------
    item, row : str, RuleRow
        The item and its counts.
    counts_of : callable
        n of a partner; one that is not known yet (None) is left out.
    totals : sequence of Totals
        N of every partition of `events`; without any there are no rules.
    settings : Settings
        How much is published, and the half-life.
    """
    return ItemPublisher(item, row, counts_of, totals, settings).neighbours()


def association_rules(
    item: str,
    row: RuleRow,
    counts_of: CountsOf,
    totals: Sequence[Totals],
    settings: Settings,
    *,
    everything: bool = False,
) -> list[AssociationRules]:
    """Return one message per scope in which the item has rules, sorted by lift, then id.

    Parameters
    ----------
    item, row, counts_of, totals, settings
        As for `neighbours`.
    everything : bool
        True gives every rule, whatever its count and their number.
    """
    return ItemPublisher(item, row, counts_of, totals, settings).association_rules(everything=everything)


class ItemPublisher:
    """Computes all that is published of one item; what its messages share is computed once.

    Parameters
    ----------
    item, row, counts_of, totals, settings
        As for `neighbours`.

    Notes
    -----
    n and N reach this item by other ways than its own row and may be older. No ratio leaves its range:
    n counts as at least the pair, N as at least everything that is known to be part of it.

    Examples
    --------
    >>> from schemas.settings import RulesSettings
    >>> row = RuleRow(0, 3, [0, 3, 0], [{}, {"cup": 2, "pot": 1}, {}], at=0)
    >>> partners = {"cup": ItemCounts("cup", 0, (0, 4, 0)), "pot": ItemCounts("pot", 0, (0, 1, 0))}
    >>> settings = Settings(rules=RulesSettings(half_life_s=0, min_count=1))
    >>> publisher = ItemPublisher("tea", row, partners.get, [Totals(0, 0, (0, 6, 0), 0)], settings)
    >>> [rule.item_id for rule in publisher.neighbours().rules["orders"]]
    ['cup', 'pot']
    >>> message, = publisher.association_rules()
    >>> [(rule.item_id, rule.lift) for rule in message.rules], message.count, message.transactions
    ([('pot', 2.0), ('cup', 1.0)], 3, 6)
    """

    def __init__(
        self, item: str, row: RuleRow, counts_of: CountsOf, totals: Sequence[Totals], settings: Settings
    ) -> None:
        self._item, self._row, self._rules = item, row, settings.rules
        self._known = _Partners(counts_of, row.epoch)
        self._decays = settings.rules.half_life_s > 0
        as_of = max([row.at, *(each.newest_at for each in totals)])
        self._unit = Decay(settings.rules.half_life_s).value(1, epoch=row.epoch, at=as_of)
        self._min_count = settings.rules.min_count * (_RESOLUTION if self._decays else 1)
        self._totals = {scope: _total(totals, scope, row) for scope in RULE_SCOPES}
        self._made: dict[int, dict[str, Rule]] = {scope: {} for scope in RULE_SCOPES}

    def neighbours(self) -> Neighbours:
        rules = {SCOPES[scope]: self._most_confident(scope) for scope in RULE_SCOPES if self._totals[scope]}
        return Neighbours(
            self._item, self._most_similar(), {name: found for name, found in rules.items() if found}
        )

    def association_rules(self, *, everything: bool = False) -> list[AssociationRules]:
        messages = []
        for scope in RULE_SCOPES:
            rules = self._highest_lift(scope, everything=everything) if self._totals[scope] else []
            if rules:
                transactions, count = self._shown(self._totals[scope]), self._shown(self._row.counts[scope])
                messages.append(AssociationRules(self._item, SCOPES[scope], transactions, count, rules))
        return messages

    def _most_similar(self) -> list[Similar]:
        most, own = self._rules.published_similar, self._row.counts[SIMILARITY]
        found: list[tuple[float, str, int]] = []
        floor = 0.0
        for partner, count in _largest_first(self._row.pairs[SIMILARITY]):
            # n of a partner is at least the pair count, which bounds what any later pair can reach.
            if len(found) >= most and count < floor * own:
                break
            known = self._known[partner]
            if known is None:
                continue
            cosine = similarity(count, max(own, count), max(known[SIMILARITY], count))
            found.append((-cosine, partner, count))
            if len(found) >= 2 * most:
                found = nsmallest(most, found)
                floor = found[-1][0] ** 2 * (1 - 1e-9)
        return [
            Similar(partner, -negative, self._shown(count / WEIGHT_ONE))
            for negative, partner, count in nsmallest(most, found)
        ]

    def _most_confident(self, scope: int) -> list[Rule]:
        own, unit, least = self._row.counts[scope], self._unit, self._min_count
        frequent = {each: count for each, count in self._row.pairs[scope].items() if count * unit >= least}
        known = (
            partner
            for _, tied in groupby(_largest_first(frequent), key=lambda pair: min(pair[1], own))
            for partner, _ in sorted(tied)
            if self._known[partner] is not None
        )
        return [self._rule(scope, partner) for partner in islice(known, self._rules.published_rules)]

    def _highest_lift(self, scope: int, *, everything: bool) -> list[Rule]:
        least = 0 if everything else self._min_count
        unit, known, own, total = self._unit, self._known, self._row.counts[scope], self._totals[scope]
        found: list[tuple[float, str]] = []
        for partner, count in self._row.pairs[scope].items():
            if count * unit >= least and (partner_counts := known[partner]) is not None:
                n_j = partner_counts[scope]
                found.append((-lift(*_sound(count, own, n_j, total)), partner))
        most = len(found) if everything else self._rules.published_rules
        return [self._rule(scope, partner) for _, partner in nsmallest(most, found)]

    def _rule(self, scope: int, partner: str) -> Rule:
        """Make a rule, or hand out the one that another message of the item made."""
        made = self._made[scope]
        if partner not in made:
            pair, n_j = self._row.pairs[scope][partner], (self._known[partner] or _NONE)[scope]
            found = measures(*_sound(pair, self._row.counts[scope], n_j, self._totals[scope]))
            made[partner] = Rule(
                item_id=partner,
                count=self._shown(pair),
                support=found.support,
                confidence=found.confidence,
                lift=found.lift,
                leverage=found.leverage,
                conviction=found.conviction,
                llr=found.llr * self._unit,  # the one measure that grows with the counts
            )
        return made[partner]

    def _shown(self, count: float) -> float:
        return round(count * self._unit, 6) if self._decays else count


class _Partners(dict[str, tuple[float, float, float] | None]):
    """n of partners under one landmark, each looked up once; None where it is not known."""

    def __init__(self, counts_of: CountsOf, epoch: int) -> None:
        super().__init__()
        self._counts_of, self._epoch = counts_of, epoch

    def __missing__(self, partner: str) -> tuple[float, float, float] | None:
        found = self._counts_of(partner)
        known = self[partner] = None if found is None else _under(found, self._epoch)
        return known


def _under(found: ItemCounts, epoch: int) -> tuple[float, float, float]:
    if found.epoch == epoch:
        return found.counts
    similar, orders, sessions = (_moved(count, found.epoch, epoch) for count in found.counts)
    return similar, orders, sessions


def _moved(count: float, from_epoch: int, to_epoch: int) -> float:
    """Express a count against another landmark, exactly."""
    if from_epoch == to_epoch:
        return count
    return ldexp(count, max(-_FARTHEST, min(_FARTHEST, from_epoch - to_epoch)))


def _total(totals: Iterable[Totals], scope: int, row: RuleRow) -> float:
    """N under the row's landmark, at least the row's own n; 0 while nothing is known of it."""
    found = sum(_moved(each.totals[scope], each.epoch, row.epoch) for each in totals)
    return max(found, row.counts[scope]) if found else 0


def _sound(pair: int, n_i: float, n_j: float, total: float) -> tuple[float, float, float, float]:
    """Counts of a rule in which no part is larger than its whole."""
    n_i = n_i if n_i > pair else pair
    n_j = n_j if n_j > pair else pair
    union = n_i + n_j - pair
    return pair, n_i, n_j, (total if total > union else union)


def _largest_first(partners: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(partners.items(), key=itemgetter(1), reverse=True)
