"""Two results of a benchmark side by side: by how much each figure is better or worse."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from streams.errors import FreshrecError

_MORE_IS_BETTER = ("per_s",)
_LESS_IS_BETTER = ("_ms", "_us", "us", "_bytes", "seconds", "warm_up_s", "times_plain", "learn_s")


class CompareError(FreshrecError):
    """There is nothing to compare."""


class Change(msgspec.Struct, frozen=True):
    """A figure of both; `better` is how many times as good the second is, None where neither is better."""

    scenario: str
    figure: str
    before: float
    after: float
    better: float | None


def compare(before: Path, after: Path) -> list[Change]:
    """Compare results files, or all files of the same name in two folders.

    Raises
    ------
    CompareError
        A file is no result of a benchmark, or the two have no scenario in common.
    """
    first, second = _results(before), _results(after)
    if not (common := [name for name in first if name in second]):
        has = [
            f"{path} has {', '.join(each) or 'no results'}"
            for path, each in ((before, first), (after, second))
        ]
        raise CompareError(f"{', '.join(has)}; expected a scenario that is in both")
    return [each for name in common for each in _changes(name, first[name], second[name])]


def _changes(scenario: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    first, second = dict(_figures(before)), dict(_figures(after))
    for figure, value in first.items():
        if value and (other := second.get(figure)):
            yield Change(scenario, figure, value, other, _better(figure, other / value))


def _better(figure: str, ratio: float) -> float | None:
    """Return how many times as good something is whose figure is so many times as large.

    Examples
    --------
    >>> _better("per_s.median", 2.0), _better("us.p99.median", 2.0), _better("events", 2.0)
    (2.0, 0.5, None)
    """
    name = figure.removesuffix(".median")
    parts = name.split(".")
    if any(part.endswith(_MORE_IS_BETTER) for part in parts):
        return ratio
    if any(part.endswith(_LESS_IS_BETTER) for part in parts):
        return 1 / ratio
    return None


def _figures(result: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for name, value in result.items():
        if isinstance(value, dict):
            spread = value.keys() == {"min", "median", "max"}
            inner = {"median": value["median"]} if spread else value
            yield from _figures(inner, f"{prefix}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield prefix + name, float(value)


def _results(path: Path) -> dict[str, Mapping[str, Any]]:
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    found = {}
    for file in files:
        try:
            result = msgspec.json.decode(file.read_bytes()).get("result")
            found[str(result["scenario"])] = result
        except (OSError, msgspec.DecodeError, TypeError, KeyError, AttributeError) as error:
            if not path.is_dir():
                raise CompareError(
                    f"{file} is no result of `freshrec bench`: {error or 'not found'}"
                ) from error
    return found
