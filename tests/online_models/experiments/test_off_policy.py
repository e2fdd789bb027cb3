"""Off-policy estimates against values worked by hand, and on a world whose answer is known."""

import math

import numpy as np
import pytest

from online_models.experiments.off_policy import FOLDS, Floats, Log, off_policy

ITEMS, CONTEXTS = 6, 2
RNG = np.random.default_rng(11)
CLICK = RNG.uniform(0.02, 0.4, (CONTEXTS, ITEMS))
LOGGING = RNG.dirichlet(np.full(ITEMS, 3.0), CONTEXTS)
TARGET = RNG.dirichlet(np.full(ITEMS, 1.0), CONTEXTS)
CONTEXT_SHARES = np.array([0.3, 0.7])
TRUTH = float(CONTEXT_SHARES @ (TARGET * CLICK).sum(axis=1))


def a_log(n: int, seed: int, *, propensities: Floats = LOGGING) -> Log:
    """Choices of the logging policy; the propensities that it records may be wrong."""
    rng = np.random.default_rng(seed)
    contexts = rng.choice(CONTEXTS, n, p=CONTEXT_SHARES)
    chosen = (rng.random((n, 1)) > LOGGING.cumsum(axis=1)[contexts, :-1]).sum(axis=1)
    rewards = (rng.random(n) < CLICK[contexts, chosen]).astype(np.float64)
    return Log(contexts, chosen, propensities[contexts, chosen], rewards)


def test_values_are_those_worked_by_hand() -> None:
    # Weights 1.6, 0.4, 1.6, 0.8 with rewards 1, 1, 0, 0: 2 of 4 in all, of 4.4 by weight.
    log = Log(
        np.zeros(4, np.intp),
        np.array([0, 1, 0, 1]),
        np.array([0.5, 0.5, 0.5, 0.25]),
        np.array([1.0, 1.0, 0.0, 0.0]),
    )
    found = off_policy(log, np.array([[0.8, 0.2]]))
    assert found.ips.value == pytest.approx(0.5)
    assert found.snips.value == pytest.approx(2 / 4.4)
    assert found.effective == pytest.approx(4.4**2 / (1.6**2 + 0.4**2 + 1.6**2 + 0.8**2))
    spread = np.std([1.6, 0.4, 0.0, 0.0], ddof=1) / 2
    assert found.ips.error == pytest.approx(spread)
    assert found.ips.low == pytest.approx(0.5 - 1.96 * spread)


def test_a_model_of_rewards_is_never_asked_about_what_it_has_learned() -> None:
    # One choice in each part: the model of the others alone predicts it.
    rewards = np.array([1.0, 0.0, 0.0, 0.0, 0.0])
    log = Log(np.zeros(FOLDS, np.intp), np.zeros(FOLDS, np.intp), np.ones(FOLDS), rewards)
    found = off_policy(log, np.array([[1.0]]))
    assert found.dr.value == pytest.approx(0.2)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    covered = dict.fromkeys(("ips", "snips", "dr"), 0)
    for seed in range(100):
        found = off_policy(a_log(1_000, seed), TARGET)
        for name in covered:
            value = getattr(found, name)
            covered[name] += value.low <= TRUTH <= value.high
    assert all(89 <= times <= 100 for times in covered.values()), covered


def test_a_policy_judged_by_its_own_log_earned_what_it_earned() -> None:
    log = a_log(500, 3)
    found = off_policy(log, LOGGING)
    assert [found.ips.value, found.snips.value] == pytest.approx([log.rewards.mean()] * 2)
    assert found.effective == pytest.approx(500)


def test_a_right_model_makes_up_for_wrong_propensities_and_weights_alone_do_not() -> None:
    # In one context the mean of an item is the right model of its rewards.
    rng = np.random.default_rng(5)
    n, click = 20_000, np.array([0.1, 0.5])
    chosen = (rng.random(n) < 0.5).astype(np.intp)
    rewards = (rng.random(n) < click[chosen]).astype(np.float64)
    log = Log(np.zeros(n, np.intp), chosen, np.where(chosen == 1, 0.9, 0.5), rewards)
    target = np.array([[0.2, 0.8]])
    truth = float(target[0] @ click)
    found = off_policy(log, target)
    assert abs(found.dr.value - truth) < 0.02
    assert abs(found.ips.value - truth) > 0.1


def test_cutting_weights_trades_noise_for_bias() -> None:
    log = a_log(2_000, 9)
    free, cut = off_policy(log, TARGET), off_policy(log, TARGET, most_weight=1.0)
    assert cut.ips.error < free.ips.error
    assert cut.ips.value < free.ips.value
    assert math.isfinite(cut.dr.value)


@pytest.mark.parametrize("propensity", [0.0, -0.1, 1.5, math.nan])
def test_a_log_without_propensities_is_refused(propensity: float) -> None:
    log = Log(np.zeros(1, np.intp), np.zeros(1, np.intp), np.array([propensity]), np.ones(1))
    with pytest.raises(ValueError, match="propensities must be above 0"):
        off_policy(log, np.array([[1.0]]))
