"""What may not be in a list, whatever its score: had, disliked, unavailable, excluded, another category.

Whoever makes an answer of items asks these filters; the shop's own rules hold wherever they are asked.
"""

from collections.abc import Iterable
from typing import Final

from online_models.business_rules import NOBODY
from online_models.protocols import Request, Views
from schemas.settings import RecommendSettings
from schemas.state import Behaviour

_DIGITS: Final = 6


class Filters:
    """The business filters of one answer.

    Parameters
    ----------
    views : Views
        Tells whether an item is available; an item without a catalogue row is. Has the shop's own rules.
    request : Request
        The customer's history, the excluded items and the category that is wanted.
    settings : RecommendSettings
        Whether what was bought or rated may come again, and what becomes of what was seen.
    segment : str, optional
        The customer's segment, for rules about it.
    behaviour : Behaviour, optional
        What the shop told of the customer is in it; that of the history by default.

    Attributes
    ----------
    rules : RulesInForce
        The shop's rules that hold for this answer.

    Examples
    --------
    >>> from online_models.memory_views import MemoryViews
    >>> from schemas.state import HistoryRow, ItemMark
    >>> history = HistoryRow({"tea": ItemMark(4, 0, had=True), "cup": ItemMark(1, 0)})
    >>> request = Request(history=history, now=0, exclude=frozenset({"pot"}))
    >>> filters = Filters(MemoryViews(), request, RecommendSettings())
    >>> [item for item in ("tea", "cup", "pot", "jam") if filters.admit(item)]
    ['cup', 'jam']
    >>> filters.looked_at("cup"), filters.looked_at("jam")
    (True, False)
    """

    def __init__(
        self,
        views: Views,
        request: Request,
        settings: RecommendSettings,
        *,
        segment: str | None = None,
        behaviour: Behaviour | None = None,
    ) -> None:
        if behaviour is None and request.history is not None:
            behaviour = request.history.behaviour
        self.rules = views.business_rules().in_force(
            request.now if request.ruled_at is None else request.ruled_at,
            attributes=NOBODY if behaviour is None else behaviour.attributes,
            segment=segment,
        )
        self._item = views.item
        self._exclude, self._category = request.exclude, request.category
        self._marks = request.history.items if request.history is not None else {}
        self._repeat, self._seen = settings.repeat_purchases, settings.seen
        self._seen_from = request.now - 1000 * settings.seen_window_s
        self._seen_factor = settings.seen_factor

    def admit(self, item: str) -> bool:
        """Whether `item` may be in the list."""
        mark = self._marks.get(item)
        if mark is not None and (mark.disliked or (mark.had and not self._repeat)):
            return False
        if item in self._exclude or (self._seen == "exclude" and self.seen(item)):
            return False
        facts = self._item(item)
        if self.rules.excludes(item, facts):
            return False
        if facts is None:
            return not self._category
        return facts.available and (not self._category or self._category in facts.categories)

    def reordered(self, best_first: Iterable[tuple[str, float]]) -> Iterable[tuple[str, float]]:
        """Return items with their scores as rules and what was seen change them, best first, ties by id.

        A changed score has six significant digits.
        """
        if not (self.rules.orders or self._seen == "demote"):
            return best_first
        scored = [(item, self._changed(item, score)) for item, score in best_first]
        return sorted(scored, key=lambda each: (-each[1], each[0]))

    def _changed(self, item: str, score: float) -> float:
        changed = self.rules.rescored(score, item, self._item(item)) if self.rules.orders else score
        if self._seen == "demote" and self.seen(item):
            changed *= self._seen_factor
        return score if changed == score else float(f"{changed:.{_DIGITS}g}")

    def seen(self, item: str) -> bool:
        """Whether the customer looked at `item` lately, and neither bought nor rated it."""
        mark = self._marks.get(item)
        return mark is not None and not mark.had and mark.at >= self._seen_from

    def looked_at(self, item: str) -> bool:
        """Whether the customer looked at `item`, or put it into the cart, and never bought or rated it."""
        mark = self._marks.get(item)
        return mark is not None and not mark.had

    def is_new(self, item: str) -> bool:
        """Whether `item` may be in the list and takes none of the places of items looked at before."""
        return item not in self._marks and self.admit(item)
