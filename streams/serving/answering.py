"""From request to answer, for each route: the question is read, ids become pseudonyms, views are asked."""

import msgspec
from aiohttp import web

from online_models.experiments.report import report
from online_models.experiments.tallies import merged
from schemas.answers import (
    BasketAnswer,
    BasketQuestion,
    EventsAnswer,
    HistoryAnswer,
    ItemRules,
    PopularAnswer,
    Recommended,
    SegmentAnswer,
    SessionQuestion,
)
from schemas.experiments import ExperimentReport
from schemas.recommendations import SimilarItems
from schemas.settings import Settings
from streams.monitoring import ServeMetrics
from streams.pseudonyms import Pseudonyms
from streams.serving.customers import history_of, segment_of
from streams.serving.items import Items
from streams.serving.lists import Lists, Wanted
from streams.serving.problems import unknown
from streams.serving.questions import Query, body_of, checked_length, event_headers, raw_body
from streams.serving.routes import Route
from streams.serving.sending import Sender, now_ms, read_messages, send_all
from streams.serving.served_views import ApiViews


class Answering:
    """Answers all routes; its methods are named as `Route.answers` says.

    Parameters
    ----------
    views : ApiViews
        All that is followed.
    settings : Settings
        As the worker has them.
    pseudonyms : Pseudonyms
        What replaces ids of customers, as in the worker.
    sender : Sender
        Takes messages to Kafka.
    metrics : ServeMetrics
        Counts lists.
    """

    def __init__(
        self,
        views: ApiViews,
        settings: Settings,
        pseudonyms: Pseudonyms,
        sender: Sender,
        metrics: ServeMetrics,
    ) -> None:
        self._views, self._settings, self._pseudonyms = views, settings, pseudonyms
        self._sender, self._lists_given = sender, metrics.lists
        self._lists, self._items = Lists(views, settings), Items(views, settings.recommend)
        self._k = settings.recommend.k
        self._session = msgspec.json.Decoder(SessionQuestion)
        self._basket = msgspec.json.Decoder(BasketQuestion)

    def recommendations(self, request: web.Request, route: Route) -> Recommended:
        query = self._query(request, route)
        user = self._pseudonyms.user(query.id)
        wanted = Wanted(
            k=query.length(self._lists.length_for(user)),
            context=query.ids("context"),
            exclude=frozenset(query.ids("exclude")),
            category=query.text("category"),
            explain=query.flag("explain", default=True),
        )
        return self._counted(self._lists.of_customer(user, wanted))

    async def session(self, request: web.Request, _: Route) -> Recommended:
        asked = await body_of(request, self._session, self._settings.serve)
        wanted = Wanted(
            k=checked_length(asked.k, self._k, self._settings.serve),
            context=tuple(asked.items),
            exclude=frozenset(asked.exclude),
            category=asked.category or "",
            explain=asked.explain,
        )
        return self._counted(self._lists.of_session(wanted))

    def similar(self, request: web.Request, route: Route) -> SimilarItems:
        query = self._query(request, route)
        exclude = frozenset(query.ids("exclude"))
        found = self._items.similar(query.id, query.length(self._k), exclude, query.text("category"))
        if found is None:
            raise unknown("item", query.id)
        return found

    def rules(self, request: web.Request, route: Route) -> list[ItemRules]:
        query = self._query(request, route)
        found = self._items.rules(query.id, query.length(self._k), frozenset(query.ids("exclude")))
        if found is None:
            raise unknown("item", query.id)
        return found

    async def basket(self, request: web.Request, _: Route) -> BasketAnswer:
        asked = await body_of(request, self._basket, self._settings.serve)
        return self._items.basket(asked, checked_length(asked.k, self._k, self._settings.serve))

    def segment(self, request: web.Request, route: Route) -> SegmentAnswer:
        query = self._query(request, route)
        found = segment_of(self._views, self._pseudonyms.user(query.id), self._settings.recommend)
        if found is None:
            raise unknown("customer", query.id)
        return found

    def history(self, request: web.Request, route: Route) -> HistoryAnswer:
        query = self._query(request, route)
        found = history_of(self._views, self._pseudonyms.user(query.id))
        if found is None:
            raise unknown("customer", query.id)
        return found

    def popular(self, request: web.Request, route: Route) -> PopularAnswer:
        query = self._query(request, route)
        exclude = frozenset(query.ids("exclude"))
        return self._items.popular(query.length(self._k), exclude, query.text("category"))

    def experiments(self, _request: web.Request, _: Route) -> list[ExperimentReport]:
        arms = merged(self._views.arm_tallies())
        return [report(each, arms) for each in self._settings.experiments]

    async def events(self, request: web.Request, _: Route) -> EventsAnswer:
        raw = await raw_body(request, self._settings.serve)
        messages = read_messages(raw, self._settings, now_ms=now_ms(), headers=event_headers(request))
        return await send_all(self._sender, messages)

    def _query(self, request: web.Request, route: Route) -> Query:
        return Query(request, route, self._settings.serve, self._settings.ingest)

    def _counted(self, found: Recommended) -> Recommended:
        source = "fallback" if found.fallback else "computed" if found.computed else "standing"
        self._lists_given.labels(source=source).inc()
        return found
