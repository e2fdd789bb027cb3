"""BG/NBD: whether a customer will come back, and how often, from how many visits there were and when.

A customer visits at a rate of their own and may be lost for good after each visit; rates are Gamma(r, alpha)
over all customers, chances of being lost Beta(a, b). Times are in days. Pure functions of numbers.
"""

from collections.abc import Sequence
from math import exp, lgamma, log, sqrt
from typing import Final, NamedTuple

BEGIN: Final = (0.0, 1.0, -1.0, 1.0)
"""Logarithms of r, alpha, a and b before anything is learned."""

_RATE: Final = 0.05
_STEP: Final = 1e-4
_FARTHEST: Final = 6.0
_TERMS: Final = 500
_CLOSE: Final = 1e-12


class Visited(NamedTuple):
    """Visits after the first one, when the last one was, and how long the customer is known (days)."""

    repeats: int
    last: float
    age: float


def chance(back: Sequence[float], visited: Visited) -> float:
    """Return the chance that the customer is not lost.

    Parameters
    ----------
    back : sequence of float, shape (4,)
        r, alpha (days), a, b.
    visited : Visited
        Of the customer; who came once only is not lost, in this model.

    References
    ----------
    Fader, Hardie, Lee: "Counting Your Customers" the Easy Way: An Alternative to the Pareto/NBD Model,
    Marketing Science 24(2), 2005; the formula is from Fader, Hardie, Lee: Computing P(alive) Using the
    BG/NBD Model, 2008.

    Examples
    --------
    >>> back = (0.243, 4.414, 0.793, 2.426)  # of the paper, in weeks
    >>> round(chance(back, Visited(2, 30.43, 38.86)), 4), round(chance(back, Visited(0, 0.0, 38.86)), 1)
    (0.7266, 1.0)
    """
    r, alpha, a, b = back
    if not visited.repeats:
        return 1.0
    odds = (r + visited.repeats) * log((alpha + visited.age) / (alpha + visited.last))
    lost = a / (b + visited.repeats - 1) * exp(min(odds, 700.0))
    return 1.0 / (1.0 + lost)


def expected(back: Sequence[float], visited: Visited, days: float) -> float:
    """Return how many visits are expected in the next so many days (equation 10 of the paper).

    Examples
    --------
    >>> back = (0.243, 4.414, 0.793, 2.426)
    >>> round(expected(back, Visited(2, 30.43, 38.86), 39.0), 3)
    1.226
    """
    r, alpha, a, b = back
    if abs(a - 1.0) < _STEP:
        a = 1.0 + _STEP
    whole = alpha + visited.age
    many = a + b + visited.repeats - 1
    # Euler's transformation of the paper's series: its terms stay small, however many visits there were.
    series = _hypergeometric(a + b - 1 - r, a - 1, many, days / (whole + days))
    more = many / (a - 1) * (1.0 - (whole / (whole + days)) ** (a - 1) * series)
    return max(float(more) * chance(back, visited), 0.0)


def learn(logs: list[float], squares: list[float], visited: Visited) -> None:
    """Take one step up the likelihood of a customer, in place (AdaGrad on the logarithms).

    Parameters
    ----------
    logs : list of float, shape (4,)
        Logarithms of r, alpha, a and b, kept within 6 of 0.
    squares : list of float, shape (4,)
        Sums of squared gradients.
    visited : Visited
        Of the customer.

    References
    ----------
    Duchi, Hazan, Singer: Adaptive Subgradient Methods for Online Learning and Stochastic Optimization, 2011.

    Examples
    --------
    >>> logs, squares = list(BEGIN), [0.0] * 4
    >>> for _ in range(50):
    ...     learn(logs, squares, Visited(5, 50.0, 52.0))
    >>> _likelihood(logs, Visited(5, 50.0, 52.0)) > _likelihood(BEGIN, Visited(5, 50.0, 52.0))
    True
    """
    gradient = []
    for place in range(len(logs)):
        up, down = list(logs), list(logs)
        up[place] += _STEP
        down[place] -= _STEP
        gradient.append((_likelihood(up, visited) - _likelihood(down, visited)) / (2 * _STEP))
    for place, slope in enumerate(gradient):
        squares[place] += slope * slope
        moved = logs[place] + _RATE * slope / (sqrt(squares[place]) + 1e-8) * _slower(squares[place])
        logs[place] = min(max(moved, -_FARTHEST), _FARTHEST)


def _slower(squares: float) -> float:
    """Wide steps at first, AdaGrad's own in the end."""
    return 1.0 + 4.0 / (1.0 + squares / 100.0)


def _likelihood(logs: Sequence[float], visited: Visited) -> float:
    """Logarithm of the likelihood of one customer (equation 6 of the paper)."""
    r, alpha, a, b = map(exp, logs)
    x, last, age = visited
    common = lgamma(r + x) - lgamma(r) + r * log(alpha)
    beta = lgamma(a + b) + lgamma(b + x) - lgamma(b) - lgamma(a + b + x)
    alive = -(r + x) * log(alpha + age)
    if not x:
        return common + beta + alive
    lost = log(a) - log(b + x - 1) - (r + x) * log(alpha + last)
    most = max(alive, lost)
    return common + beta + most + log(exp(alive - most) + exp(lost - most))


def _hypergeometric(a: float, b: float, c: float, z: float) -> float:
    """Gauss' 2F1 by its series, for z from 0 to below 1; c is no negative whole number."""
    total = term = 1.0
    for n in range(_TERMS):
        term *= (a + n) * (b + n) / ((c + n) * (n + 1)) * z
        total += term
        if abs(term) < _CLOSE * abs(total):
            break
    return total
