import pytest
from msgspec.structs import replace

from schemas.messages import Centroids, SegmentTop
from schemas.recommendations import SegmentProfile
from streams.config import load
from streams.small_groups import large_enough, without_small

FEW = SegmentTop(3, 60.0, 2.0, 9.5, ["drinks"], [("tea", 1.0)])
MANY = replace(FEW, size=10)
CENTROIDS = Centroids("1", [0.0], [1.0], [[0.0], [1.0]], [FEW, MANY], 5)


def profile(segment: str, size: int) -> SegmentProfile:
    return SegmentProfile(segment, size, 60.0, 2.0, 9.5, ["drinks"], ["tea"], 5)


def test_a_small_segment_keeps_its_centre_and_size_and_tells_nothing_else() -> None:
    told = without_small(CENTROIDS, 4)
    assert told.segments == [SegmentTop(3, 0.0, 0.0, 0.0, [], []), MANY]
    assert replace(told, segments=CENTROIDS.segments) == CENTROIDS


@pytest.mark.parametrize("least", [1, 3])
def test_segments_of_enough_customers_are_told_whole(least: int) -> None:
    assert without_small(CENTROIDS, least) == CENTROIDS


def test_profiles_of_too_few_are_left_out() -> None:
    profiles = [profile("0", 3), profile("1", 4), profile("2", 0)]
    assert [each.segment for each in large_enough(profiles, 4)] == ["1"]
    assert [each.segment for each in large_enough(profiles, 1)] == ["0", "1", "2"]


def test_rules_are_counted_at_least_so_often_and_it_is_told_why() -> None:
    loaded = load(environ={"FRESHREC_PRIVACY__MIN_CUSTOMERS": "10"})
    assert loaded.settings.rules.min_count == 10.0
    assert loaded.origins["rules.min_count"] == "privacy.min_customers"
    higher = load(environ={"FRESHREC_PRIVACY__MIN_CUSTOMERS": "10", "FRESHREC_RULES__MIN_COUNT": "12"})
    assert higher.settings.rules.min_count == 12.0
    assert higher.origins["rules.min_count"] == "environment FRESHREC_RULES__MIN_COUNT"
