"""A small shop as it is followed, an API over it, and somebody who asks."""

import asyncio
from typing import Any, NamedTuple

import msgspec
from aiohttp.test_utils import TestClient, TestServer

from online_models.experiments.tallies import AMOUNTS, ArmChange, add
from online_models.memory_store import MemoryStore
from schemas.experiments import ArmTallies, Experiment, Variant
from schemas.histories import KnownHistory
from schemas.messages import WEIGHT_ONE, ItemFacts, NeighbourRule, Popular
from schemas.recommendations import Latency, Recommendation, RecommendedItem, Segment, SegmentProfile
from schemas.settings import KafkaSettings, RankerSettings, ServeSettings, Settings
from schemas.state import HistoryRow, ItemMark, SessionMark, ViewRow
from streams.followed import FollowedTopic, followed_topic
from streams.health import HEALTHY, Health
from streams.monitoring import ServeMetrics
from streams.pseudonyms import Pseudonyms
from streams.serving.answering import Answering
from streams.serving.live.answers import PageAnswers
from streams.serving.live.news import News
from streams.serving.sending import Ready, Sender
from streams.serving.served_views import ServedViews
from streams.serving.server import ApiServer
from streams.topology import SERVE, TOPIC_BY_NAME
from tests.online_models.shop_views import NOW, a_rule, partners

LENGTH = Experiment(
    name="length",
    variants=(
        Variant(name="control", share=0.5),
        Variant(name="long", share=0.5, changes=(("recommend.k", 15),)),
    ),
    ends_at=1_600_000_000_000,
)
"""An experiment that is over: its lists were given before the moment of the tests."""

SETTINGS = Settings(
    experiments=(LENGTH,),
    kafka=KafkaSettings(partitions=1),
    ranker=RankerSettings(enabled=False),
    serve=ServeSettings(port=0, max_k=20, max_events=3, max_body_bytes=20_000),
)


class Followed:
    """Views of a process that answers, which learn rows as the follower brings them."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self._topics: dict[str, FollowedTopic[object]] = {
            name: followed_topic(name, MemoryStore(ViewRow), TOPIC_BY_NAME[name].message, cache_rows=100)  # type: ignore[arg-type]  # types are data
            for name in SERVE.follows
        }
        self.views = ServedViews(self._topics, settings)
        self._offset = 0

    def learn(self, topic: str, key: str, row: msgspec.Struct | None) -> None:
        """Take one row, or its deletion."""
        self._offset += 1
        encode = {"json": msgspec.json.encode, "msgpack": msgspec.msgpack.encode}[TOPIC_BY_NAME[topic].codec]
        self._topics[topic].learn(key, None if row is None else encode(row), (0, 0, self._offset))

    def item(self, item: str, *categories: str, available: bool = True) -> None:
        self.learn("item-view", item, ItemFacts(item, None, list(categories), None, None, [], available, 0))

    def popular(self, scope: str, *items: str) -> None:
        counts = [(item, (len(items) - n) * WEIGHT_ONE) for n, item in enumerate(items)]
        self.learn("popular", f"0|{scope}", Popular(0, scope, 0, counts))


def a_list(user: str | None, *items: str, **fields: Any) -> Recommendation:
    places = [
        RecommendedItem(item, n, 1 / n, fields.get("propensity"), [{"source": "popularity", "scope": "all"}])
        for n, item in enumerate(items, 1)
    ]
    latency = Latency(NOW, NOW, NOW)
    return Recommendation("browses:0:7", user, None, NOW, ["b-7"], places, "1", {}, None, latency)


def a_history(user: str, *, had: str, looked_at: str) -> KnownHistory:
    marks = {
        had: ItemMark(4 * WEIGHT_ONE, NOW - 5, had=True, met=1, met_at=NOW),
        looked_at: ItemMark(WEIGHT_ONE, NOW, met=2, met_at=NOW),
    }
    row = HistoryRow(marks, [SessionMark("s1", NOW - 5, NOW, [], [had, looked_at])], last_at=NOW)
    row.behaviour.events = 2
    return KnownHistory.of(user, NOW, row)


def tallies() -> ArmTallies:
    """Forty customers of each variant with three lists; longer ones are clicked by twice as many."""
    found = ArmTallies({})
    for arm, every in (("length:control", 4), ("length:long", 2)):
        for n in range(40):
            clicked, ordered = int(n % every == 0), int(n % 10 == 0)
            has = {"lists": 3, "clicks": clicked, "converted": ordered, "visits": 2, "buyer": ordered}
            has |= {"orders": ordered, "revenue": ordered * 12_500_000}
            amounts = [has.get(name, 0) for name in AMOUNTS]
            add(found, ArmChange(arm, NOW - n, [0] * len(AMOUNTS), amounts, entered=1))
    return found


def a_shop(settings: Settings = SETTINGS) -> Followed:
    """Anna bought tea and looked at a cup; her list is pot, jam, mug. A saucer is sold out."""
    shop = Followed(settings)
    shop.learn("experiment-tallies", "0", tallies())
    for item in ("tea", "cup", "pot", "jam", "mug"):
        shop.item(item, "kitchen" if item in ("cup", "pot", "mug") else "food")
    shop.item("saucer", "kitchen", available=False)
    shop.popular("all", "saucer", "tea", "jam", "pot", "cup", "mug")
    shop.popular("category:kitchen", "saucer", "pot", "cup", "mug")
    rules: list[NeighbourRule] = [a_rule("saucer", 0.9, 9), a_rule("pot", 0.5, 5), a_rule("jam", 0.25, 3)]
    found = partners("tea", [("saucer", 0.9, 9), ("pot", 0.5, 5), ("jam", 0.4, 4)], orders=rules)
    shop.learn("neighbours", "tea", found)
    shop.learn("neighbours", "cup", partners("cup", [("mug", 0.5, 5)], orders=[a_rule("pot", 0.5, 5)]))
    shop.learn("recommendations", "anna", a_list("anna", "pot", "jam", "mug"))
    shop.learn("histories", "anna", a_history("anna", had="tea", looked_at="cup"))
    shop.learn("segments", "anna", Segment("anna", "1", 0.5, NOW))
    profile = SegmentProfile("1", 7, 1.0, 2.0, 3.0, ["kitchen"], ["saucer", "pot"], NOW)
    shop.learn("segment-profiles", "1", profile)
    return shop


class Sent:
    """Takes messages as Kafka would, in memory."""

    def __init__(self) -> None:
        self.messages: list[Ready] = []

    async def send(self, message: Ready) -> tuple[int, int]:
        self.messages.append(message)
        return 0, len(self.messages) - 1


class Told(NamedTuple):
    """An answer."""

    status: int
    body: Any
    headers: Any


class Desk:
    """The API over a shop."""

    def __init__(
        self,
        shop: Followed,
        settings: Settings = SETTINGS,
        *,
        health: Health = HEALTHY,
        pseudonyms: Pseudonyms | None = None,
        sender: Sender | None = None,
    ) -> None:
        self.sent, self.metrics = Sent(), ServeMetrics()
        pseudonyms = pseudonyms or Pseudonyms()
        answering = Answering(shop.views, settings, pseudonyms, sender or self.sent, self.metrics)
        self.news = News(shop.views, settings, self.metrics, names=not pseudonyms.on)
        self.news.start()
        page = PageAnswers(shop.views, self.news, settings, pseudonyms) if settings.serve.page else None
        self.server = ApiServer(settings, answering, self.metrics, lambda: health, page)

    def ask(
        self,
        path: str,
        body: object = None,
        *,
        method: str = "",
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Told:
        """Ask over a real socket."""

        async def asked() -> Told:
            async with TestClient(TestServer(self.server.app())) as client:
                data = body if isinstance(body, bytes | None) else msgspec.json.encode(body)
                access = {} if token is None else {"Authorization": token}
                kind = method or ("GET" if body is None else "POST")
                response = await client.request(kind, path, data=data, headers=access | (headers or {}))
                raw = await response.read()
                told = msgspec.json.decode(raw) if "json" in response.content_type else raw.decode()
                return Told(response.status, told, response.headers)

        return asyncio.run(asked())

    def get(self, path: str) -> Any:
        """Ask for what is there."""
        told = self.ask(path)
        assert told.status == 200, told
        return told.body


def ids(body: Any) -> list[str]:
    return [each["item_id"] for each in body["items"]]
