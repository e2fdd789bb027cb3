"""What lists do to a catalogue, on hand-worked examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.exposure import catalogue_coverage, exposure_gini, novelty, popularity_lift

CATALOGUE = ["a", "b", "c", "d"]
_lists = st.lists(st.permutations(CATALOGUE), min_size=1, max_size=5)


def test_coverage_counts_only_the_catalogues_items_within_k() -> None:
    assert catalogue_coverage([["a", "b"], ["a", "x"]], CATALOGUE, 1) == 0.25
    assert catalogue_coverage([["a", "b"], ["a", "x"]], CATALOGUE, 2) == 0.5
    assert catalogue_coverage([], CATALOGUE, 2) == 0.0


def test_gini_is_0_for_equal_shares_and_near_1_for_a_single_item() -> None:
    assert exposure_gini([[item] for item in CATALOGUE], CATALOGUE, 1) == 0.0
    assert exposure_gini([["a"]] * 9, CATALOGUE, 1) == 0.75
    assert exposure_gini([["a"], ["a"], ["a"], ["b"]], CATALOGUE, 1) == pytest.approx(0.625)
    assert exposure_gini([], CATALOGUE, 1) == 0.0


@given(_lists, st.integers(1, 4))
def test_gini_is_half_the_relative_mean_difference(lists: list[list[str]], k: int) -> None:
    counts = [sum(item in ranked[:k] for ranked in lists) for item in CATALOGUE]
    differences = sum(abs(x - y) for x in counts for y in counts)
    expected = differences / (2 * len(counts) * sum(counts))
    assert exposure_gini(lists, CATALOGUE, k) == pytest.approx(expected)


def test_popularity_lift_compares_with_what_customers_do() -> None:
    popularity = {"a": 6.0, "b": 2.0}
    # An interaction is with an item of popularity (6 * 6 + 2 * 2) / 8 = 5.
    assert popularity_lift([["a"]], popularity, 1) == pytest.approx(6 / 5 - 1)
    assert popularity_lift([["a", "b"]], popularity, 2) == pytest.approx(4 / 5 - 1)
    assert popularity_lift([["new"]], popularity, 1) == -1.0


def test_novelty_is_the_mean_information_in_bits() -> None:
    popularity = {"a": 4.0, "b": 2.0, "c": 1.0, "d": 1.0}
    assert novelty([["a", "b"], ["c"]], popularity, 2) == pytest.approx((1 + 2 + 3) / 3)
    assert novelty([["new"]], popularity, 1) == 3.0


def test_questions_without_an_answer_are_refused() -> None:
    with pytest.raises(ValueError, match="catalogue is empty"):
        catalogue_coverage([["a"]], [], 1)
    with pytest.raises(ValueError, match="expected at least 1"):
        catalogue_coverage([["a"]], CATALOGUE, 0)
    for ask in (popularity_lift, novelty):
        with pytest.raises(ValueError, match="expected some of each"):
            ask([["a"]], {}, 1)
        with pytest.raises(ValueError, match="expected some of each"):
            ask([], {"a": 1.0}, 1)
