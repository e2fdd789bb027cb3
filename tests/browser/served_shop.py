"""A shop with something to see in every part of the page, served in a thread, and changed while it runs."""

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from online_models.experiments.tallies import AMOUNTS, ArmChange, add
from online_models.features import FEATURES
from schemas.experiments import ArmTallies, Experiment, Variant
from schemas.histories import KnownHistory
from schemas.messages import WEIGHT_ONE, Centroids, ItemFacts, SegmentTop
from schemas.recommendations import (
    Latency,
    Reason,
    Recommendation,
    RecommendedItem,
    Rejection,
    Segment,
    SegmentProfile,
)
from schemas.settings import KafkaSettings, RankerSettings, RecommendSettings, ServeSettings, Settings
from schemas.state import HistoryRow, ItemMark, SessionMark
from streams.monitoring import Metrics, SupervisorMetrics
from tests.online_models.shop_views import NOW, a_rule, partners
from tests.streams.serving.parts import Desk, Followed

DAY_MS = 86_400_000
EXPERIMENTS = (
    Experiment(
        name="longer-lists",
        goal="conversion",
        variants=(
            Variant(name="control", share=0.5),
            Variant(name="long", share=0.5, changes=(("recommend.k", 12),)),
        ),
        starts_at=NOW - 30 * DAY_MS,
        ends_at=NOW - DAY_MS,
    ),
    Experiment(
        name="by-weights",
        variants=(
            Variant(name="control", share=0.5),
            Variant(name="weights", share=0.25, changes=(("ranker.enabled", False),)),
            Variant(name="diverse", share=0.25, changes=(("recommend.diversity", 0.3),)),
        ),
        starts_at=NOW + DAY_MS,
    ),
)
"""One that is over and one to come: none changes a list."""

SETTINGS = Settings(
    experiments=EXPERIMENTS,
    kafka=KafkaSettings(partitions=1),
    ranker=RankerSettings(enabled=False),
    recommend=RecommendSettings(k=6),
    serve=ServeSettings(port=0, max_k=20),
)
TITLES = {
    "k1": "Electric kettle, brushed steel, 1.7 l",
    "k2": "Whistling kettle",
    "t1": "Sencha, first flush, 100 g",
    "t2": "Darjeeling in a tin",
    "t3": "Earl Grey, 50 bags",
    "c1": "Cup without a handle",
    "c2": "Espresso cups, set of four",
    "p1": "Cast-iron pot",
    "s1": "Strainer of fine mesh",
    "h1": "Heather honey",
    "x1": "<b>Bold</b> & 'quoted' \"title\" <img src=x onerror=alert(1)>",
    "l1": "A title that goes on " + "and on " * 12,
}
CATEGORIES = {"k": "kitchen", "t": "tea", "c": "porcelain", "p": "kitchen", "s": "kitchen", "h": "food"}
MINUTES_MS = 60_000
LONG_ID = "customer-" + "0123456789" * 6


def _reasons(item: str, number: int) -> list[Reason]:
    rule = {
        "item_id": "k1",
        "scope": "orders",
        "count": 14.0 + number,
        "support": 0.021,
        "confidence": 0.42,
        "lift": 3.7,
    }
    found: list[Reason] = [
        {"source": "similarity", "item_id": "t1", "similarity": 0.61},
        {"source": "rules", **rule},
        {"source": "session", "session_items": ["k1", "t2"], "similarity": 0.33},
        {"source": "content", "item_id": "t3", "attributes": ["tea", "organic"], "similarity": 0.4},
        {"source": "social", "people": 3},
        {"source": "popularity", "scope": "segment:2", "value": 41.5},
    ]
    return found[number % 3 : number % 3 + 2] if item != "s1" else [found[5]]


def a_list(user: str, *items: str, offset: int = 7) -> Recommendation:
    places = [RecommendedItem(item, n, 0.93 / n, None, _reasons(item, n)) for n, item in enumerate(items, 1)]
    latency = Latency(NOW, NOW + 3, NOW + 11)
    return Recommendation(f"browses:0:{offset}", user, None, NOW, ["b-7"], places, "2", {}, None, latency)


def a_history(user: str) -> KnownHistory:
    marks = {
        "h1": ItemMark(4 * WEIGHT_ONE, NOW - 50 * MINUTES_MS, had=True, met=1, met_at=NOW),
        "t1": ItemMark(2 * WEIGHT_ONE, NOW - 4 * MINUTES_MS, met=2, met_at=NOW),
        "k1": ItemMark(WEIGHT_ONE, NOW, met=3, met_at=NOW),
    }
    sessions = [
        SessionMark("s1", NOW - 60 * MINUTES_MS, NOW - 50 * MINUTES_MS, [], ["x1", "h1"]),
        SessionMark("s2", NOW - 6 * MINUTES_MS, NOW, [], ["t1", "t2", "k1"]),
    ]
    row = HistoryRow(marks, sessions, last_at=NOW)
    row.behaviour.events = 9
    return KnownHistory.of(user, NOW, row)


def a_clustering() -> Centroids:
    numbers = random.Random(7)  # noqa: S311  # a shop to look at
    centres = [[numbers.gauss(0, 1) for _ in FEATURES] for _ in range(6)]
    sizes = (410, 230, 128, 64, 21, 3)
    tops = [
        SegmentTop(
            size,
            86_400.0 * (n + 0.4),
            4.2 - 0.6 * n,
            180.0 - 25.5 * n,
            ["tea", "kitchen"],
            [("t1", 9.0), ("k1", 4.0)],
        )
        for n, size in enumerate(sizes)
    ]
    return Centroids("1", [0.0] * len(FEATURES), [1.0] * len(FEATURES), centres, tops, NOW)


def arm_tallies(**buyers: int) -> ArmTallies:
    """Four hundred customers of each variant of the first experiment, of whom so many ordered."""
    found, nothing = ArmTallies({}), [0] * len(AMOUNTS)
    for variant, ordered in buyers.items():
        for n in range(400):
            order = int(n < ordered)
            has = {"lists": 3, "clicks": n % 3, "visits": 2, "buyer": order, "orders": order}
            has |= {"converted": order, "revenue": order * (9_900_000 + 100_000 * (n % 7))}
            amounts = [has.get(name, 0) for name in AMOUNTS]
            add(found, ArmChange(f"longer-lists:{variant}", NOW - n, nothing, amounts, entered=1))
    return found


class ServedShop:
    """What runs in the thread; its methods are for the thread of the test."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self._shop = Followed(settings)
        self.desk = Desk(self._shop, settings)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self.url = ""
        self._offset = 7

    def do(self, work: Callable[[], Any]) -> None:
        """Do something in the thread of the server, and wait for it."""

        async def done() -> None:
            work()

        asyncio.run_coroutine_threadsafe(done(), self._loop).result(10)

    def learn(self, topic: str, key: str, row: msgspec.Struct | None) -> None:
        self.do(lambda: self._shop.learn(topic, key, row))

    def tell_list(self, user: str, *items: str) -> None:
        """A customer's list changes."""
        self._offset += 1
        self.learn("recommendations", user, a_list(user, *items, offset=self._offset))

    def fill(self) -> None:
        """Put something into every part."""
        for item, title in TITLES.items():
            category = CATEGORIES.get(item[0], "other")
            row = ItemFacts(item, title, [category], None, None, [], item != "c2", 0)
            self.learn("item-view", item, row)
        self.do(lambda: self._shop.popular("all", *TITLES))
        rules = [a_rule("k1", 0.42, 14, lift=3.7), a_rule("c1", 0.2, 9), a_rule("x1", 0.1, 5, lift=1.4)]
        similar = [("t2", 0.61, 31), ("t3", 0.44, 20), ("l1", 0.12, 4)]
        self.learn("neighbours", "t1", partners("t1", similar, orders=rules, sessions=rules[:2]))
        self.learn("centroids", "centroids", a_clustering())
        profile = SegmentProfile("2", 128, 200_000.0, 3.0, 129.0, ["tea", "kitchen"], ["t1", "k1"], NOW)
        self.learn("segment-profiles", "2", profile)
        for user in ("anna", LONG_ID, "berta", "carl"):
            self.learn("histories", user, a_history(user))
            self.learn("segments", user, Segment(user, "2", 1.27, NOW))
            self.tell_list(user, "k2", "t2", "x1", "l1", "p1", "s1")
        self.learn("experiment-tallies", "0", arm_tallies(control=40, long=120))
        self.do(self._fill_flow)
        self.do(self._fill_worker)
        self.do(self._fill_refused)

    def _fill_flow(self) -> None:
        numbers = random.Random(5)  # noqa: S311  # as above
        counts = {"view": 0, "cart": 0, "purchase": 0}
        flow = self.desk.news.flow
        for second in range(300):
            for kind, most in (("view", 40), ("cart", 9), ("purchase", 3)):
                counts[kind] += numbers.randint(most // 2, most)
            for n in range(numbers.randint(10, 20)):
                ms = 6 + round(numbers.expovariate(0.2))
                found = msgspec.structs.replace(
                    a_list(f"u{n % 9}", "t1"), latency=Latency(NOW - ms, NOW - ms // 2, NOW)
                )
                flow.note_list(f"u{n % 9}", msgspec.json.encode(found))
            flow.tick(NOW + 1_000 * second, counts, 25 * second)

    def _fill_worker(self) -> None:
        numbers = random.Random(3)  # noqa: S311  # as above
        metrics = Metrics()
        supervisor = SupervisorMetrics(metrics.registry)
        for group in ("customers", "models", "rules"):
            supervisor.child_up.labels(group=group).set(1)
        metrics.stage_ready.labels(stage="history").set(1)
        metrics.stage_ready.labels(stage="rules").set(0)
        metrics.lag.labels(topic="item-deltas", partition="0").set(1234)
        metrics.exposure_gini.set(0.37)
        for number in range(60):
            metrics.list_queries.inc(100)
            metrics.list_hits.labels(list="given").inc(numbers.randint(20, 32))
            metrics.list_hits.labels(list="popular").inc(numbers.randint(6, 12))
            metrics.list_reciprocal_ranks.labels(list="given").inc(numbers.uniform(8, 14))
            for of, sums in (("lists", (100.0, 100.0, 125.0)), ("hits", (24.0, 26.0, 32.5))):
                metrics.explored.labels(of=of).inc(sums[0])
                metrics.explored_weights.labels(of=of).inc(sums[1])
                metrics.explored_squared_weights.labels(of=of).inc(sums[2])
            metrics.segments_compared.inc(20)
            metrics.segments_kept.inc(numbers.randint(15, 20))
            metrics.ranker_losses_compared.inc(50)
            metrics.ranker_losses.labels(lesson="new").inc(50 * numbers.uniform(0.4, 0.6))
            metrics.ranker_losses.labels(lesson="learned").inc(50 * numbers.uniform(0.35, 0.5))
            metrics.drift_error.labels(series="buys").set(numbers.uniform(0.1, 0.2))
            self.desk.news.worker.learn(NOW + 10_000 * number, metrics.render().decode())

    def _fill_refused(self) -> None:
        details = (
            "`dwell_s` is -1.0; expected seconds, 0 or more",
            "<script>alert(1)</script>",
            "not JSON in UTF-8",
        )
        for offset in range(12):
            reason = ("bad_value", "unknown_type", "invalid_json")[offset % 3]
            row = Rejection(reason, details[offset % 3], "browses", 0, offset, NOW + offset, "c2VjcmV0")
            self.desk.news.refused.learn(msgspec.json.encode(row))

    def start(self) -> None:
        """Serve on a free port."""
        self._thread.start()
        port = asyncio.run_coroutine_threadsafe(self.desk.server.start(), self._loop).result(10)
        self.url = f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        """End all."""
        asyncio.run_coroutine_threadsafe(self.desk.server.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def served(settings: Settings = SETTINGS) -> Iterator[ServedShop]:
    """Serve a shop for a while."""
    shop = ServedShop(settings)
    shop.start()
    try:
        shop.fill()
        yield shop
    finally:
        shop.stop()
