"""Lists from rules alone: what a model of rules scores, after all filters, with the rules behind it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from online_models.filters import Filters
from online_models.pinning import pinned_places, with_pinned
from online_models.protocols import Answer, Request, Views
from online_models.rule_ranking import newest_last
from online_models.sessions import acts_of
from online_models.slates import Slates
from schemas.recommendations import Reason, RecommendedItem
from schemas.settings import Settings


class RuleModel(Protocol):
    """Scores what follows from the items that somebody acted on, distinct, the newest one last."""

    def scores(self, browsed: Sequence[str]) -> Mapping[str, float]: ...

    def reasons(self, item: str, browsed: Sequence[str], *, most: int) -> list[Reason]: ...


class RuleRecommender:
    """Answers from what a history acted on last, by a model of rules.

    Parameters
    ----------
    model : RuleModel
        `CrossRules` or `PairRules`, as far as they have learned.
    views : Views
        Tell what is available and what the shop's own rules are.
    settings : Settings
        Section `recommend`: filters, reasons, diversity, exploring.

    Notes
    -----
    A score s of the model becomes s / (1 + s). A list is shorter than asked for where no rule speaks for
    more items; nothing fills it up.

    Examples
    --------
    >>> from online_models.memory_views import MemoryViews
    >>> from online_models.pair_rules import PairRules
    >>> from schemas.state import HistoryRow, SessionMark
    >>> rules = PairRules()
    >>> for n, items in enumerate(["tea cup pot", "tea cup pot", "mat mop"]):
    ...     for item in items.split():
    ...         rules.learn_view(f"s:{n}", item, n)
    >>> history = HistoryRow(sessions=[SessionMark("s", 0, 0, [], ["cup", "tea"])])
    >>> request = Request(history=history, now=9, key="u:anna", exclude=frozenset({"cup", "tea"}))
    >>> for place in RuleRecommender(rules, MemoryViews(), Settings()).recommend(request).items:
    ...     print(place.rank, place.item_id, [reason["item_ids"] for reason in place.reasons])
    1 pot [['tea'], ['cup'], ['tea', 'cup']]
    """

    def __init__(self, model: RuleModel, views: Views, settings: Settings) -> None:
        self._model, self._views, self._settings = model, views, settings.recommend
        self._gap_ms = settings.history.session_gap_s * 1000
        self._slates = Slates(views, settings.recommend)

    def recommend(self, request: Request) -> Answer:
        session, earlier = acts_of(request.history, request.key, request.now, gap_ms=self._gap_ms)
        browsed = newest_last([*earlier, *session])
        filters = Filters(self._views, request, self._settings)
        squashed = ((item, score / (1.0 + score)) for item, score in self._model.scores(browsed).items())
        best_first = sorted(squashed, key=lambda each: (-each[1], each[0]))
        chosen = self._chosen(filters.reordered(best_first), filters, self._slates.wanted(request.k))
        pinned = pinned_places(filters, chosen, request.k)
        given = {place.item: place.rule for place in pinned}
        others = [each for each in chosen if each[0] not in given]
        places = with_pinned(self._slates.make(others, request.k - len(pinned), request.seed), pinned)
        items = [
            RecommendedItem(item, rank, score, propensity, self._reasons(item, browsed, given.get(item)))
            for rank, (item, score, propensity) in enumerate(places, start=1)
        ]
        return Answer(items, None)

    def _chosen(
        self, best_first: Iterable[tuple[str, float]], filters: Filters, most: int
    ) -> list[tuple[str, float]]:
        """Take the best that the filters admit, and no more looked-at items than there are places."""
        chosen: list[tuple[str, float]] = []
        places = self._settings.max_recent
        for item, score in best_first:
            if len(chosen) == most:
                break
            if not filters.admit(item) or (filters.looked_at(item) and places <= 0):
                continue
            places -= filters.looked_at(item)
            chosen.append((item, score))
        return chosen

    def _reasons(self, item: str, browsed: Sequence[str], rule: str | None) -> list[Reason]:
        most = self._settings.max_reasons
        told = self._model.reasons(item, browsed, most=most if rule is None else max(0, most - 1))
        return told if rule is None else [*told, {"source": "business", "rule": rule}]
