"""Compiled passes through the small network of `online_models.ranker`, forward and back."""

import numpy as np
from numpy.typing import NDArray

from online_models.compilation import compiled

Matrix = NDArray[np.float32]
LEAK = np.float32(0.1)
"""What a hidden unit lets through below 0."""

Chances = NDArray[np.float64]

_NEGLIGIBLE = np.float32(1e-6)
_DIGITS, _LEAST = 6, 1e-12


@compiled("void(float32[:,::1], float32[:,::1], float32[::1], float32[:,::1], float32[::1])")
def score(features: Matrix, weights: Matrix, out: Matrix, hidden: Matrix, scores: Matrix) -> None:
    """Score candidates.

    Parameters
    ----------
    features : array, shape (candidates, features)
    weights : array, shape (features + 1, units + 1)
        Of each feature into each hidden unit and, the last column, into the score; the last row is the bias.
    out : array, shape (units,)
        Of each hidden unit into the score.
    hidden, scores : array, shape (candidates, units + 1) and (candidates,)
        Receive what the hidden units give, and the scores.
    """
    candidates, inputs = features.shape
    units = len(out)
    for n in range(candidates):
        mine = hidden[n]
        mine[:] = weights[inputs]
        for feature in range(inputs):
            value = features[n, feature]
            if value != 0:
                for unit in range(units + 1):
                    mine[unit] += value * weights[feature, unit]
        total = mine[units]
        for unit in range(units):
            if mine[unit] < 0:
                mine[unit] *= LEAK
            total += out[unit] * mine[unit]
        scores[n] = total


@compiled("void(float64[::1], float64[::1])")
def chances(scores: Chances, found: Chances) -> None:
    """Write the softmax of at least one score, rounded to `_DIGITS` digits, at least `_LEAST`."""
    most, total = scores.max(), 0.0
    for n in range(len(scores)):
        found[n] = np.exp(scores[n] - most)
        total += found[n]
    for n in range(len(scores)):
        chance = max(found[n] / total, _LEAST)
        scale = 10.0 ** (_DIGITS - 1 - np.floor(np.log10(chance)))
        found[n] = np.rint(chance * scale) / scale


@compiled("void(float32[:,::1], float32[:,::1], float32[::1], float32[::1], float32[:,::1], float32[::1])")
def gradients(
    features: Matrix,
    hidden: Matrix,
    out: Matrix,
    errors: Matrix,
    of_weights: Matrix,
    of_out: Matrix,
) -> None:
    """Add up the gradients of all weights, given the error of each score."""
    candidates, inputs = features.shape
    units = len(out)
    of_weights[:] = 0
    of_out[:] = 0
    back = np.empty(units + 1, np.float32)
    for n in range(candidates):
        error = errors[n]
        if abs(error) < _NEGLIGIBLE:
            continue
        for unit in range(units):
            of_out[unit] += error * hidden[n, unit]
            back[unit] = error * out[unit] * (np.float32(1) if hidden[n, unit] > 0 else LEAK)
        back[units] = error
        for feature in range(inputs):
            value = features[n, feature]
            if value != 0:
                for unit in range(units + 1):
                    of_weights[feature, unit] += value * back[unit]
        for unit in range(units + 1):
            of_weights[inputs, unit] += back[unit]


@compiled("void(float32[::1], float32[::1], float32[::1], float32)")
def step(weights: Matrix, gradient: Matrix, squares: Matrix, rate: float) -> None:
    """Take a step against the gradient, shorter where gradients were large (Adagrad)."""
    for n in range(len(weights)):
        squares[n] += gradient[n] * gradient[n]
        weights[n] -= rate * gradient[n] / np.sqrt(squares[n])
