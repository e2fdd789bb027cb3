"""Parameters of models as the command line and TOML files give them."""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from online_models.evaluation.catalog import Entry, Options
from streams.evaluating.trial import EvaluationError

Given = dict[str, dict[str, float]]
"""Parameters by model."""


def from_texts(texts: Iterable[str]) -> Given:
    """Return what `--set` gives: `model.parameter=value`.

    Examples
    --------
    >>> from_texts(["decayed.half_life_s=60", "blend.recommend.max_recent=5"])
    {'decayed': {'half_life_s': 60}, 'blend': {'recommend.max_recent': 5}}
    """
    given: Given = {}
    for text in texts:
        name, equals, value = text.partition("=")
        model, dot, parameter = name.strip().partition(".")
        if not (equals and dot and parameter):
            raise EvaluationError(f"--set {text!r} is not of the form model.parameter=value")
        given.setdefault(model, {})[parameter] = _number(value.strip(), text)
    return given


def from_file(path: Path) -> Given:
    """Return what a TOML file gives: a table per model, as `to_toml` writes it.

    Raises
    ------
    EvaluationError
        It can't be read, or holds something else.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvaluationError(
            f"{path} can't be read as options ({error}); expected TOML, a table per model"
        ) from error
    return {model: dict(_flat(table, f"{path}: {model}")) for model, table in tables.items()}


def to_toml(given: Mapping[str, Options]) -> str:
    """Write parameters as TOML.

    Examples
    --------
    >>> print(to_toml({"blend": {"recommend.max_recent": 5}, "decayed": {"half_life_s": 60.5}}))
    [blend.recommend]
    max_recent = 5
    <BLANKLINE>
    [decayed]
    half_life_s = 60.5
    <BLANKLINE>
    """
    tables: dict[str, list[str]] = {}
    for model, options in given.items():
        for name, value in options.items():
            section, _, field = name.rpartition(".")
            tables.setdefault(f"{model}.{section}" if section else model, []).append(
                f"{field} = {json.dumps(value)}"
            )
    return "\n".join("\n".join([f"[{name}]", *lines, ""]) for name, lines in tables.items())


def merged(entries: Mapping[str, Entry], names: Iterable[str], *given: Given) -> Given:
    """Return the parameters of each named model: its defaults, then what was given, the last one counts.

    Raises
    ------
    EvaluationError
        A model or a parameter does not exist.
    """
    found: Given = {name: dict(entries[name].options) for name in names}
    for each in given:
        for model, options in each.items():
            if model not in entries:
                raise EvaluationError(
                    f"there is no model {model!r} to set something of; expected one of {', '.join(entries)}"
                )
            if model in found:
                found[model] |= options
    return found


def _flat(table: object, place: str, prefix: str = "") -> Iterator[tuple[str, float]]:
    if not isinstance(table, dict):
        raise EvaluationError(f"{place} is {table!r}; expected a table of parameters")
    values: dict[str, Any] = table
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, place, f"{prefix}{name}.")
        elif isinstance(value, int | float):
            yield f"{prefix}{name}", value
        else:
            raise EvaluationError(f"{place}: {name} is {value!r}; expected a number")


def _number(text: str, where: str) -> float:
    words = {"true": True, "false": False}
    if text in words:
        return words[text]
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError as error:
        raise EvaluationError(f"--set {where!r}: {text!r} is not a number") from error
