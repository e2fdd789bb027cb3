"""Who takes part in which experiment, and in which variant: a hash of the key, no state, no draw."""

from collections.abc import Iterable
from typing import Final

from online_models.key_digests import digest_of
from schemas.experiments import SLOTS, Experiment

BUCKETS: Final = 10_000
"""Shares of variants are exact to one in so many."""


class Assignment:
    """Tells the arm of a customer or guest.

    A customer's slot depends on the key alone, the variant on salt, experiment and key; so experiments in
    other slots have other customers, and two experiments in the same slots, one after the other, draw
    variants independently.

    Parameters
    ----------
    experiments : iterable of Experiment
        Of which no two have a slot in common at the same time.

    References
    ----------
    Tang, Agarwal, O'Brien, Meyer: Overlapping Experiment Infrastructure, KDD 2010.

    Examples
    --------
    >>> from schemas.experiments import Variant
    >>> halves = tuple(Variant(name=name, share=0.5) for name in ("short", "long"))
    >>> length = Experiment(name="length", variants=halves, control="short", starts_at=100)
    >>> assignment = Assignment([length])
    >>> assignment.arm_of("u:anna", at=100), assignment.arm_of("u:anna", at=99)
    ('length:long', None)
    """

    def __init__(self, experiments: Iterable[Experiment]) -> None:
        self._experiments = [(each, _bounds(each)) for each in experiments]

    def arm_of(self, key: str, at: int) -> str | None:
        """Return the arm of a customer or guest, by key as in events, as of `at` (epoch ms); None without.

        An order that bears no customer has no list, and so no arm.
        """
        if not self._experiments or key[:2] not in ("u:", "s:"):
            return None
        slot = digest_of("slot", key) % SLOTS
        for experiment, bounds in self._experiments:
            if experiment.first_slot <= slot <= experiment.last_slot and _runs(experiment, at):
                bucket = digest_of(f"{experiment.salt}|{experiment.name}", key) % BUCKETS
                return f"{experiment.name}:{next(variant for upto, variant in bounds if bucket < upto)}"
        return None


def shares_of(experiment: Experiment) -> dict[str, float]:
    """Return the shares of customers that the variants of an experiment really have."""
    shares, before = {}, 0
    for upto, variant in _bounds(experiment):
        shares[variant] = (upto - before) / BUCKETS
        before = upto
    return shares


def _bounds(experiment: Experiment) -> list[tuple[int, str]]:
    """Return where the buckets of each variant end."""
    bounds, share = [], 0.0
    for variant in experiment.variants:
        share += variant.share
        bounds.append((round(share * BUCKETS), variant.name))
    return bounds


def _runs(experiment: Experiment, at: int) -> bool:
    begun = experiment.starts_at is None or at >= experiment.starts_at
    return begun and (experiment.ends_at is None or at < experiment.ends_at)
