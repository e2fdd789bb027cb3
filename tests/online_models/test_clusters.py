"""The segments of all customers: found again on simulated shops, counted once each, bounded."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeVar

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace
from sklearn.metrics import adjusted_rand_score

from online_models import features
from online_models.clusters import KEPT_NAMES, KEY, ClustersStep
from online_models.kmeans import assign
from online_models.membership import MAX_MARKS
from online_models.memory_store import MemoryStore
from online_models.segments import SegmentsStep
from online_models.worlds import PRESETS, Storefront, StorefrontSettings
from schemas.clusters import ClusterRow
from schemas.messages import WEIGHT_ONE, Centroids, Event, Fact, Line, Sample
from schemas.settings import PopularitySettings, SegmentsSettings, Settings
from schemas.state import Behaviour, SegmentRow

V = TypeVar("V")
DAY_MS = 86_400_000
EVERY = SegmentsSettings().max_unsent_events


class LiveStore(dict[str, V]):
    """Hands out the rows themselves, as a write-back cache does."""

    def put(self, key: str, value: V) -> None:
        self[key] = value

    def delete(self, key: str) -> None:
        self.pop(key, None)


class Shop:
    """A simulated storefront, read as the stages before the clustering read it."""

    def __init__(self, world: StorefrontSettings, settings: Settings) -> None:
        self.storefront = Storefront(world)
        items = (msgspec.json.decode(one.value) for one in self.storefront.catalogue())
        self.items: dict[str, Any] = {item["item_id"]: item for item in items if item["type"] == "item"}
        self.behaviours: dict[str, Behaviour] = {}
        self.newest: dict[str, Sample] = {}
        self.settings = settings

    def line(self, item: str, quantity: float = 1.0, price: float | None = None) -> Line:
        known = self.items[item]
        return Line(item, known["categories"], quantity, known["price"] if price is None else price)

    def events(self, count: int) -> Iterator[Event]:
        for number, record in enumerate(islice(self.storefront.events(), count)):
            message = msgspec.json.decode(record.value)
            kind, user = message.get("action", message["type"]), message["user_id"]
            if user is None or kind == "impression":
                continue
            if kind == "purchase":
                bought = message["lines"]
                lines = [self.line(one["item_id"], one["quantity"], one["unit_price"]) for one in bought]
            else:
                lines = [self.line(message["item_id"])]
            at = message["at"]
            event = Event(f"u:{user}", kind, at, record.topic, 0, number, at, at, lines=lines)
            yield replace(event, value=message.get("value"), scale_max=message.get("scale_max"))

    def samples(self, count: int) -> Iterator[Sample]:
        segments = SegmentsStep(LiveStore[SegmentRow]())
        for event in self.events(count):
            behaviour = self.behaviours.setdefault(event.key, Behaviour())
            new = not behaviour.events or event.at - behaviour.last_at > 1_800_000
            features.observe(behaviour, event, new_session=new)
            gained = [WEIGHT_ONE] * len(event.lines)
            due = new or event.kind == "purchase" or not behaviour.events % EVERY
            vector = features.vector(behaviour) if due else []
            fact = Fact(event.key, event.kind, event.at, event.lines, gained, new, vector)
            for one in segments.learn_one(fact):
                self.newest[event.key] = one
                yield one

    def found(self, centroids: Centroids) -> tuple[list[int], list[int]]:
        """Latent group and segment of each customer who has done something."""
        groups = self.storefront.answer().groups
        truth, found = [], []
        for key, behaviour in self.behaviours.items():
            assigned = assign(centroids, features.vector(behaviour))
            assert assigned is not None
            truth.append(groups[key[2:]])
            found.append(int(assigned[0]))
        return truth, found


def configured(clusters: int = 4, half_life_s: int = 604_800, **segments: int) -> Settings:
    return Settings(
        segments=SegmentsSettings(clusters=clusters, **segments),
        popularity=PopularitySettings(half_life_s=half_life_s),
    )


def centroids_of(step: ClustersStep) -> Centroids:
    centroids = step.centroids()
    assert centroids is not None
    return centroids


def row_of(step: ClustersStep) -> ClusterRow:
    row = step.rows.get(KEY)
    assert row is not None
    return row


def live(settings: Settings) -> ClustersStep:
    return ClustersStep(LiveStore[ClusterRow](), settings)


def vector(
    group: int, *, events: int = 10, spent: float = 0.0, purchases: int = 0, at: int = 0
) -> list[float]:
    behaviour = Behaviour(events=events, sessions=1, spent=spent, purchases=purchases, last_at=at)
    behaviour.categories = {f"taste {group}": 50.0}
    return features.vector(behaviour)


def sample(group: int, at: int, previous: list[float] | None = None, item: str = "") -> Sample:
    items = [(item, [f"taste {group}"], WEIGHT_ONE)] if item else []
    return Sample(at, vector(group, events=10 + at % 7), previous or [], items, 0.0, 0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_latent_groups_of_a_shop_are_found(seed: int) -> None:
    settings = configured()
    shop, step = Shop(replace(PRESETS["groups"], seed=seed), settings), live(settings)
    for one in shop.samples(15_000):
        step.learn_one(one)
    centroids = centroids_of(step)

    truth, found = shop.found(centroids)

    assert adjusted_rand_score(truth, found) >= 0.95
    sizes = [segment.size for segment in centroids.segments]
    assert sum(sizes) == len(shop.behaviours)
    assert sizes == pytest.approx([Counter(found)[place] for place in range(4)], abs=8)


def test_more_groups_are_found_when_more_segments_are_asked_for() -> None:
    settings = configured(clusters=6)
    shop = Shop(replace(PRESETS["groups"], groups=6, categories=12), settings)
    step = live(settings)
    for one in shop.samples(20_000):
        step.learn_one(one)

    assert adjusted_rand_score(*shop.found(centroids_of(step))) >= 0.8


def test_profiles_show_what_each_group_likes() -> None:
    settings = configured()
    shop, step = Shop(PRESETS["groups"], settings), live(settings)
    for one in shop.samples(15_000):
        step.learn_one(one)
    answer = shop.storefront.answer()
    truth, found = shop.found(centroids_of(step))

    for profile in step.profiles():
        group, _ = Counter(
            t for t, f in zip(truth, found, strict=True) if str(f) == profile.segment
        ).most_common(1)[0]
        own = sorted(answer.tastes[group], key=lambda name: -answer.tastes[group][name])[:2]
        assert set(own) == set(profile.top_categories[:2])
        assert len(set(profile.top_items[:20]) & set(answer.favourites[group])) >= 12


def test_profiles_agree_with_a_recount_over_the_customers() -> None:
    settings = configured()
    shop, step = Shop(PRESETS["groups"], settings), live(settings)
    for one in shop.samples(15_000):
        step.learn_one(one)
    newest = shop.newest.values()
    profiles = step.profiles()
    known = [features.measures(one.features) for one in newest]
    people = sum(profile.size for profile in profiles)

    assert people == len(shop.behaviours)
    assert sum(p.monetary * p.size for p in profiles) == pytest.approx(sum(m.spent for m in known), rel=0.02)
    assert sum(p.frequency * p.size for p in profiles) == pytest.approx(
        sum(m.orders for m in known), rel=0.02
    )
    now = max(one.at for one in newest)
    recency_s = sum((now - one.at) / 1000 for one in newest)
    assert sum(p.recency_s * p.size for p in profiles) == pytest.approx(recency_s, rel=0.02)


def test_nothing_is_published_before_there_is_a_sample_for_each_segment() -> None:
    step = ClustersStep(MemoryStore(ClusterRow), configured(clusters=3))

    assert step.centroids() is None
    assert step.profiles() == []
    for group in range(2):
        step.learn_one(sample(group, group))
    assert step.centroids() is None
    step.learn_one(sample(2, 2))
    assert [segment.size for segment in centroids_of(step).segments] == [1, 1, 1]
    assert [profile.segment for profile in step.profiles()] == ["0", "1", "2"]


def test_publishing_during_the_warm_up_changes_nothing() -> None:
    asked, silent = (ClustersStep(MemoryStore(ClusterRow), configured(warmup_samples=30)) for _ in range(2))
    for n in range(60):
        for step in (asked, silent):
            step.learn_one(sample(n % 4, n, item=f"i{n % 9}"))
        asked.centroids()
        asked.profiles()

    assert asked.rows.get(KEY) == silent.rows.get(KEY)


def test_what_was_sampled_during_the_warm_up_counts() -> None:
    step = ClustersStep(MemoryStore(ClusterRow), configured(warmup_samples=20))
    for n in range(40):
        step.learn_one(sample(n % 4, n, item=f"i{n % 4}"))

    assert [segment.size for segment in centroids_of(step).segments] == [10, 10, 10, 10]
    assert sorted(profile.top_items for profile in step.profiles()) == [["i0"], ["i1"], ["i2"], ["i3"]]


def test_each_customer_counts_once_and_where_they_were_last() -> None:
    step = live(configured(warmup_samples=40))
    before: dict[int, list[float]] = {}
    for n in range(400):
        customer = n % 40
        one = sample((customer + n // 200) % 4 if customer < 10 else customer % 4, n, before.get(customer))
        before[customer] = one.features
        step.learn_one(one)
    centroids = centroids_of(step)

    where = [assign(centroids, newest) for newest in before.values()]

    counted = Counter(place[0] for place in where if place)
    assert {str(n): segment.size for n, segment in enumerate(centroids.segments)} == counted


def test_who_is_erased_is_not_counted_any_more() -> None:
    step = live(configured(warmup_samples=20))
    for n in range(40):
        step.learn_one(sample(n % 4, n))

    step.learn_one(Sample(50, [], sample(1, 1).features, [], 0.0, 0))
    sizes = sorted(segment.size for segment in centroids_of(step).segments)

    assert sizes == [9, 10, 10, 10]


def test_who_is_erased_during_the_warm_up_is_not_counted_either() -> None:
    step = live(configured(warmup_samples=20))
    for n in range(12):
        step.learn_one(sample(n % 4, n))
    step.learn_one(Sample(50, [], sample(1, 1).features, [], 0.0, 0))

    assert sorted(segment.size for segment in centroids_of(step).segments) == [2, 3, 3, 3]


def test_sizes_are_never_negative_whatever_comes() -> None:
    generator = np.random.Generator(np.random.PCG64(3))
    step = live(configured(warmup_samples=5, forgetting_cap=20))
    for n in range(2_000):
        group, other = generator.integers(4, size=2).tolist()
        gone = generator.random() < 0.3
        # Previous features that were never sampled: what a stage meets that was reset.
        previous = vector(other) if generator.random() < 0.6 else []
        step.learn_one(
            Sample(n, [], previous, [], 0.0, 0) if gone and previous else sample(group, n, previous)
        )
        if n % 50 == 49:
            for profile in step.profiles():
                assert profile.size >= 0
                assert profile.recency_s >= 0
                assert profile.frequency >= 0
                assert profile.monetary >= 0


def test_popular_items_fade() -> None:
    step = live(configured(clusters=1, half_life_s=86_400, warmup_samples=1))
    for n in range(10):
        step.learn_one(sample(0, n, item="old"))
    for n in range(3):
        step.learn_one(sample(0, 10 * DAY_MS + n, item="new"))

    (segment,) = centroids_of(step).segments

    assert [item for item, _ in segment.top_items] == ["new", "old"]
    assert dict(segment.top_items)["new"] == pytest.approx(3.0, rel=0.01)
    assert dict(segment.top_items)["old"] == pytest.approx(10 / 2**10, rel=0.01)


def test_without_decay_the_values_of_popular_items_are_counts_of_weight() -> None:
    step = live(configured(clusters=1, half_life_s=0, warmup_samples=1))
    for n in range(12):
        step.learn_one(sample(0, n * 100 * DAY_MS, item=f"i{n % 3}"))

    assert centroids_of(step).segments[0].top_items == [("i0", 4.0), ("i1", 4.0), ("i2", 4.0)]


def test_the_row_is_bounded_on_a_stream_ten_times_longer_than_the_bounds() -> None:
    settings = configured(warmup_samples=50, forgetting_cap=100, top_items=5, top_categories=5)
    step = live(settings)
    for n in range(10 * MAX_MARKS):
        step.learn_one(sample(n % 4, n, item=f"i{n}"))
        if n == MAX_MARKS:
            size_then = len(msgspec.msgpack.encode(row_of(step)))
    row = row_of(step)

    assert len(row.marks) == MAX_MARKS
    assert not row.waiting
    assert all(len(sums.items) <= 2 * KEPT_NAMES * 5 for sums in row.segments)
    assert len(msgspec.msgpack.encode(row)) < 1.1 * size_then
    assert all(len(profile.top_items) == 5 for profile in step.profiles())


def test_the_version_changes_with_the_centres_and_only_with_what_was_learned() -> None:
    step = live(configured(warmup_samples=20))
    versions = []
    for n in range(25):
        step.learn_one(sample(n % 4, n))
        if n >= 4:
            versions.append(centroids_of(step).version)
            assert centroids_of(step).version == versions[-1]

    assert len(set(versions)) == len(versions)


def test_a_store_that_encodes_every_row_holds_the_same_as_one_that_does_not() -> None:
    settings = configured(warmup_samples=50)
    encoding, keeping = ClustersStep(MemoryStore(ClusterRow), settings), live(settings)
    for one in Shop(PRESETS["groups"], settings).samples(2_000):
        encoding.learn_one(one)
        keeping.learn_one(one)

    assert encoding.rows.get(KEY) == keeping.rows.get(KEY)
    assert encoding.centroids() == keeping.centroids()


def test_everything_is_published_in_the_shape_that_readers_decode() -> None:
    step = live(configured(warmup_samples=20))
    for n in range(40):
        step.learn_one(sample(n % 4, n, item="tea"))
    centroids = centroids_of(step)

    assert msgspec.msgpack.decode(msgspec.msgpack.encode(centroids), type=Centroids) == centroids
    assert len(centroids.mean) == len(centroids.deviation) == len(features.FEATURES)
    assert min(centroids.deviation) > 0
    assert {step.key(sample(0, 1)), step.key(sample(3, 9))} == {KEY}
    assert [profile.size for profile in step.profiles()] == [segment.size for segment in centroids.segments]


_PROGRAM = """
from msgspec import msgpack
from online_models.clusters import KEY, ClustersStep
from online_models.features import vector
from online_models.memory_store import MemoryStore
from schemas.clusters import ClusterRow
from schemas.messages import WEIGHT_ONE, Sample
from schemas.settings import SegmentsSettings, Settings
from schemas.state import Behaviour
settings = Settings(segments=SegmentsSettings(warmup_samples=50, top_items=3, top_categories=2))
step = ClustersStep(MemoryStore(ClusterRow), settings)
for n in range(300):
    tastes = {f"c{n % 4}": 9.0, f"c{n % 7}": 2.0}
    items = [(f"i{n * k % 90}", [f"c{n % 4}"], WEIGHT_ONE) for k in range(5)]
    step.learn_one(Sample(n, vector(Behaviour(events=n, categories=tastes)), [], items, 0.0, 0))
print(msgpack.encode(step.rows.get(KEY)).hex(), step.centroids(), step.profiles())
"""


def test_another_hash_seed_gives_the_same_row() -> None:
    said = {
        subprocess.run(  # noqa: S603  # a command of our own
            [sys.executable, "-c", _PROGRAM],
            env={"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "99")
    }

    assert len(said) == 1
