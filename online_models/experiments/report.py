"""What may be said of an experiment now: figures of each arm, differences from the control, and a verdict."""

from collections.abc import Mapping
from typing import Final

from online_models.experiments.assignment import shares_of
from online_models.experiments.estimates import FEWEST, METRICS, Estimate, Metric, estimate, interval
from online_models.experiments.sample_ratio import MISMATCH, chi_square_p_value, sequential_p_value
from online_models.experiments.sequential import difference
from online_models.experiments.tallies import BUYER, CLICKS, LISTS, ORDERS, REVENUE, VISITS, empty
from schemas.experiments import (
    ArmReport,
    ArmTally,
    ComparedMetric,
    Experiment,
    ExperimentReport,
    MetricReport,
    SampleRatio,
)

ALPHA: Final = 0.05
"""Chance of any false verdict on the goal, over the whole experiment and all its variants."""

_MOST_CROSSED: Final = 0.01
_MILLIONTHS: Final = 1_000_000

TOO_EARLY: Final = "too early to tell"
BETTER: Final = "better than the control"
WORSE: Final = "worse than the control"


def report(experiment: Experiment, arms: Mapping[str, ArmTally]) -> ExperimentReport:
    """Say what may be said of an experiment.

    Parameters
    ----------
    experiment : Experiment
        As it is set.
    arms : mapping of str to ArmTally
        All partitions together (see `online_models.experiments.tallies.merged`).

    Notes
    -----
    The verdict is about the goal alone, which was named before: of six metrics one differs by chance sooner
    or later. With several variants each is compared at alpha divided by their number (Bonferroni). There is
    none where the sample ratio is wrong, or one in a hundred crossed: then the arms differ by more than
    their lists.

    Examples
    --------
    >>> from schemas.experiments import Variant
    >>> halves = tuple(Variant(name=name, share=0.5) for name in ("control", "long"))
    >>> found = report(Experiment(name="length", variants=halves), {})
    >>> [(arm.variant, arm.customers, arm.verdict) for arm in found.arms]
    [('control', 0, 'the control'), ('long', 0, 'too early to tell')]
    """
    names = [variant.name for variant in experiment.variants]
    tallies = {name: arms.get(f"{experiment.name}:{name}") or empty() for name in names}
    ratio = _sample_ratio(experiment, tallies)
    alpha = ALPHA / (len(names) - 1)
    control = tallies[experiment.control]
    reports = []
    for name in names:
        metrics = [_metric(metric, control, tallies[name], alpha) for metric in METRICS]
        verdict = "the control"
        if name != experiment.control:
            verdict = _verdict(experiment, metrics, [control, tallies[name]], mismatch=ratio.mismatch)
        else:
            metrics = [MetricReport(each.metric, each.value, each.low, each.high) for each in metrics]
        reports.append(_arm(name, tallies[name], metrics, verdict))
    return ExperimentReport(experiment.name, experiment.goal, experiment.control, ratio, reports)


def _sample_ratio(experiment: Experiment, tallies: Mapping[str, ArmTally]) -> SampleRatio:
    shares = shares_of(experiment)
    customers = [tallies[name].customers for name in shares]
    sequential = sequential_p_value(customers, list(shares.values()))
    chi_square = chi_square_p_value(customers, list(shares.values()))
    return SampleRatio(shares, _rounded(sequential), _rounded(chi_square), sequential < MISMATCH)


def _metric(metric: Metric, control: ArmTally, tally: ArmTally, alpha: float) -> MetricReport:
    found, ends = estimate(tally, metric), interval(tally, metric)
    if found is None or ends is None:
        return MetricReport(metric.name)
    against = estimate(control, metric)
    compared = None
    enough = min(control.customers, tally.customers) >= FEWEST
    if against is not None and enough and found.variance + against.variance > 0:
        compared = _compared(against, found, alpha)
    low, high = ends
    return MetricReport(metric.name, _rounded(found.value), _rounded(low), _rounded(high), compared)


def _compared(control: Estimate, treatment: Estimate, alpha: float) -> ComparedMetric:
    found = difference(control, treatment, alpha=alpha)
    relative = _rounded(found.value / control.value) if control.value else None
    value, low, high, p_value = map(_rounded, found)
    return ComparedMetric(value, relative, low, high, p_value)


def _verdict(
    experiment: Experiment, metrics: list[MetricReport], both: list[ArmTally], *, mismatch: bool
) -> str:
    if mismatch:
        return "not valid: customers are not shared out as set"
    customers, crossed = sum(each.customers for each in both), sum(each.crossed for each in both)
    if crossed > _MOST_CROSSED * customers:
        return "not valid: too many customers were in two variants"
    compared = next(each.against_control for each in metrics if each.metric == experiment.goal)
    if compared is None or compared.low <= 0 <= compared.high:
        return TOO_EARLY
    return BETTER if compared.difference > 0 else WORSE


def _arm(name: str, tally: ArmTally, metrics: list[MetricReport], verdict: str) -> ArmReport:
    sums = tally.sums
    return ArmReport(
        name,
        tally.customers,
        tally.crossed,
        sums[LISTS],
        sums[CLICKS],
        sums[VISITS],
        sums[BUYER],
        sums[ORDERS],
        sums[REVENUE] / _MILLIONTHS,
        metrics,
        verdict,
    )


def _rounded(value: float) -> float:
    """Six significant digits: what comes after is of no use to anybody."""
    return float(f"{value:.6g}")
