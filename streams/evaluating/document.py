"""What an evaluation writes: one JSON object, with all that is needed to run it again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from online_models.evaluation.catalog import Options
from online_models.evaluation.report import ModelReport
from streams.errors import FreshrecError
from streams.evaluating.trial import Request, Trial


class OutputError(FreshrecError):
    """A result cannot be written."""


def document(
    trial: Trial,
    models: Mapping[str, ModelReport],
    *,
    request: Request,
    options: Mapping[str, Options],
    seed: int,
    reference: str | None,
    machine: Mapping[str, object],
    unusable: Mapping[str, int],
) -> dict[str, Any]:
    """Return the results with the data, the settings, the seed and the machine."""
    files = {name: getattr(request, name) for name in ("train", "test", "events")}
    asked = {name: value for name, value in msgspec.structs.asdict(request).items() if name not in files}
    return {
        "protocol": trial.protocol,
        "mode": trial.mode,
        "k": trial.k,
        "reference": reference,
        "seed": seed,
        # Where files are is this machine's business; their names are enough to find them again.
        "data": {name: _short(path) for name, path in files.items() if path is not None},
        "request": asked,
        "options": {name: dict(given) for name, given in options.items()},
        "unusable": dict(unusable),
        "machine": dict(machine),
        "models": {name: msgspec.to_builtins(report) for name, report in models.items()},
    }


def write_text(path: Path, text: str) -> None:
    """Write a file, its folder, too.

    Raises
    ------
    OutputError
        It can't be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path} can't be written ({error.strerror}); name another place.") from error


def write_json(path: Path, results: Mapping[str, Any]) -> None:
    """Write results as JSON, indented."""
    write_text(path, msgspec.json.format(msgspec.json.encode(results)).decode() + "\n")


def _short(path: Path) -> str:
    return "/".join(path.parts[-2:])
