"""`freshrec evaluate --advise`: what a file is like, which models suit it, and how to measure them."""

import shlex
from pathlib import Path
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from online_models.evaluation.advice import Plan, advise
from online_models.evaluation.traits import Traits, traits
from schemas.settings import Settings
from streams.evaluating.logs import LogReader
from streams.evaluating.options import to_toml
from streams.evaluating.trial import EvaluationError, Request, only_file

_SHARES = frozenset(
    {"guests", "sparsity", "repeats", "cold", "turnover", "drift", "head", "orders", "ratings", "described"}
)


class Advised(msgspec.Struct, frozen=True):
    """What a file is like, and what is advised for it."""

    traits: Traits
    plan: Plan
    command: str


def advised(request: Request, settings: Settings, console: Console) -> Advised:
    """Read the file and choose.

    Raises
    ------
    EvaluationError
        There are no actions in the file.
    FormatError
        The file is not there, or not of the format.
    """
    reader, path = LogReader(settings), only_file(request)
    with console.status("reading"):
        log = reader.read(path, request.format)
    if reader.unusable:
        console.print(f"left out, by reason: {dict(reader.unusable)}")
    try:
        found = traits(log, gap_ms=settings.history.session_gap_s * 1000)
    except ValueError as error:
        raise EvaluationError(f"{path}: {error}") from error
    plan = advise(found)
    return Advised(found, plan, _command(plan, path, request.format))


def _command(plan: Plan, path: Path, format: str) -> str:
    words = ["freshrec", "evaluate", "--protocol", plan.protocol, "--format", format, "--events", str(path)]
    return shlex.join([*words, *plan.options, "--models", ",".join(plan.contenders)])


def shown(found: Advised, screen: Console) -> None:
    """Show all of it: what the file is like, each model with the reason, settings, and what to run next."""
    like = _table("what the data is like", ("", ""))
    for name, value in msgspec.structs.asdict(found.traits).items():
        like.add_row(name.replace("_", " "), f"{value:.2%}" if name in _SHARES else f"{value:,}")
    screen.print(like)
    models = _table("which models suit it", ("model", "", "because"))
    for each in found.plan.advice:
        models.add_row(each.model, each.verdict, each.why)
    screen.print(models)
    settings = as_settings(found.plan)
    if settings:
        screen.print("settings that say so, for freshrec.toml:\n")
        screen.print(to_toml(settings))
    screen.print(f"measure before you believe it:\n\n{found.command}", soft_wrap=True)


def as_settings(plan: Plan) -> dict[str, dict[str, Any]]:
    """Return the settings that are advised, by section."""
    sections: dict[str, dict[str, Any]] = {}
    for each in plan.advice:
        for name, value in each.settings.items():
            section, _, field = name.partition(".")
            sections.setdefault(section, {})[field] = value
    return sections


def document(found: Advised) -> dict[str, Any]:
    """Return all of it as JSON has it."""
    return {
        "traits": msgspec.to_builtins(found.traits),
        "advice": msgspec.to_builtins(found.plan.advice),
        "settings": as_settings(found.plan),
        "command": found.command,
    }


def _table(title: str, columns: tuple[str, ...]) -> Table:
    made = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_header=any(columns))
    for column in columns:
        made.add_column(column)
    return made
