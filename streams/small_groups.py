"""Nothing is told of a segment that too few customers are in: one could see what each of them does.

Pure: what is kept is not changed, only what leaves.
"""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from schemas.messages import Centroids
from schemas.profiles import CustomerProfile, Needs
from schemas.recommendations import SegmentProfile

_NOTHING: Final = {"recency_s": 0.0, "frequency": 0.0, "monetary": 0.0, "top_categories": [], "top_items": []}


def enough(size: int, min_customers: int) -> bool:
    """Whether a segment of this size may be told; with 1 every one may."""
    return min_customers <= 1 or size >= min_customers


def without_small(centroids: Centroids, min_customers: int) -> Centroids:
    """Give the clustering with its small segments empty, so that nothing is recommended from them.

    Examples
    --------
    >>> from schemas.messages import SegmentTop
    >>> few, many = SegmentTop(2, 1.0, 1.0, 9.0, ["a"], [("tea", 1.0)]), SegmentTop(9, 1.0, 1.0, 9.0, [], [])
    >>> told = without_small(Centroids("1", [], [], [], [few, many], 0), 5)
    >>> told.segments[0].top_items, told.segments[0].size, told.segments[1] == many
    ([], 2, True)
    """
    told = [
        each if enough(each.size, min_customers) else replace(each, **_NOTHING) for each in centroids.segments
    ]
    return replace(centroids, segments=told)


def large_enough(profiles: Iterable[SegmentProfile], min_customers: int) -> list[SegmentProfile]:
    """Profiles that may be told."""
    return [each for each in profiles if enough(each.size, min_customers)]


def without_few(needs: Needs, min_customers: int) -> Needs:
    """Give the needs of all customers without what followed a category fewer times than that.

    Counts are of visits, so those of few customers are below it.
    """
    if min_customers <= 1:
        return needs
    after = {
        name: [each for each in found if each[1] >= min_customers] for name, found in needs.after.items()
    }
    return replace(needs, after={name: found for name, found in after.items() if found})


def told_profile(
    profile: CustomerProfile, centroids: Centroids | None, min_customers: int
) -> CustomerProfile:
    """Give a profile without its segment, if too few customers are in that.

    How many are in a group by density is not known: with a least number, none is told.
    """
    if min_customers > 1:
        profile = replace(profile, group=None)
    if profile.segment is None or centroids is None:
        return profile
    place = int(profile.segment)
    if place >= len(centroids.segments) or enough(centroids.segments[place].size, min_customers):
        return profile
    return replace(profile, segment=None)
