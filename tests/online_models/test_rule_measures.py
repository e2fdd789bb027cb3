from fractions import Fraction
from math import inf, isclose, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.rule_measures import (
    lift,
    log_likelihood_ratio,
    measures,
    measures_beside,
    similarity,
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, int, int, int]:
    """(pair, n_i, n_j, total) of a contingency table with at least one transaction with both items."""
    pair, only_i, only_j, neither = (draw(st.integers(low, 10**6)) for low in (1, 0, 0, 0))
    return pair, pair + only_i, pair + only_j, pair + only_i + only_j + neither


def x_log_x(x: float) -> float:
    return x * log(x) if x else 0.0


def test_measures_of_a_rule_worked_by_hand() -> None:
    # 10 baskets: 3 with both, 1 with tea alone, 2 with the cup alone, 4 with neither.
    rule = measures(pair=3, n_i=4, n_j=5, total=10)
    assert rule.support == 0.3
    assert rule.confidence == 0.75
    assert rule.lift == 1.5
    assert isclose(rule.leverage, 0.1)
    assert rule.conviction == 2.0
    assert rule.jaccard == 0.5
    entropies = [x_log_x(x) for x in (3, 1, 2, 4)], [x_log_x(x) for x in (4, 6)], [x_log_x(5), x_log_x(5)]
    assert isclose(rule.llr, 2 * (sum(entropies[0]) - sum(entropies[1]) - sum(entropies[2]) + x_log_x(10)))


def test_conviction_is_none_where_the_rule_is_never_wrong() -> None:
    assert measures(pair=4, n_i=4, n_j=9, total=10).conviction is None
    assert measures(pair=10, n_i=10, n_j=10, total=10).conviction is None


def test_log_likelihood_ratio_is_zero_at_independence_and_grows_with_the_counts() -> None:
    assert log_likelihood_ratio(pair=25, n_i=50, n_j=50, total=100) == 0
    small, large = (log_likelihood_ratio(3 * n, 4 * n, 5 * n, 10 * n) for n in (1, 1000))
    assert isclose(large, 1000 * small)


@pytest.mark.parametrize("counts", [(0, 4, 5, 10), (0, 0, 5, 10), (5, 5, 5, 5), (5, 5, 5, 10)])
def test_log_likelihood_ratio_of_tables_with_empty_cells_is_finite(
    counts: tuple[int, int, int, int],
) -> None:
    assert 0 <= log_likelihood_ratio(*counts) < inf


@given(tables())
def test_measures_equal_their_definitions_in_exact_arithmetic(table: tuple[int, int, int, int]) -> None:
    pair, n_i, n_j, total = table
    rule = measures(*table)
    support_i, support_j = Fraction(n_i, total), Fraction(n_j, total)
    support = Fraction(pair, total)
    confidence = support / support_i
    assert isclose(rule.support, support)
    assert isclose(rule.confidence, confidence)
    assert isclose(rule.lift, confidence / support_j)
    assert isclose(rule.leverage, support - support_i * support_j, abs_tol=1e-12)
    assert isclose(rule.jaccard, support / (support_i + support_j - support))
    if confidence == 1:
        assert rule.conviction is None
    else:
        assert rule.conviction is not None
        assert isclose(rule.conviction, (1 - support_j) / (1 - confidence))


@given(tables())
def test_log_likelihood_ratio_equals_the_sum_over_the_four_cells(table: tuple[int, int, int, int]) -> None:
    pair, n_i, n_j, total = table
    cells = (pair, n_i - pair, n_j - pair, total - n_i - n_j + pair)
    rows, columns = (n_i, total - n_i), (n_j, total - n_j)
    expected = 2 * (
        sum(map(x_log_x, cells)) - sum(map(x_log_x, rows)) - sum(map(x_log_x, columns)) + x_log_x(total)
    )
    ratio = log_likelihood_ratio(*table)
    assert ratio >= 0
    assert isclose(ratio, expected, rel_tol=1e-6, abs_tol=1e-6)


@given(tables(), st.sampled_from([0.5, 1e-6, 65_536.0]))
def test_measures_but_the_likelihood_ratio_do_not_depend_on_the_unit_of_counts(
    table: tuple[int, int, int, int], unit: float
) -> None:
    one, other = measures(*table), measures(*(count * unit for count in table))
    for name in ("support", "confidence", "lift", "jaccard"):
        assert isclose(getattr(one, name), getattr(other, name), rel_tol=1e-12)
    assert isclose(one.leverage, other.leverage, abs_tol=1e-12)
    assert isclose(one.llr * unit, other.llr, rel_tol=1e-6, abs_tol=1e-6 * max(1.0, unit))


@given(tables())
def test_lift_and_similarity_are_symmetric(table: tuple[int, int, int, int]) -> None:
    pair, n_i, n_j, total = table
    assert lift(pair, n_i, n_j, total) == lift(pair, n_j, n_i, total)
    assert similarity(pair, n_i, n_j) == similarity(pair, n_j, n_i)


@given(*(st.floats(0, 1e18) for _ in range(3)))
def test_similarity_never_leaves_its_range(pair: float, n_i: float, n_j: float) -> None:
    assert 0 <= similarity(pair, n_i, n_j) <= 1


def test_similarity_of_items_with_the_same_customers_is_one() -> None:
    assert similarity(pair=7, n_i=7, n_j=7) == 1.0


@given(tables())
def test_three_measures_and_the_count_say_all_the_others(table: tuple[int, int, int, int]) -> None:
    rule = measures(*table)
    again = measures_beside(table[0], rule.support, rule.confidence, rule.lift)
    assert isclose(again.leverage, rule.leverage, abs_tol=1e-12)
    assert isclose(again.llr, rule.llr, abs_tol=1e-6)
    assert isclose(again.jaccard, rule.jaccard)
    assert (again.conviction is None) == (rule.conviction is None)
    if rule.conviction is not None and again.conviction is not None:
        assert isclose(again.conviction, rule.conviction, rel_tol=1e-6, abs_tol=1e-9)
