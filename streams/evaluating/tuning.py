"""Searches the parameters of a model on the tail of what it learns from (optuna, the extra `tune`)."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from online_models.evaluation.catalog import Entry, Options, Range, current
from online_models.evaluation.run import run
from schemas.settings import Settings
from streams.evaluating.trial import EvaluationError, Trial

if TYPE_CHECKING:
    import optuna

OBJECTIVE = "mrr"
"""What is made as large as possible."""


def tune(
    name: str,
    entry: Entry,
    trial: Trial,
    settings: Settings,
    *,
    runs: int,
    seed: int,
    start: Options,
    told: Callable[[int, float], None] = lambda _number, _best: None,
) -> tuple[dict[str, float], float]:
    """Search the parameters of one model.

    Parameters
    ----------
    name : str
        The model.
    entry : Entry
        How it is made and where to look.
    trial : Trial
        A validation trial: of the test nothing is seen.
    settings : Settings
        For whoever needs them.
    runs : int
        How many sets of parameters are tried, the first being `start`.
    seed : int
        Of the search.
    start : Options
        Parameters as they are.
    told : callable
        Called after each run with its number and the best value so far.

    Returns
    -------
    (dict, float)
        The best parameters and their value of `OBJECTIVE`.

    References
    ----------
    Akiba, Sano, Yanase, Ohta, Koyama: Optuna, KDD 2019 (tree-structured Parzen estimator).

    Raises
    ------
    EvaluationError
        optuna is not installed.
    """
    try:
        import optuna  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise EvaluationError("--tune needs optuna; pip install 'freshrec[tune]'") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    first = current(settings, start, entry.space)
    if first.keys() == entry.space.keys():
        study.enqueue_trial(first)

    def value(search: "optuna.Trial") -> float:
        options = dict(start) | {key: _suggested(search, key, range_) for key, range_ in entry.space.items()}
        _, actions = trial.actions(settings)
        contenders = {name: entry.make(settings, options)}
        found = run(actions, contenders, k=trial.k, clock=lambda: 0.0)
        return found.tallies[name].mean()[OBJECTIVE]

    def after(study: "optuna.Study", frozen: "optuna.trial.FrozenTrial") -> None:
        told(frozen.number + 1, study.best_value)

    study.optimize(value, n_trials=runs, callbacks=[after])
    return dict(start) | study.best_params, study.best_value


def _suggested(search: "optuna.Trial", key: str, range_: Range) -> float:
    if range_.whole:
        return search.suggest_int(key, int(range_.low), int(range_.high), log=range_.log)
    return search.suggest_float(key, range_.low, range_.high, log=range_.log)
