"""Customers come in, go out and change over; each goes out of the segment that counts them."""

import numpy as np

from online_models.features import vector
from online_models.membership import MAX_MARKS, count_in, count_out, hand_over
from schemas.clusters import ClusterRow, SegmentSums
from schemas.messages import Sample
from schemas.state import Behaviour


def row(segments: int = 2) -> ClusterRow:
    return ClusterRow(segments=[SegmentSums() for _ in range(segments)])


def chain(*times: int, first_at: int = 0) -> list[Sample]:
    """Make the samples of one customer at the given times."""
    samples: list[Sample] = []
    for n, at in enumerate(times, 1):
        x = vector(Behaviour(events=n, sessions=n, first_at=first_at, last_at=at, spent=n, purchases=n))
        samples.append(Sample(at, x, samples[-1].features if samples else [], [], 0.0, 0))
    return samples


def sizes(of: ClusterRow) -> list[int]:
    return [sums.size for sums in of.segments]


def test_a_customer_goes_out_of_the_segment_that_counts_them_wherever_the_centres_are_now() -> None:
    kept = row()
    first, second = chain(1_000, 86_400_123)
    other = chain(500)[0]
    count_in(kept, first, 0)
    count_in(kept, other, 1)

    count_out(kept, second, [9.0, 1.0])
    count_in(kept, second, 1)

    assert sizes(kept) == [0, 2]
    assert kept.segments[0] == SegmentSums()
    assert kept.segments[1].last_s == 86_400.123 + 0.5


def test_a_customer_nobody_remembers_goes_out_of_the_nearest_segment_that_has_anybody() -> None:
    kept = row(3)
    count_in(kept, chain(500)[0], 1)
    count_in(kept, chain(600)[0], 2)

    count_out(kept, chain(1_000, 2_000)[1], [1.0, 3.0, 2.0])

    assert sizes(kept) == [0, 1, 0]


def test_of_empty_segments_nobody_goes_out() -> None:
    kept = row()

    count_out(kept, chain(1_000, 2_000)[1], [1.0, 2.0])

    assert sizes(kept) == [0, 0]


def test_after_a_change_over_everybody_can_still_go_out() -> None:
    kept = row()
    customers = [chain(1_000 + n, 90_000 + n, first_at=n) for n in range(20)]
    for n, (first, _) in enumerate(customers):
        count_in(kept, first, n % 2)

    hand_over(kept, np.array([[0.3, 0.7], [1.0, 0.0]]), keep=10)
    assert sizes(kept) == [13, 7]
    for _, second in customers:
        count_out(kept, second, [0.0, 0.0])

    assert sizes(kept) == [0, 0]
    assert not kept.marks


def test_marks_are_bounded_on_a_stream_ten_times_longer_than_the_bound() -> None:
    kept = row()
    x = vector(Behaviour(events=1))
    for at in range(10 * MAX_MARKS):
        count_in(kept, Sample(at, x, [], [], 0.0, 0), at % 2)

    assert len(kept.marks) == MAX_MARKS
    assert sizes(kept) == [5 * MAX_MARKS, 5 * MAX_MARKS]
