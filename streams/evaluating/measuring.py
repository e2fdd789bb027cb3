"""Makes models, lets them go through a trial, side by side, and reports on each."""

from collections.abc import Mapping
from time import perf_counter

from rich.console import Console

from online_models.evaluation.catalog import Entry, Options
from online_models.evaluation.contract import Contender
from online_models.evaluation.diversity import ItemAudiences
from online_models.evaluation.report import ModelReport, reports
from online_models.evaluation.run import run
from schemas.settings import Settings
from streams.evaluating import screen
from streams.evaluating.state_size import bytes_of
from streams.evaluating.trial import EvaluationError, Trial


def made(
    entries: Mapping[str, Entry], given: Mapping[str, Options], settings: Settings
) -> dict[str, Contender]:
    """Make contenders, each with the parameters that are given for it.

    Raises
    ------
    EvaluationError
        There is no such parameter, or it can't have this value.
    """
    found = {}
    for name, options in given.items():
        try:
            found[name] = entries[name].make(settings, options)
        except (TypeError, ValueError) as error:
            raise EvaluationError(f"{name} can't be made with {dict(options)}: {error}") from error
    return found


def measured(
    trial: Trial,
    contenders: Mapping[str, Contender],
    settings: Settings,
    console: Console,
    *,
    seed: int,
    reference: str | None,
) -> dict[str, ModelReport]:
    """Carry out a trial, its progress shown, and return the report of each contender by name.

    Raises
    ------
    EvaluationError
        Nobody asked.
    """
    asker, actions = trial.actions(settings)
    with screen.progress(console, "learning and asking", trial.total) as update:
        outcome = run(
            screen.counted(actions, update, live=trial.live), contenders, k=trial.k, clock=perf_counter
        )
    with console.status("drawing intervals"):
        try:
            return reports(
                outcome,
                interactions=asker.interactions,
                audiences=ItemAudiences(trial.log()),
                state_bytes={name: bytes_of(contender) for name, contender in contenders.items()},
                seed=seed,
                reference=reference,
            )
        except ValueError as error:
            raise EvaluationError(str(error)) from error
