"""Learning to rank, list by list: a small network that learns from what was chosen out of a list."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from online_models.ranker_kernels import gradients, score, step

Matrix = NDArray[np.float32]
UNITS: Final = 32
"""Hidden units, unless told otherwise."""

_FIRST_SQUARE: Final = 1e-3


class ListwiseRanker:
    """Scores the candidates of a list by their features; softmax over the list, cross-entropy, Adagrad.

    One hidden layer beside a direct linear part. A list is learned in one step and is not kept.

    References
    ----------
    Cao, Qin, Liu, Tsai, Li: Learning to rank, from pairwise approach to listwise approach, ICML 2007;
    Duchi, Hazan, Singer: Adaptive subgradient methods, JMLR 2011.

    Parameters
    ----------
    features : int
        Features of a candidate; a scale of about 0 to 1 suits.
    units : int
        Hidden units.
    rate : float
        Length of the first steps.
    seed : int
        Of the first weights.
    prior : sequence of float
        What the score of a candidate is, as weights of its features, before anything is learned; by chance
        when empty.

    Examples
    --------
    >>> ranker = ListwiseRanker(features=2)
    >>> cheap_and_dear = np.array([[1, 0], [0, 1]], np.float32)
    >>> for _ in range(50):
    ...     ranker.learn_one(cheap_and_dear, 1)
    >>> int(ranker.score_many(cheap_and_dear).argmax())
    1
    """

    def __init__(
        self,
        features: int,
        *,
        units: int = UNITS,
        rate: float = 0.1,
        seed: int = 1,
        prior: Sequence[float] = (),
    ) -> None:
        drawn = np.random.default_rng(seed)
        weights = drawn.standard_normal((features + 1, units + 1)) / np.sqrt(features)
        weights[features], weights[:, units] = 0, 0
        out = drawn.standard_normal(units) / np.sqrt(units)
        if len(prior):
            weights[:features, units], out = prior, np.zeros(units)
        self._take(weights.astype(np.float32), out.astype(np.float32))
        self._squares = np.full(self._weights.size, _FIRST_SQUARE, np.float32)
        self._out_squares = np.full(units, _FIRST_SQUARE, np.float32)
        self._rate = rate

    def _take(self, weights: Matrix, out: Matrix) -> None:
        self._weights, self._out = weights, out
        self._gradient, self._out_gradient = np.zeros_like(weights), np.zeros_like(out)

    @classmethod
    def over(
        cls, weights: Matrix, out: Matrix, squares: Matrix, out_squares: Matrix, *, rate: float = 0.1
    ) -> "ListwiseRanker":
        """Make a ranker that goes on with these arrays, and changes them: flat, as `arrays` gives them."""
        ranker, units = cls.__new__(cls), len(out)
        ranker._take(weights.reshape(-1, units + 1), out)
        ranker._squares, ranker._out_squares, ranker._rate = squares, out_squares, rate
        return ranker

    def arrays(self) -> tuple[Matrix, Matrix, Matrix, Matrix]:
        """Return weights, of features and of units, and the sums of squared gradients of each; all flat."""
        return self._weights.ravel(), self._out, self._squares, self._out_squares

    def score_many(self, features: Matrix) -> Matrix:
        """Return a score for each candidate, higher for those more likely to be chosen.

        Parameters
        ----------
        features : array of float32, shape (candidates, features)
        """
        return self._forward(features)[1]

    def learn_one(self, features: Matrix, outcome: int) -> None:
        """Learn which candidate of a list was chosen.

        Parameters
        ----------
        features : array of float32, shape (candidates, features)
        outcome : int
            Its place in the list.
        """
        hidden, errors = self._forward(features)
        np.exp(errors - errors.max(), out=errors)
        errors /= errors.sum()
        errors[outcome] -= 1
        gradients(features, hidden, self._out, errors, self._gradient, self._out_gradient)
        step(self._weights.ravel(), self._gradient.ravel(), self._squares, self._rate)
        step(self._out, self._out_gradient, self._out_squares, self._rate)

    def weights(self) -> tuple[Matrix, Matrix]:
        """Return copies of the weights: of features, shape (features + 1, units + 1), and of units."""
        return self._weights.copy(), self._out.copy()

    def _forward(self, features: Matrix) -> tuple[Matrix, Matrix]:
        hidden = np.empty((len(features), len(self._out) + 1), np.float32)
        scores = np.empty(len(features), np.float32)
        score(features, self._weights, self._out, hidden, scores)
        return hidden, scores
