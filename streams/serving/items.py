"""Answers about items: what is similar, which rules there are, what goes with a basket, what is popular.

Items that are not available, or that the shop's rules exclude for everybody, are in none of them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import islice
from math import prod

from online_models.filters import Filters
from online_models.protocols import Request
from schemas.answers import (
    Addition,
    BasketAnswer,
    BasketQuestion,
    BasketRule,
    ItemRule,
    ItemRules,
    PopularAnswer,
    PopularItem,
)
from schemas.messages import NeighbourRule
from schemas.recommendations import Similar, SimilarItems
from schemas.settings import RecommendSettings
from streams.serving.sending import now_ms as wall_clock_ms
from streams.serving.served_views import AnswerViews

_DECIMALS = 6


class Items:
    """Answers from the views of the recommender.

    Parameters
    ----------
    views : AnswerViews
        What was published of items.
    settings : RecommendSettings
        As for every list.
    now_ms : callable
        The wall clock, epoch ms: when it is for the shop's rules as long as no session is known.
    """

    def __init__(
        self, views: AnswerViews, settings: RecommendSettings, now_ms: Callable[[], int] = wall_clock_ms
    ) -> None:
        self._views, self._settings, self._now_ms = views, settings, now_ms

    def similar(self, item: str, k: int, exclude: frozenset[str], category: str) -> SimilarItems | None:
        """Give the items most similar to one; None if the item is not known."""
        row = self._views.neighbours(item)
        if row is None:
            return None if self._views.item(item) is None else SimilarItems(item, [])
        admit = self._admits(exclude, category)
        found = (
            Similar(each.item_id, each.similarity, each.count) for each in row.similar if admit(each.item_id)
        )
        return SimilarItems(item, list(islice(found, k)))

    def rules(self, item: str, k: int, exclude: frozenset[str]) -> list[ItemRules] | None:
        """Give the rules of an item, by scope; None if the item is not known."""
        row = self._views.neighbours(item)
        if row is None:
            return None if self._views.item(item) is None else []
        return [
            ItemRules(item, scope, [_rule(each) for each in islice(self._admitted(rules, exclude), k)])
            for scope, rules in row.rules.items()
        ]

    def basket(self, asked: BasketQuestion, k: int) -> BasketAnswer:
        """Give what goes with a basket, by all rules from its items together."""
        there = frozenset(asked.exclude).union(asked.items)
        rules: dict[str, list[BasketRule]] = defaultdict(list)
        for item in dict.fromkeys(asked.items):
            row = self._views.neighbours(item)
            for each in self._admitted(row.rules.get(asked.scope, []) if row else [], there):
                rules[each.item_id].append(
                    BasketRule(item, each.count, each.support, each.confidence, each.lift)
                )
        additions = [
            Addition(
                item,
                round(1 - prod(1 - rule.confidence for rule in found), _DECIMALS),
                sorted(found, key=lambda rule: (-rule.confidence, rule.item_id)),
            )
            for item, found in rules.items()
        ]
        best = sorted(additions, key=lambda each: (-each.score, each.item_id))
        return BasketAnswer(asked.scope, best[:k])

    def popular(self, k: int, exclude: frozenset[str], category: str) -> PopularAnswer:
        """Give what is popular overall or in a category."""
        scope = f"category:{category}" if category else "all"
        admit = self._admits(exclude, category)
        found = (PopularItem(*each) for each in self._views.popular(scope) if admit(each[0]))
        return PopularAnswer(scope, list(islice(found, k)))

    def _admitted(self, rules: list[NeighbourRule], exclude: frozenset[str]) -> Iterator[NeighbourRule]:
        admit = self._admits(exclude, "")
        return (each for each in rules if admit(each.item_id))

    def _admits(self, exclude: frozenset[str], category: str) -> Callable[[str], bool]:
        newest = self._views.newest_at()
        now = self._now_ms() if newest is None else newest
        asked = Request(history=None, now=now, exclude=exclude, category=category)
        return Filters(self._views, asked, self._settings).admit


def _rule(each: NeighbourRule) -> ItemRule:
    return ItemRule(each.item_id, each.count, each.support, each.confidence, each.lift)
