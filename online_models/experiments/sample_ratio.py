"""Whether customers came to the variants in the shares that were set: if not, nothing else counts."""

import math
from collections.abc import Sequence
from typing import Final

MISMATCH: Final = 0.001
"""Below this p-value the shares are not those that were set."""

_CONCENTRATION: Final = 10_000.0


def chi_square_p_value(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return the p-value of Pearson's test that counts were drawn with the shares; for one look only.

    Parameters
    ----------
    counts : sequence of int
        Customers of each variant.
    shares : sequence of float
        As set; they sum to 1.

    Examples
    --------
    >>> round(chi_square_p_value([821_588, 815_482], [0.5, 0.5]), 9), chi_square_p_value([0, 0], [0.5, 0.5])
    (1.822e-06, 1.0)
    """
    total = sum(counts)
    if not total:
        return 1.0
    statistic = math.fsum(
        (n - total * share) ** 2 / (total * share) for n, share in zip(counts, shares, strict=True)
    )
    return chi_square_tail(statistic, len(counts) - 1)


def chi_square_tail(statistic: float, degrees: int) -> float:
    """Return how likely a chi-square variable is to be above a value.

    Notes
    -----
    Q(x; 1) = erfc(sqrt(x / 2)), Q(x; 2) = exp(-x / 2) and
    Q(x; d + 2) = Q(x; d) + (x / 2)^(d / 2) exp(-x / 2) / Gamma(d / 2 + 1).

    Examples
    --------
    >>> [round(chi_square_tail(x, degrees), 4) for x, degrees in ((3.8415, 1), (5.9915, 2), (7.8147, 3))]
    [0.05, 0.05, 0.05]
    """
    half = statistic / 2
    if half <= 0:
        return 1.0
    tail, known = (math.erfc(math.sqrt(half)), 1) if degrees % 2 else (math.exp(-half), 2)
    for d in range(known, degrees, 2):
        tail += math.exp(d / 2 * math.log(half) - half - math.lgamma(d / 2 + 1))
    return min(1.0, tail)


def sequential_p_value(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return a p-value of the same question that stays one however often it is looked at.

    The chance that it is ever at most a, over the whole experiment, is at most a if the shares are right.

    Notes
    -----
    The inverse of a Bayes factor, which is a martingale: the likelihood of the counts under shares drawn from
    a Dirichlet distribution around those that were set, by that under these.

    References
    ----------
    Lindon, Malek: Anytime-Valid Inference for Multinomial Count Data, NeurIPS 2022.

    Examples
    --------
    >>> sequential_p_value([500, 500], [0.5, 0.5]), sequential_p_value([5_000, 4_400], [0.5, 0.5]) < MISMATCH
    (1.0, True)
    """
    prior = [_CONCENTRATION * share for share in shares]
    evidence = math.lgamma(_CONCENTRATION) - math.lgamma(_CONCENTRATION + sum(counts))
    for n, share, weight in zip(counts, shares, prior, strict=True):
        evidence += math.lgamma(weight + n) - math.lgamma(weight) - n * math.log(share)
    return min(1.0, math.exp(min(0.0, -evidence)))
