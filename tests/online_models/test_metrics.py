"""Metrics of one list against scikit-learn and hand-worked examples, and the running hit rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, ndcg_score, precision_score, recall_score

from online_models import metrics
from online_models.metrics import PrequentialHits

ITEMS = [f"i{n}" for n in range(9)]
_ranked = st.permutations(ITEMS)
_relevant = st.sets(st.sampled_from(ITEMS), min_size=1)
_k = st.integers(1, len(ITEMS))


def labels(ranked: list[str], relevant: set[str]) -> list[int]:
    return [int(item in relevant) for item in ranked]


@given(_ranked, _relevant, _k)
def test_precision_recall_and_f1_equal_scikit_learn(ranked: list[str], relevant: set[str], k: int) -> None:
    truth = labels(ranked, relevant)
    shown = [1] * k + [0] * (len(ranked) - k)
    for ours, theirs in (
        (metrics.precision, precision_score),
        (metrics.recall, recall_score),
        (metrics.f1, f1_score),
    ):
        assert ours(ranked, relevant, k) == pytest.approx(theirs(truth, shown, zero_division=0))


@given(_ranked, _relevant, _k)
def test_ndcg_equals_scikit_learn(ranked: list[str], relevant: set[str], k: int) -> None:
    scores = np.arange(len(ranked), 0, -1)
    expected = ndcg_score([labels(ranked, relevant)], [scores], k=k)
    assert metrics.ndcg(ranked, relevant, k) == pytest.approx(expected)


@given(_ranked, _relevant)
def test_average_precision_of_a_full_list_equals_scikit_learn(ranked: list[str], relevant: set[str]) -> None:
    expected = average_precision_score(labels(ranked, relevant), np.arange(len(ranked), 0, -1))
    assert metrics.average_precision(ranked, relevant, len(ranked)) == pytest.approx(expected)


def test_average_precision_is_cut_at_k() -> None:
    assert metrics.average_precision(["a", "x", "b"], {"a", "b", "c"}, 2) == 1 / 2
    assert metrics.average_precision(["a", "b", "x"], {"a", "b", "c"}, 2) == 1.0


def test_ranks_beyond_k_do_not_count() -> None:
    ranked = ["x", "y", "a"]
    assert [metrics.hit_rate(ranked, {"a"}, k) for k in (2, 3)] == [0.0, 1.0]
    assert [metrics.reciprocal_rank(ranked, {"a"}, k) for k in (2, 3)] == [0.0, 1 / 3]


def test_a_short_list_has_empty_places() -> None:
    assert metrics.precision(["a"], {"a"}, 10) == 0.1
    assert metrics.ndcg(["a"], {"a"}, 10) == 1.0
    assert metrics.ndcg([], {"a"}, 10) == metrics.average_precision([], {"a"}, 10) == 0.0


@pytest.mark.parametrize("relevant, k", [(set(), 1), ({"a"}, 0)])
def test_nothing_relevant_or_no_places_is_refused(relevant: set[str], k: int) -> None:
    with pytest.raises(ValueError, match="expected at least 1"):
        metrics.recall(["a"], relevant, k)


def test_the_last_list_before_an_act_counts() -> None:
    hits = PrequentialHits(k=2)
    hits.learn("anna", ["a"])
    assert (hits.queries, hits.hit_rate, hits.popular_hit_rate) == (0, 0.0, 0.0)
    hits.give("anna", ["a", "b", "c"], popular=["p"])
    hits.learn("anna", ["b"])
    hits.learn("anna", ["c"])
    hits.give("anna", ["c"], popular=["p"])
    hits.learn("anna", ["c", "p"])
    hits.learn("anna", [])
    assert (hits.queries, hits.hits, hits.popular_hits) == (3, 2, 1)
    assert hits.hit_rate == 2 / 3
    assert hits.popular_hit_rate == 1 / 3


def test_lists_kept_are_bounded_and_the_oldest_goes_first() -> None:
    hits = PrequentialHits(k=1, max_customers=2)
    for customer in ("anna", "bert", "anna", "cleo"):
        hits.give(customer, ["a"], popular=[])
    for customer in ("anna", "bert", "cleo"):
        hits.learn(customer, ["a"])
    assert hits.queries == 2


@pytest.mark.parametrize("k, most", [(0, 1), (1, 0)])
def test_a_hit_rate_of_no_places_is_refused(k: int, most: int) -> None:
    with pytest.raises(ValueError, match="expected at least 1"):
        PrequentialHits(k, max_customers=most)
