from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from online_models.landmarks import FARTHEST, PartnerCounts, counts_by_key, moved, plausible, total_of
from online_models.pair_table import Entries, name_key
from schemas.messages import ItemCounts, Totals

EPOCHS = st.integers(-20, 20)
COUNTS = st.floats(0, 1e15)


@given(st.integers(0, 2**52), EPOCHS, EPOCHS)
def test_moving_a_count_there_and_back_loses_nothing(count: int, here: int, there: int) -> None:
    assert moved(moved(count, from_epoch=here, to_epoch=there), from_epoch=there, to_epoch=here) == count


def test_a_count_that_stays_under_its_landmark_stays_the_same_integer() -> None:
    count = 2**60 + 1
    assert moved(count, from_epoch=3, to_epoch=3) is count


def test_landmarks_any_distance_apart_neither_overflow_nor_divide_by_zero() -> None:
    near, far = (moved(2**62, from_epoch=epoch, to_epoch=0) for epoch in (FARTHEST, 10**9))
    assert near == far < 1e80
    assert moved(1, from_epoch=-(10**9), to_epoch=0) > 0


def test_totals_of_all_partitions_are_added_under_one_landmark() -> None:
    totals = [Totals(0, 5, (0, 8, 1), 0), Totals(1, 6, (0, 8, 1), 0)]
    assert (total_of(totals, 1, epoch=6), total_of(totals, 2, epoch=5), total_of([], 1, epoch=0)) == (
        12,
        3,
        0,
    )


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_plausible_counts_are_parts_of_their_wholes_and_only_grow(
    pair: float, n_i: float, n_j: float, total: float
) -> None:
    raised = plausible(pair, n_i, n_j, total)
    assert raised >= (pair, n_i, n_j, total)
    assert raised[0] == pair <= min(raised[1], raised[2])
    assert max(raised[1], raised[2]) <= raised[3] * (1 + 1e-12)
    assert plausible(*raised) == raised


def test_exact_counts_are_plausible_as_they_are() -> None:
    assert plausible(3, 4, 5, 6) == (3, 4, 5, 6)


def test_partners_are_looked_up_once_and_unknown_ones_left_out() -> None:
    asked: list[int] = []
    at_hand = counts_by_key([ItemCounts(item, 2, (4, 8, 16)) for item in "ab"])

    def counts_of(keys: Sequence[int]) -> Sequence[ItemCounts | None]:
        asked.extend(keys)
        return at_hand(keys)

    def pairs(**counts: int) -> Entries:
        return Entries(np.array(list(map(name_key, counts))), np.array(list(counts.values())))

    partners = PartnerCounts(counts_of, epoch=1)
    assert partners.known(pairs(a=1, unknown=9), scope=0) == (["a"], [1], [8.0])
    assert partners.known(pairs(b=2, a=3, unknown=9), scope=2) == (["b", "a"], [2, 3], [32.0, 32.0])
    assert asked == list(map(name_key, ["a", "unknown", "b"]))
