"""Figures of the running experiments as metrics: what the settings name, and nothing else, is a label."""

from collections.abc import Sequence

from online_models.experiments.assignment import shares_of
from online_models.experiments.sample_ratio import sequential_p_value
from online_models.experiments.tallies import BUYER, CLICKS, LISTS, REVENUE, VISITS, empty, merged
from schemas.experiments import ArmTallies, ArmTally, Experiment
from streams.monitoring import Metrics

_MILLIONTHS = 1_000_000


def show(experiments: Sequence[Experiment], tallies: Sequence[ArmTallies], metrics: Metrics) -> None:
    """Set the gauges of every experiment that the settings name."""
    arms = merged(tallies)
    for experiment in experiments:
        name = experiment.name
        shares = shares_of(experiment)
        found = {variant: arms.get(f"{name}:{variant}") or empty() for variant in shares}
        for variant, tally in found.items():
            _show_arm(name, variant, tally, metrics)
        customers = [found[variant].customers for variant in shares]
        p_value = sequential_p_value(customers, list(shares.values()))
        metrics.experiment_sample_ratio.labels(experiment=name).set(p_value)


def _show_arm(experiment: str, variant: str, tally: ArmTally, metrics: Metrics) -> None:
    figures = (
        (metrics.experiment_customers, tally.customers),
        (metrics.experiment_crossed, tally.crossed),
        (metrics.experiment_lists, tally.sums[LISTS]),
        (metrics.experiment_clicked_lists, tally.sums[CLICKS]),
        (metrics.experiment_buyers, tally.sums[BUYER]),
        (metrics.experiment_visits, tally.sums[VISITS]),
        (metrics.experiment_revenue, tally.sums[REVENUE] / _MILLIONTHS),
    )
    for gauge, figure in figures:
        gauge.labels(experiment=experiment, variant=variant).set(figure)
