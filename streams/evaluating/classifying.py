"""`freshrec evaluate --protocol classify`: how well the trees foretell what comes of sessions, on a file."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from online_models.evaluation.session_outcomes import outcomes_of
from online_models.evaluation.splitting import first_share
from online_models.evaluation.tree_scores import TreeScores, answered, scores
from schemas.settings import Settings
from streams.bench.machine import describe
from streams.evaluating.logs import LogReader
from streams.evaluating.trial import EvaluationError, Request, only_file


def classified(request: Request, settings: Settings, console: Console, *, seed: int) -> TreeScores:
    """Read the file, let trees answer and learn, and measure.

    Raises
    ------
    EvaluationError
        No session of the file has an outcome that was asked about.
    FormatError
        The file is not there, or not of the format.
    """
    reader = LogReader(settings)
    with console.status("reading"):
        log = reader.read(only_file(request), request.format)
    if reader.unusable:
        console.print(f"left out, by reason: {dict(reader.unusable)}")
    with console.status("learning and asking"):
        outcomes = list(outcomes_of(log, settings))[: request.limit]
        found = answered(outcomes, settings, warmup=first_share(len(outcomes), request.warmup))
    try:
        return scores(found, seed=seed)
    except ValueError as error:
        raise EvaluationError(str(error)) from error


def tables(found: TreeScores) -> list[Table]:
    """Return what is shown on the screen: measures, and the changes that were noticed."""
    shown = _table(f"trees, {found.outcomes:,} looks at sessions, {found.bought:.1%} with an order")
    for name in ("accuracy", "precision", "recall", "f1", "auc", "log_loss"):
        value = getattr(found.buys, name)
        text = "-" if value is None else f"{value:.4f}"
        if name == "auc" and found.auc_interval is not None:
            text += f" [{found.auc_interval.low:.4f}, {found.auc_interval.high:.4f}]"
        shown.add_row("an order", name.replace("_", " "), text)
    if found.next is not None:
        shown.add_row("next category", "accuracy", f"{found.next.accuracy:.4f}")
        shown.add_row("next category", "the last one again", f"{found.next.same_as_last:.4f}")
        shown.add_row("next category", "log loss", f"{found.next.log_loss:.4f}")
    drifts = _table(f"{len(found.drifts)} changes noticed", ("task", "at", "mean error"))
    for drift in found.drifts:
        at = datetime.fromtimestamp(drift.at / 1000, UTC).isoformat(timespec="seconds")
        drifts.add_row(drift.task, at, f"{drift.before:.3f} -> {drift.after:.3f}")
    return [shown, drifts] if found.drifts else [shown]


def document(found: TreeScores, request: Request, settings: Settings, *, seed: int) -> Mapping[str, Any]:
    """Return the results with the data, the settings, the seed and the machine."""
    asked = only_file(request)
    return {
        "protocol": request.protocol,
        "seed": seed,
        # Where files are is this machine's business; their names are enough to find them again.
        "data": "/".join(asked.parts[-2:]),
        "format": request.format,
        "warmup": request.warmup,
        "settings": msgspec.to_builtins(settings.trees),
        "machine": dict(describe()),
        "trees": msgspec.to_builtins(found),
    }


def _table(title: str, columns: tuple[str, ...] = ("what", "measure", "value")) -> Table:
    shown = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in columns:
        shown.add_column(name, justify="right" if name == columns[-1] else "left")
    return shown
