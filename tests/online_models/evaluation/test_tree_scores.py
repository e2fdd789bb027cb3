"""How trees are measured: as scikit-learn measures, before they learn, with intervals that hold the value."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

from online_models.evaluation.drift_points import drift_points
from online_models.evaluation.tree_scores import Answers, answered, auc_interval, scores
from schemas.settings import Settings
from tests.online_models.test_trees import outcomes


def test_measures_are_those_of_scikit_learn_and_the_interval_holds_them() -> None:
    found = answered(outcomes(1, 2_500), Settings(), warmup=1_500)
    told = scores(found, seed=1)
    assert told.outcomes == len(found.bought) == 1_000
    assert told.buys.auc == pytest.approx(roc_auc_score(found.bought, found.chances))
    assert told.buys.log_loss == pytest.approx(log_loss(found.bought, found.chances))
    assert told.buys.accuracy == accuracy_score(found.bought, np.array(found.chances) >= 0.5)
    assert told.auc_interval is not None
    assert told.buys.auc is not None
    assert told.auc_interval.low < told.buys.auc < told.auc_interval.high
    assert told.next is not None
    assert told.next.accuracy > 0.8 > told.next.same_as_last
    assert [point.outcomes for point in told.curve][-1] == 1_000
    assert told == scores(found, seed=1)


def test_changes_are_told_when_they_were_noticed() -> None:
    log = outcomes(1, 2_000) + outcomes(2, 1_000, turned=True)
    told = scores(answered(log, Settings(), warmup=500), seed=1)
    assert told.drifts[0].task == "buys"
    assert told.drifts[0].after > told.drifts[0].before


def test_an_outcome_is_answered_before_it_is_learned() -> None:
    log = outcomes(1, 600)
    whole = answered(log, Settings(), warmup=500)
    cut = answered(log[:501], Settings(), warmup=500)
    assert whole.chances[0] == cut.chances[0]
    assert cut.bought == [log[500].bought]


def test_nothing_to_answer_is_said_so() -> None:
    with pytest.raises(ValueError, match="no outcome of a session was answered"):
        scores(Answers(), seed=1)
    with pytest.raises(ValueError, match="no outcome of a session was answered"):
        scores(answered(outcomes(1, 50), Settings(), warmup=0), seed=1)


def test_differences_of_classifiers_are_of_the_same_outcomes() -> None:
    drawn = np.random.default_rng(1)
    happened = drawn.random(2_000) < 0.3
    good, none = happened + drawn.normal(0, 1, 2_000), drawn.normal(0, 1, 2_000)
    first, second = auc_interval(happened, [good, none], seed=2)
    assert first is not None
    assert second is not None
    assert first.low < roc_auc_score(happened, good) < first.high
    assert second.low < roc_auc_score(happened, none) - roc_auc_score(happened, good) < second.high < 0
    assert auc_interval(happened | True, [good], seed=2) == [None]


def test_a_hit_rate_that_changes_has_a_point_and_one_that_does_not_has_none() -> None:
    drawn = np.random.default_rng(5).random(3_000)
    stable = [float(x) for x in drawn < 0.4]
    assert drift_points(stable, range(3_000)) == []
    fallen = stable[:1_500] + [float(x) for x in drawn[1_500:] < 0.1]
    (point, *_) = drift_points(fallen, range(3_000))
    assert 1_500 < point.queries < 1_700
    assert point.at == point.queries - 1
    assert point.before > 0.35 > point.after
