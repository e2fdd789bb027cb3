"""Measures of classifiers and of predicted ratings, against scikit-learn and river."""

from typing import Any

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from river import metrics as river_metrics

from online_models.evaluation.classification import THRESHOLD, classification
from online_models.evaluation.rating_errors import mae, rmse

cases = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.7, 1.0])), min_size=1, max_size=30
)
ratings = st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5)), min_size=1, max_size=30)


@given(cases)
def test_a_classifier_is_measured_as_scikit_learn_does(found: list[tuple[bool, float]]) -> None:
    outcomes, probabilities = [y for y, _ in found], [p for _, p in found]
    expected = [p >= THRESHOLD for p in probabilities]
    measured = classification(outcomes, probabilities)
    assert measured.accuracy == pytest.approx(sklearn.metrics.accuracy_score(outcomes, expected))
    precision, recall, f1, _ = sklearn.metrics.precision_recall_fscore_support(
        outcomes, expected, average="binary", zero_division=0.0
    )
    assert (measured.precision, measured.recall, measured.f1) == pytest.approx((precision, recall, f1))
    assert measured.log_loss == pytest.approx(
        sklearn.metrics.log_loss(outcomes, probabilities, labels=[False, True])
    )
    if len(set(outcomes)) == 2:
        assert measured.auc == pytest.approx(sklearn.metrics.roc_auc_score(outcomes, probabilities))
    else:
        assert measured.auc is None


@given(ratings)
def test_rating_errors_are_those_of_river_and_scikit_learn(found: list[tuple[float, float]]) -> None:
    given_, predicted = [y for y, _ in found], [p for _, p in found]
    river: Any = river_metrics
    root, absolute = river.RMSE(), river.MAE()
    for y, p in found:
        root.update(y, p)
        absolute.update(y, p)
    assert rmse(given_, predicted) == pytest.approx(root.get(), abs=1e-9)
    assert mae(given_, predicted) == pytest.approx(absolute.get(), abs=1e-9)
    assert mae(given_, predicted) == pytest.approx(
        sklearn.metrics.mean_absolute_error(given_, predicted), abs=1e-9
    )


@pytest.mark.parametrize("of", [rmse, mae])
@pytest.mark.parametrize(("given_", "predicted"), [([], []), ([1.0], [1.0, 2.0])])
def test_errors_of_nothing_are_refused(of: object, given_: list[float], predicted: list[float]) -> None:
    assert callable(of)
    with pytest.raises(ValueError, match="expected as many, at least 1"):
        of(given_, predicted)


def test_a_classification_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="expected as many, at least 1"):
        classification(np.zeros(0, dtype=np.bool_), [])
