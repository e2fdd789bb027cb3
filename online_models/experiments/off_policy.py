"""What another policy would have earned, from the log of one that recorded how likely its choices were.

Three estimates of the same value. Inverse propensity scoring (IPS) is right whatever is shown, and noisy;
self-normalised (SNIPS) is steadier, with a bias that vanishes; doubly robust (DR) lets a model of the reward
carry what it can and corrects it by IPS: right if either the propensities or the model are.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

FOLDS: Final = 5
"""Parts of a log: the model that a part is estimated with has not seen it."""


class Log(NamedTuple):
    """Choices as they were logged; arrays of shape (n,).

    `chosen` are places of items, `contexts` of what was known (0 where nothing was), `propensities`, above 0,
    the chances with which the logging policy made these choices, `rewards` what followed.
    """

    contexts: Places
    chosen: Places
    propensities: Floats
    rewards: Floats


class Value(NamedTuple):
    """A policy's mean reward, its standard error, and the interval of 95 %."""

    value: float
    error: float
    low: float
    high: float


class OffPolicy(NamedTuple):
    """All estimates of one policy; `effective` is how many choices the weighted log is worth (Kish)."""

    ips: Value
    snips: Value
    dr: Value
    effective: float


def off_policy(log: Log, target: Floats, *, most_weight: float = math.inf) -> OffPolicy:
    """Estimate the mean reward of a policy from another one's log.

    Parameters
    ----------
    log : Log
        What was chosen, how likely, and what came of it.
    target : array of float, shape (contexts, items)
        The policy to be judged: the chance of each item in each context; rows sum to 1.
    most_weight : float
        Larger weights are cut to it: less noise for some bias towards what the log has.

    Raises
    ------
    ValueError
        If propensities are not in (0, 1]: the log cannot say what was left to chance.

    References
    ----------
    Dudik, Erhan, Langford, Li: Doubly Robust Policy Evaluation and Optimization, Statistical Science 29,
    2014.
    Swaminathan, Joachims: The Self-Normalized Estimator for Counterfactual Learning, NIPS 2015.

    Examples
    --------
    >>> log = Log(np.zeros(4, np.intp), np.array([0, 1, 0, 1]), np.full(4, 0.5), np.array([1.0, 0, 1, 0]))
    >>> found = off_policy(log, np.array([[1.0, 0.0]]))
    >>> found.ips.value, found.snips.value, found.effective
    (1.0, 1.0, 2.0)
    """
    if not np.all((log.propensities > 0) & (log.propensities <= 1)):
        raise ValueError("propensities must be above 0 and at most 1: explore, and record them")
    weights = np.minimum(target[log.contexts, log.chosen] / log.propensities, most_weight)
    weighted = weights * log.rewards
    total = float(weights.sum())
    # The linearised ratio: its terms have mean 0 around the estimate.
    normalised = float(weighted.sum()) / total if total else 0.0
    around = weights * (log.rewards - normalised) * len(weights) / total if total else weighted
    modelled = _modelled(log, target, weights)
    return OffPolicy(
        _value(weighted),
        _value(around, normalised),
        _value(modelled),
        total**2 / float((weights**2).sum()) if total else 0.0,
    )


def _modelled(log: Log, target: Floats, weights: Floats) -> Floats:
    """Return the doubly robust terms, each part of the log under a model of the others."""
    folds = np.arange(len(weights)) % FOLDS
    terms = np.zeros(len(weights))
    for fold in range(FOLDS):
        inside = folds == fold
        means = _means(log.chosen[~inside], log.rewards[~inside], target.shape[1])
        expected = target[log.contexts[inside]] @ means
        missed = log.rewards[inside] - means[log.chosen[inside]]
        terms[inside] = expected + weights[inside] * missed
    return terms


def _means(chosen: Places, rewards: Floats, items: int) -> Floats:
    """Return the mean reward of each item, with one reward of the mean of all added to each."""
    prior = float(rewards.mean()) if len(rewards) else 0.0
    sums = np.bincount(chosen, rewards, minlength=items)
    return np.asarray((sums + prior) / (np.bincount(chosen, minlength=items) + 1), np.float64)


def _value(terms: Floats, centre: float = 0.0) -> Value:
    n = len(terms)
    value = centre + float(terms.mean())
    error = float(terms.std(ddof=1)) / math.sqrt(n) if n > 1 else math.inf
    return Value(value, error, value - 1.96 * error, value + 1.96 * error)
