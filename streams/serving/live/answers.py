"""From request to answer for the paths of the page."""

from collections.abc import Iterable
from typing import Final

import msgspec
from aiohttp import web

from online_models.filters import Filters
from online_models.protocols import Request
from online_models.rule_measures import measures_beside
from schemas.answers import ItemRule
from schemas.page import (
    ExperimentsNow,
    FlowNews,
    FoundItem,
    FoundItems,
    ItemNow,
    QualityNow,
    RefusedRecords,
    RuleNow,
    RulesNow,
    SegmentMap,
    StatePart,
    SystemNow,
)
from schemas.recommendations import Similar, SimilarItems
from schemas.settings import Settings
from streams.pseudonyms import Pseudonyms
from streams.serving.items import Items
from streams.serving.lists import Lists
from streams.serving.live.customer_now import customer_now, named, titles
from streams.serving.live.event_stream import stream
from streams.serving.live.experiments_now import experiments_now
from streams.serving.live.item_words import MOST_FOUND
from streams.serving.live.news import FLOW, News
from streams.serving.live.rarely import Rarely
from streams.serving.live.segment_map import segment_map
from streams.serving.problems import unknown
from streams.serving.questions import Query
from streams.serving.routes import Route
from streams.serving.served_views import ServedViews

EXPERIMENTS_S: Final = 1.0
"""Seconds for which what came of experiments is told again: all of eight with eight variants takes 20 ms."""


class PageAnswers:
    """Answers the page; its methods are named as `Route.answers` says.

    Parameters
    ----------
    views : ServedViews
        All that is followed.
    news : News
        What changes.
    settings : Settings
        As the worker has them.
    pseudonyms : Pseudonyms
        What replaces ids of customers, as in the worker.
    """

    def __init__(self, views: ServedViews, news: News, settings: Settings, pseudonyms: Pseudonyms) -> None:
        self._views, self._news, self._settings, self._pseudonyms = views, news, settings, pseudonyms
        self._lists, self._items = Lists(views, settings), Items(views, settings.recommend)
        self._experiments = Rarely(
            lambda: experiments_now(settings.experiments, views.arm_tallies()), EXPERIMENTS_S
        )

    def close(self) -> None:
        """End all streams, and begin none."""
        self._news.watchers.close()

    async def flow(self, request: web.Request, _: Route) -> web.StreamResponse:
        told_at = 0

        def since() -> FlowNews:
            nonlocal told_at
            found = self._news.flow.since(told_at)
            told_at = found.points[-1].at if found.points else told_at
            return found

        return await stream(request, self._news.watchers, FLOW, "flow", since)

    async def customer(self, request: web.Request, route: Route) -> web.StreamResponse:
        query = self._query(request, route)
        user = self._pseudonyms.user(query.id)
        k = query.length(self._lists.length_for(user))
        return await stream(
            request,
            self._news.watchers,
            user,
            "customer",
            lambda: customer_now(self._views, self._lists, user, k, self._settings.recommend),
        )

    async def search(self, request: web.Request, route: Route) -> FoundItems:
        text = self._query(request, route).text("q").strip()
        found = await self._news.words.find(text) if text else self._popular()
        if text and text not in found and self._known(text):
            found = [text, *found]
        return FoundItems([self._found(item) for item in found[:MOST_FOUND]], len(self._news.words))

    def item(self, request: web.Request, route: Route) -> ItemNow:
        item = self._query(request, route).id
        k, nothing = self._settings.serve.max_k, frozenset[str]()
        similar, rules = self._items.similar(item, k, nothing, ""), self._items.rules(item, k, nothing)
        if similar is None or rules is None:
            raise unknown("item", item)
        measured = [RulesNow(each.scope, [_measured(rule) for rule in each.rules]) for each in rules]
        return ItemNow(
            self._found(item), similar.items, measured, titles(self._views, _named(item, similar, measured))
        )

    def segments(self, _: web.Request, __: Route) -> SegmentMap:
        asked = Request(history=None, now=0)
        admit = Filters(self._views, asked, self._settings.recommend).admit
        least = self._settings.privacy.min_customers
        return segment_map(self._views.centroids(), least, admit, named(self._views))

    def refused(self, _: web.Request, __: Route) -> RefusedRecords:
        return self._news.refused.newest()

    def quality(self, _: web.Request, __: Route) -> QualityNow:
        worker = self._news.worker
        return QualityNow(list(worker.points), worker.problem, worker.says())

    def experiments(self, _: web.Request, __: Route) -> ExperimentsNow:
        return self._experiments.get()

    def system(self, _: web.Request, __: Route) -> SystemNow:
        worker = self._news.worker
        return SystemNow(worker.state(), self._here(), worker.problem)

    def _here(self) -> list[StatePart]:
        views, most = self._views, self._settings.serve.max_listeners
        sessions, count = views.sessions(), self._news.watchers.count
        return [
            StatePart("rows taken since the start", f"{views.changes:,}"),
            StatePart("sessions held", f"{0 if sessions is None else sessions.newest + 1:,}"),
            StatePart("items found by words", f"{len(self._news.words):,}"),
            StatePart("open streams", f"{count} of {most}", well=count < most),
        ]

    def _popular(self) -> list[str]:
        return [each.item_id for each in self._items.popular(MOST_FOUND, frozenset(), "").items]

    def _known(self, item: str) -> bool:
        return self._views.item(item) is not None or self._views.neighbours(item) is not None

    def _found(self, item: str) -> FoundItem:
        facts = self._views.item(item)
        if facts is None:
            return FoundItem(item, None, [], available=True)
        return FoundItem(item, facts.title, facts.categories, facts.available)

    def _query(self, request: web.Request, route: Route) -> Query:
        return Query(request, route, self._settings.serve, self._settings.ingest)


def _measured(rule: ItemRule) -> RuleNow:
    found = measures_beside(rule.count, rule.support, rule.confidence, rule.lift)
    told = msgspec.structs.asdict(rule)
    return RuleNow(**told, leverage=found.leverage, conviction=found.conviction, llr=found.llr)


def _named(item: str, similar: SimilarItems, rules: Iterable[RulesNow]) -> list[str]:
    found: list[Similar] = similar.items
    return [
        item,
        *(each.item_id for each in found),
        *(rule.item_id for each in rules for rule in each.rules),
    ]
