"""What an item's published neighbours say for its partners: evidence per partner, ready to be added up.

A prepared row is kept as long as the view answers with the very same row; nothing is learned here.
"""

from collections.abc import Iterable
from typing import Final

from schemas.messages import Neighbours, Rule, Similar
from schemas.recommendations import Reason
from schemas.settings import RecommendSettings

from online_models.protocols import Views

PRIOR_COUNT: Final = 5.0
"""A measure that rests on this count weighs half of what it says."""

_KEPT_ROWS: Final = 2048
"""Prepared rows kept at most, about 20 kB each with 150 partners."""


def significance(count: float) -> float:
    """Return how far a similarity or confidence can be trusted: count / (count + PRIOR_COUNT).

    References
    ----------
    Herlocker, Konstan, Borchers, Riedl: An Algorithmic Framework for Performing Collaborative Filtering,
    SIGIR 1999 (significance weighting).

    Examples
    --------
    >>> significance(0.0), significance(5.0), significance(45.0)
    (0.0, 0.5, 0.9)
    """
    return count / (count + PRIOR_COUNT)


class PreparedRow:
    """One item's partners: the evidence for each, and where it comes from."""

    __slots__ = ("evidence", "row", "rules", "similar", "weight")

    def __init__(self, row: Neighbours, weight: float, scope_weights: Iterable[tuple[str, float]]) -> None:
        self.row, self.weight = row, weight
        evidence: dict[str, float] = {}
        self.similar: dict[str, Similar] = {}
        if weight:
            self.similar = {similar.item_id: similar for similar in row.similar}
            for similar in row.similar:
                count = similar.count
                evidence[similar.item_id] = weight * similar.similarity * count / (count + PRIOR_COUNT)
        self.rules: list[tuple[str, float, dict[str, Rule]]] = []
        for scope, scope_weight in scope_weights:
            # A rule of lift below 1 speaks against its item, however large the confidence.
            rules = {rule.item_id: rule for rule in row.rules.get(scope, ()) if rule.lift >= 1}
            if rules:
                self.rules.append((scope, scope_weight, rules))
            for item, rule in rules.items():
                count = rule.count
                amount = scope_weight * rule.confidence * count / (count + PRIOR_COUNT)
                evidence[item] = evidence.get(item, 0.0) + amount
        self.evidence = evidence

    def reasons(self, item: str, strength: float) -> list[tuple[float, Reason]]:
        """All reasons that this row gives for `item`, each with its share of the evidence."""
        source, found = self.row.item, list[tuple[float, Reason]]()
        similar = self.similar.get(item)
        if similar is not None:
            share = self.weight * similar.similarity * significance(similar.count)
            reason = {"source": "similarity", "item_id": source, "similarity": similar.similarity}
            found.append((strength * share, reason))
        for scope, weight, rules in self.rules:
            rule = rules.get(item)
            if rule is not None:
                share = weight * rule.confidence * significance(rule.count)
                found.append((strength * share, _rule_reason(source, scope, rule)))
        return found


def _rule_reason(source: str, scope: str, rule: Rule) -> Reason:
    return {
        "source": "rules",
        "item_id": source,
        "scope": scope,
        "count": rule.count,
        "support": rule.support,
        "confidence": rule.confidence,
        "lift": rule.lift,
    }


class Partners:
    """Prepared rows of the items that were asked for lately.

    Parameters
    ----------
    views : Views
        Where the rows come from, asked anew for every answer.
    settings : RecommendSettings
        Weights of similarity and of the rules' scopes; a weight of 0 leaves its source out.
    """

    def __init__(self, views: Views, settings: RecommendSettings) -> None:
        self._views = views
        self._weight = settings.similarity_weight
        scopes = (("orders", settings.rules_weight), ("sessions", settings.session_rules_weight))
        self._scope_weights = tuple((scope, weight) for scope, weight in scopes if weight)
        self._prepared: dict[str, PreparedRow] = {}

    def of(self, item: str) -> PreparedRow | None:
        """Return the partners of `item` as published now, None when nothing is known of it."""
        row = self._views.neighbours(item)
        if row is None:
            return None
        prepared = self._prepared.get(item)
        if prepared is None or prepared.row is not row:
            prepared = PreparedRow(row, self._weight, self._scope_weights)
            self._prepared.pop(item, None)
            if len(self._prepared) >= _KEPT_ROWS:
                del self._prepared[next(iter(self._prepared))]
            self._prepared[item] = prepared
        return prepared
