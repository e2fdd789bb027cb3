"""Clusters: a sample counts once, and centres and profiles are published when they changed."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from online_models.clusters import KEY, ClustersStep
from online_models.features import vector
from online_models.memory_store import MemoryStore
from schemas.clusters import ClusterRow
from schemas.messages import BEFORE_ALL, WEIGHT_ONE, Centroids, Sample
from schemas.recommendations import SegmentProfile
from schemas.settings import Settings
from schemas.state import Behaviour
from streams.errors import GapError
from streams.stages.partition import KeptPartition
from tests.streams.stages.parts import Bench, decoded, flushed, samples_record, settings_of, worked

AT, INTERVAL = 10**12 - 5_000, 1_000


def a_sample(n: int) -> Sample:
    """The first sample of a customer who likes tea or, each second one, jam."""
    item = ("tea", "jam")[n % 2]
    features = vector(Behaviour(events=n + 1, sessions=1, views=n + 1, categories={item: n + 1.0}))
    return Sample(AT + n, features, [], [(item, [f"of {item}"], WEIGHT_ONE)], 0.0, 0)


SAMPLES = [a_sample(n) for n in range(40)]


class Desk(Bench):
    """The clustering: two segments after a warm-up of ten samples."""

    def __init__(self, state: Path, **segments: Any) -> None:
        given = {"clusters": 2, "warmup_samples": 10} | segments
        super().__init__(settings_of(4, segments=given), state)
        self.part: KeptPartition = self.open("clusters")

    def learn(self, start: int, stop: int) -> None:
        """Apply the next record."""
        record = samples_record(
            self.part.progress.next_offset, SAMPLES[start:stop], after=(start - 1, 0) if start else BEFORE_ALL
        )
        self.part.apply(record)

    def row(self) -> ClusterRow | None:
        return self.part.database.table("c", ClusterRow).get(KEY)

    def expected(self, count: int) -> ClustersStep:
        """What the step makes of the first samples."""
        step = ClustersStep(MemoryStore(ClusterRow), self.settings)
        for sample in SAMPLES[:count]:
            step.learn_one(sample)
        return step


def test_centres_and_profiles_are_published_as_the_step_answers(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, 20)
    worked(desk.part)
    step = desk.expected(20)
    (record,) = desk.taken("centroids")
    assert (record.partition, record.key, record.version) == (0, b"centroids", (0, 0, 1))
    assert decoded(record) == step.centroids()
    profiles = desk.taken("segment-profiles")
    assert [(each.partition, each.key) for each in profiles] == [(0, b"0"), (0, b"1")]
    assert [decoded(each) for each in profiles] == step.profiles()
    assert desk.shows('freshrec_published_rows_total{view="centroids"} 1.0')


def test_a_profile_says_what_those_customers_like(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, 40)
    worked(desk.part)
    profiles: list[SegmentProfile] = desk.decoded("segment-profiles")
    assert sum(profile.size for profile in profiles) == 40
    assert sorted(item for profile in profiles for item in profile.top_items) == ["jam", "tea"]


def test_nothing_is_published_while_there_are_too_few_samples(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    worked(desk.part, idle=True, drain=True)
    desk.learn(0, 1)
    worked(desk.part, idle=True, drain=True)
    assert desk.put_records == []
    desk.learn(1, 2)
    worked(desk.part, idle=True, drain=True)
    (early,) = desk.decoded("centroids")
    assert [segment.size for segment in early.segments] == [1, 1]


def test_a_packet_is_learned_once_however_often_it_comes(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, 20)
    worked(desk.part)
    desk.put_records.clear()
    desk.part.apply(samples_record(1, SAMPLES[:20], after=BEFORE_ALL))
    desk.part.apply(samples_record(2, SAMPLES[:7], after=BEFORE_ALL))
    desk.now += INTERVAL
    worked(desk.part, idle=True, drain=True)
    assert desk.put_records == []
    assert desk.row() == desk.expected(20).rows.get(KEY)
    assert desk.part.progress.next_offset == 3


def test_a_packet_that_was_cut_elsewhere_is_learned_from_the_mark_on(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, 15)
    desk.part.apply(samples_record(1, SAMPLES[:25], after=BEFORE_ALL))
    assert desk.row() == desk.expected(25).rows.get(KEY)


def test_a_gap_is_counted_and_refused_and_nothing_of_it_is_learned(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, 15)
    with pytest.raises(GapError, match="stage clusters, partition 0: facts/0 jumps"):
        desk.learn(16, 20)
    assert desk.shows("freshrec_gaps_total 1.0")
    assert desk.row() == desk.expected(15).rows.get(KEY)


def test_nothing_is_published_when_nothing_changed(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, 20)
    worked(desk.part)
    desk.put_records.clear()
    desk.now += 10 * INTERVAL
    worked(desk.part, idle=True, drain=True)
    flushed(desk.part)
    worked(desk.part, idle=True, drain=True)
    assert desk.put_records == []


def test_centres_are_published_once_per_interval_at_most_and_the_newest_are_not_lost(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, 20)
    worked(desk.part)
    desk.put_records.clear()
    for n in range(20, 24):
        desk.now += 100
        desk.learn(n, n + 1)
        worked(desk.part, idle=True)
    assert desk.put_records == []
    desk.now += INTERVAL - 400
    worked(desk.part, idle=True)
    assert desk.decoded("centroids") == [desk.expected(24).centroids()]


def test_nothing_waits_for_its_interval_when_all_is_drained(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for start in (0, 10, 20):
        desk.learn(start, start + 10)
        worked(desk.part, drain=True)
    assert desk.decoded("centroids") == [desk.expected(count).centroids() for count in (10, 20, 30)]


def test_followers_see_the_newest_centres(tmp_path: Path) -> None:
    desk = Desk(tmp_path, publish_interval_ms=0)
    versions = set()
    for start in range(0, 40, 10):
        desk.learn(start, start + 10)
        worked(desk.part)
        seen: Centroids | None = desk.views.centroids()
        assert seen == desk.expected(start + 10).centroids()
        versions.add(seen.version if seen else "")
    assert len(versions) == 4


def test_what_was_learned_and_not_published_before_a_crash_is_published_after_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, 20)
    flushed(desk.part)
    desk.part = desk.reopened(desk.part)
    worked(desk.part)
    assert desk.views.centroids() == desk.expected(20).centroids()


def test_what_was_not_flushed_is_learned_again_and_counts_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, 15)
    flushed(desk.part)
    desk.learn(15, 25)
    desk.part = desk.reopened(desk.part)
    assert desk.part.progress.next_offset == 1
    desk.learn(15, 25)
    assert desk.row() == desk.expected(25).rows.get(KEY)


def test_a_segment_of_too_few_customers_is_taken_back_and_nothing_is_recommended_from_it(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, 20)
    worked(desk.part, drain=True)
    sizes = {each.segment: each.size for each in desk.decoded("segment-profiles")}
    assert len(sizes) == 2
    flushed(desk.part)
    desk.part.database.close()

    tree = msgspec.to_builtins(desk.settings)
    least = max(sizes.values()) + 1
    strict = Bench(msgspec.convert(tree | {"privacy": {"min_customers": least}}, Settings))
    worked(strict.open("clusters"), drain=True)
    profiles = strict.taken("segment-profiles")
    assert {(each.key or b"").decode(): each.value for each in profiles} == dict.fromkeys(sizes)
    (centroids,) = strict.decoded("centroids")
    assert [(each.size, each.top_items) for each in centroids.segments] == [(n, []) for n in sizes.values()]
