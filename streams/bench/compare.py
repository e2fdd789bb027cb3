"""Two results of a benchmark side by side: by how much each figure is better or worse."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from streams.errors import FreshrecError

_MORE_IS_BETTER = ("per_s",)
_LESS_IS_BETTER = ("_ms", "_us", "us", "_bytes", "seconds", "warm_up_s", "learn_s")
_FASTER, _TIMES = "times_as_fast_as", "times_"
"""Ratios to something that was measured beside: of speed, and of what a thing takes."""

_EXCEPT = ("plain_", "mlxtend_", "python_", "faust_")
"""What was measured beside is no better for being fast."""


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
    >>> _better("per_s", 2.0), _better("us.p99", 2.0), _better("events", 2.0)
    (2.0, 0.5, None)
    >>> _better("figures.times_as_fast_as_plain", 2.0), _better("figures.times_mlxtend", 2.0)
    (2.0, 0.5)
    """
    parts = figure.split(".")
    if any(part.startswith(_EXCEPT) for part in parts):
        return None
    if any(part.startswith(_FASTER) for part in parts):
        return ratio
    if any(part.startswith(_TIMES) for part in parts):
        return 1 / ratio
    if any(part.endswith(_MORE_IS_BETTER) for part in parts):
        return ratio
    if any(part.endswith(_LESS_IS_BETTER) for part in parts):
        return 1 / ratio
    return None


def _figures(result: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    return ((name, middle) for name, (_, middle, _) in figures_in(result))


def figures_in(
    result: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, tuple[float, float, float]]]:
    """Give the numbers of a result by their names, with dots between: the least, the median and the most.

    Examples
    --------
    >>> list(figures_in({"scenario": "refresh", "us": {"p50": {"min": 1, "median": 2, "max": 3}}, "runs": 3}))
    [('us.p50', (1.0, 2.0, 3.0)), ('runs', (3.0, 3.0, 3.0))]
    """
    for name, value in result.items():
        if isinstance(value, dict):
            if value.keys() == {"min", "median", "max"}:
                yield prefix + name, (float(value["min"]), float(value["median"]), float(value["max"]))
            else:
                yield from figures_in(value, f"{prefix}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield prefix + name, (float(value),) * 3


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
