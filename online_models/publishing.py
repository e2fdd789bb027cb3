"""What is published of an item's counts: its best neighbours for the recommender, its rules for everyone.

Measures come to be here, when a row is published or asked for, from the item's own row and what
others published: n of the partners and N. Nothing is kept and nothing is sent.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from online_models.decay import Decay
from online_models.landmarks import CountsOf, Known, PartnerCounts, plausible, total_of
from online_models.pair_table import Entries, entries, largest
from online_models.rule_measures import lift, measures, similarity
from schemas.messages import (
    ORDERS,
    SCOPES,
    SESSIONS,
    SIMILARITY,
    WEIGHT_ONE,
    ItemCounts,
    Neighbour,
    NeighbourRule,
    Neighbours,
    Rule,
    Totals,
)
from schemas.recommendations import AssociationRules
from schemas.settings import Settings
from schemas.state import RuleRow

RULE_SCOPES = (ORDERS, SESSIONS)

_RESOLUTION = 0.999
"""Decay resolves time in steps worth 0.07 %: so much of `min_count` may be missing."""

_ROUNDING = 1 - 1e-9
"""Bounds are loosened by it, so that rounding never excludes what belongs into a list."""

Candidate = tuple[str, int, float]
"""A partner, the pair count and the partner's n."""

Floats = NDArray[np.float64]


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
        n of partners, named by key; one that is not known yet (None) is left out.
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
    >>> from online_models.landmarks import counts_by_key
    >>> from online_models.pair_shape import counted
    >>> from schemas.settings import RulesSettings
    >>> row = RuleRow(0, 3, [0, 3, 0], counted([{}, {"cup": 2, "pot": 1}, {}]), at=0)
    >>> partners = counts_by_key([ItemCounts("cup", 0, (0, 4, 0)), ItemCounts("pot", 0, (0, 1, 0))])
    >>> settings = Settings(rules=RulesSettings(half_life_s=0, min_count=1))
    >>> totals = [Totals(0, 0, (0, 6, 0), 0)]
    >>> publisher = ItemPublisher("tea", row, partners, totals, settings)
    >>> [rule.item_id for rule in publisher.neighbours().rules["orders"]]
    ['cup', 'pot']
    >>> message, = publisher.association_rules()
    >>> [(rule.item_id, rule.lift) for rule in message.rules], message.count, message.transactions
    ([('pot', 2.0), ('cup', 1.0)], 3, 6)
    """

    def __init__(
        self, item: str, row: RuleRow, counts_of: CountsOf, totals: Sequence[Totals], settings: Settings
    ) -> None:
        self._item, self._rules = item, settings.rules
        self._pairs = [entries(row.pairs, scope) for scope in range(len(SCOPES))]
        self._partners = PartnerCounts(counts_of, row.epoch)
        self._decays = settings.rules.half_life_s > 0
        as_of = max([row.at, *(each.newest_at for each in totals)])
        # What a count of the row is worth in events of the time `as_of`.
        self._unit = (
            Decay(settings.rules.half_life_s).value(1, epoch=row.epoch, at=as_of) if self._decays else 1
        )
        self._own = [max(own, largest(pairs)) for own, pairs in zip(row.counts, self._pairs, strict=True)]
        self._totals = [total_of(totals, scope, row.epoch) for scope in range(len(SCOPES))]
        self._frequent: dict[int, Known] = {}

    def neighbours(self, *, similar: int | None = None, rules: int | None = None) -> Neighbours:
        """Return the best partners: at most so many similar ones, and so many rules of a scope."""
        most = self._rules.published_rules if rules is None else rules
        found = {SCOPES[scope]: self._most_confident(scope, most) for scope in RULE_SCOPES}
        best = self._most_similar(self._rules.published_similar if similar is None else similar)
        return Neighbours(self._item, best, {scope: each for scope, each in found.items() if each})

    def association_rules(self, *, everything: bool = False) -> list[AssociationRules]:
        messages = []
        for scope in RULE_SCOPES:
            rules = self._every_rule(scope) if everything else self._highest_lift(scope)
            if rules:
                own, total = self._own[scope], self._totals[scope]
                transactions, count = self._shown(max(own, total)), self._shown(own)
                messages.append(AssociationRules(self._item, SCOPES[scope], transactions, count, rules))
        return messages

    def no_rules(self, scope: str) -> AssociationRules:
        """Return the message that takes back all rules of a scope."""
        place = SCOPES.index(scope)
        own, total = self._own[place], self._totals[place]
        return AssociationRules(self._item, scope, self._shown(max(own, total)), self._shown(own), [])

    def _most_similar(self, most: int) -> list[Neighbour]:
        own, found = self._own[SIMILARITY], self._partners.known(self._pairs[SIMILARITY], SIMILARITY)
        # Similarity goes by this ratio, which is quicker to compute for all.
        pairs, ns = _arrays(found)
        best = _best(found, pairs / np.sqrt(np.maximum(pairs, ns)), most)
        ranked = sorted((-similarity(n_ij, own, max(n_j, n_ij)), j, n_ij) for j, n_ij, n_j in best)
        return [
            Neighbour(j, -negative, self._shown(n_ij / WEIGHT_ONE)) for negative, j, n_ij in ranked[:most]
        ]

    def _most_confident(self, scope: int, most: int) -> list[NeighbourRule]:
        found = self._candidates(scope)
        best = _best(found, np.array(found.pairs, dtype=np.float64), most)
        best.sort(key=lambda each: (-each[1], each[0]))
        return [self._neighbour_rule(scope, *each) for each in best[:most]]

    def _highest_lift(self, scope: int) -> list[Rule]:
        most, found = self._rules.published_rules, self._candidates(scope)
        if found.ns and self._own[scope] + max(found.ns) <= self._totals[scope]:
            # Without a doubtful N lift goes by this ratio, which is quicker to compute for all.
            pairs, ns = _arrays(found)
            best = _best(found, pairs / np.maximum(pairs, ns), most)
        else:
            best = list(zip(*found, strict=True))
        ranked = sorted((-lift(*self._numbers(scope, n_ij, n_j)), j, n_ij, n_j) for j, n_ij, n_j in best)
        return [self._rule(scope, (j, n_ij, n_j)) for _, j, n_ij, n_j in ranked[:most]]

    def _every_rule(self, scope: int) -> list[Rule]:
        if not self._totals[scope]:
            return []
        known = self._partners.known(self._pairs[scope], scope)
        rules = [self._rule(scope, each) for each in zip(*known, strict=True)]
        rules.sort(key=lambda rule: (-rule.lift, rule.item_id))
        return rules

    def _candidates(self, scope: int) -> Known:
        """Known partners that occur often enough with the item; none while nothing is known of N."""
        found = self._frequent.get(scope)
        if found is None:
            least = self._rules.min_count * (_RESOLUTION if self._decays else 1) / (self._unit or 1e-300)
            keys, counts = self._pairs[scope]
            often = (counts >= least) & bool(self._totals[scope])
            found = self._partners.known(Entries(keys[often], counts[often]), scope)
            self._frequent[scope] = found
        return found

    def _neighbour_rule(self, scope: int, partner: str, pair: int, n_j: float) -> NeighbourRule:
        n_ij, n_i, n_j, total = self._numbers(scope, pair, n_j)
        return NeighbourRule(
            partner, self._shown(pair), n_ij / total, n_ij / n_i, lift(n_ij, n_i, n_j, total)
        )

    def _rule(self, scope: int, candidate: Candidate) -> Rule:
        partner, pair, n_j = candidate
        found = measures(*self._numbers(scope, pair, n_j))
        return Rule(
            partner,
            self._shown(pair),
            found.support,
            found.confidence,
            found.lift,
            found.leverage,
            found.conviction,
            found.llr,
        )

    def _numbers(self, scope: int, pair: int, n_j: float) -> tuple[float, float, float, float]:
        """Counts of a rule in events, none larger than what it is a part of."""
        unit = self._unit
        return plausible(pair * unit, self._own[scope] * unit, n_j * unit, self._totals[scope] * unit)

    def _shown(self, count: float) -> float:
        return round(count * self._unit, 6) if self._decays else count


def _arrays(known: Known) -> tuple[Floats, Floats]:
    """Counts of the pairs and of the partners; as floats, which is near enough for a choice of the best."""
    return np.array(known.pairs, dtype=np.float64), np.array(known.ns, dtype=np.float64)


def _best(candidates: Known, scores: Floats, most: int) -> list[Candidate]:
    """Candidates with the `most` highest scores, in no order; more where scores are about equal."""
    if len(candidates.partners) <= most:
        return list(zip(*candidates, strict=True))
    least = np.partition(scores, -most)[-most] * _ROUNDING
    partners, pairs, ns = candidates
    return [(partners[place], pairs[place], ns[place]) for place in np.flatnonzero(scores >= least).tolist()]
