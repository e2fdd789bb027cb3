"""Who is counted in which segment, with constant memory: customers come in, go out and change over.

The samples bear no customer ids; a checksum of a customer's previous sample finds where they were counted.
"""

from collections.abc import Sequence
from struct import pack
from zlib import crc32

from online_models.features import Measures, measures
from online_models.lloyd import Floats
from online_models.segment_sums import apportion, join, leave, redistribute
from schemas.clusters import ClusterRow
from schemas.messages import Sample

MAX_MARKS = 4_096
"""Samples of which it is remembered where they were counted."""


def count_in(row: ClusterRow, x: Sample, place: int) -> None:
    """Count the customer of a sample in a segment, and remember which."""
    join(row.segments[place], measures(x.features), _seconds(row, x.at))
    row.marks[_mark(x.features, x.at)] = place
    if len(row.marks) > MAX_MARKS:
        del row.marks[next(iter(row.marks))]


def count_out(row: ClusterRow, x: Sample, distances: Sequence[float]) -> None:
    """Take the customer of a sample out of the segment they were counted in.

    Parameters
    ----------
    row : ClusterRow
        Changed.
    x : Sample
        With previous features; without new ones the customer leaves for good.
    distances : sequence of float
        From the previous features to each centre: when nothing is remembered, the nearest segment that has
        anybody loses a customer.
    """
    old = measures(x.previous)
    at = place = None
    if x.features:
        at = _previous_at(x, measures(x.features), old)
        place = row.marks.pop(_mark(x.previous, at), None)
    if place is None or not row.segments[place].size:
        peopled = [place for place, sums in enumerate(row.segments) if sums.size]
        place = min(peopled, key=distances.__getitem__, default=None)
    if place is not None:
        leave(row.segments[place], old, None if at is None else _seconds(row, at))


def hand_over(row: ClusterRow, shares: Floats, *, keep: int) -> None:
    """Move customers to the centres that took the place of others.

    Parameters
    ----------
    row : ClusterRow
        Changed.
    shares : array of shape (old, new)
        Share of each old segment that each new one takes over.
    keep : int
        Names kept of what a segment likes.
    """
    row.segments = redistribute(row.segments, shares, keep=keep)
    marked: list[list[int]] = [[] for _ in shares]
    for mark, place in row.marks.items():
        marked[place].append(mark)
    for marks, part in zip(marked, shares.tolist(), strict=True):
        # Which of them changed over isn't known, but each must go out of a segment that counts it.
        places = (place for place, n in enumerate(apportion(len(marks), part)) for _ in range(n))
        row.marks.update(zip(marks, places, strict=True))


def _previous_at(x: Sample, new: Measures, old: Measures) -> int:
    """When the previous sample was: the vectors tell how long before, to the millisecond."""
    return x.at - round(1000.0 * (new.tenure_s - old.tenure_s))


def _mark(features: Sequence[float], at: int) -> int:
    return crc32(pack(f"<q{len(features)}d", at, *features))


def _seconds(row: ClusterRow, at: int) -> float:
    return (at - row.origin) / 1000.0
