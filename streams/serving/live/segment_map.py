"""All segments on a plane, with what they are like. Pure."""

from collections.abc import Callable
from typing import Final

import numpy as np

from online_models.projection import on_a_plane
from schemas.messages import Centroids, SegmentTop
from schemas.page import MapAxis, MapSegment, SegmentMap, Titles
from schemas.recommendations import SegmentProfile
from streams.in_words import segment_in_words
from streams.serving.live.map_axes import axis_in_words
from streams.small_groups import enough

_DECIMALS: Final = 6


def segment_map(
    centroids: Centroids | None, least: int, there: Callable[[str], bool], name: Callable[[str], str]
) -> SegmentMap:
    """Draw the map; of segments with too few customers, or none, nothing is told.

    Parameters
    ----------
    centroids : Centroids or None
        The clustering as published; centres are standardised.
    least : int
        Customers that a segment needs to be told of.
    there : callable
        Whether an item may be shown.
    name : callable
        What an item is called.
    """
    if centroids is None or not centroids.centres:
        return SegmentMap(None, [], [], {})
    found = on_a_plane(np.array(centroids.centres, dtype=np.float64))
    categories = {name for each in centroids.segments for name in each.top_categories}
    axes = [
        MapAxis(axis_in_words(axis.tolist(), categories), round(float(share), _DECIMALS))
        for axis, share in zip(found.axes, found.explains, strict=True)
    ]
    segments = [
        _segment(str(number), top, (round(float(x), _DECIMALS), round(float(y), _DECIMALS)), there, name)
        for number, (top, (x, y)) in enumerate(zip(centroids.segments, found.places, strict=True))
        if top.size and enough(top.size, least)
    ]
    shown = {item for each in segments for item in each.top_items}
    called: Titles = {item: title for item in sorted(shown) if (title := name(item)) != item}
    return SegmentMap(centroids.at, axes, segments, called)


def _segment(
    number: str,
    top: SegmentTop,
    place: tuple[float, float],
    there: Callable[[str], bool],
    name: Callable[[str], str],
) -> MapSegment:
    items = [item for item, _ in top.top_items if there(item)]
    profile = SegmentProfile(
        number, top.size, top.recency_s, top.frequency, top.monetary, top.top_categories, items, 0
    )
    return MapSegment(
        number,
        *place,
        top.size,
        top.recency_s,
        top.frequency,
        top.monetary,
        top.top_categories,
        items,
        segment_in_words(profile, name),
    )
