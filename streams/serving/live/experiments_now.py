"""Experiments as of now, in figures and in words. Pure."""

from collections.abc import Mapping, Sequence

import msgspec

from online_models.experiments.report import report
from online_models.experiments.tallies import merged
from schemas.experiments import ArmTallies, ArmTally, Experiment, Variant
from schemas.page import ExperimentNow, ExperimentsNow, StatePart, VariantNow
from streams.experiment_words import EXAMPLE, metric_in_words, sentences


def experiments_now(experiments: Sequence[Experiment], tallies: Sequence[ArmTallies]) -> ExperimentsNow:
    """Give all that is told of experiments.

    Parameters
    ----------
    experiments : sequence of Experiment
        As they are set.
    tallies : sequence of ArmTallies
        What is counted, by partition.
    """
    arms = merged(tallies)
    return ExperimentsNow([_now(each, arms) for each in experiments], None if experiments else EXAMPLE)


def _now(experiment: Experiment, arms: Mapping[str, ArmTally]) -> ExperimentNow:
    found, names = report(experiment, arms), [each.name for each in experiment.variants]
    counted = [arms[arm] for name in names if (arm := f"{experiment.name}:{name}") in arms]
    return ExperimentNow(
        found,
        [
            VariantNow(_changes(variant), [metric_in_words(each) for each in arm.metrics])
            for variant, arm in zip(experiment.variants, found.arms, strict=True)
        ],
        [StatePart(*each) for each in sentences(found)],
        experiment.starts_at,
        experiment.ends_at,
        max((each.newest_at for each in counted), default=None),
    )


def _changes(variant: Variant) -> list[str]:
    """Write settings as freshrec.toml has them."""
    return [f"{key} = {msgspec.json.encode(value).decode()}" for key, value in variant.changes]
