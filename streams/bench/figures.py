"""Figures of runs: the least, the median and the most of each, and whether bars are met."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import median
from typing import TypeVar

import msgspec

Result = TypeVar("Result")
_DIGITS = 4


class Spread(msgspec.Struct, frozen=True):
    """The least, the median and the most of some runs."""

    min: float
    median: float
    max: float


class Bar(msgspec.Struct, frozen=True):
    """What the median of a figure has to reach: at most, or at least, so much."""

    figure: str
    value: float
    at_most: bool
    met: bool = False


class Figures(msgspec.Struct, frozen=True, omit_defaults=True):
    """Figures of the runs of a scenario, by name; a name ends in its unit, or says what a ratio is to."""

    scenario: str
    runs: int
    figures: dict[str, Spread]
    bars: list[Bar] = []


def at_most(figure: str, value: float) -> Bar:
    """Ask that a figure be no more than that."""
    return Bar(figure, value, at_most=True)


def at_least(figure: str, value: float) -> Bar:
    """Ask that a figure be no less than that."""
    return Bar(figure, value, at_most=False)


def figures_of(scenario: str, runs: Sequence[Mapping[str, float]], *bars: Bar) -> Figures:
    """Put the figures of some runs together, and hold the bars against their medians.

    Parameters
    ----------
    scenario : str
        What was measured.
    runs : sequence of mappings
        Figures by name; each run has the same.
    *bars : Bar
        Those of figures that were not measured are left out.

    Examples
    --------
    >>> found = figures_of("ingest", [{"event_us": 7.0}, {"event_us": 9.0}], at_most("event_us", 6.7))
    >>> found.figures["event_us"]
    Spread(min=7.0, median=8.0, max=9.0)
    >>> found.bars[0].met
    False
    """
    found = {name: spread_of([each[name] for each in runs]) for name in runs[0]}
    return Figures(
        scenario,
        len(runs),
        found,
        [_held(bar, found[bar.figure].median) for bar in bars if bar.figure in found],
    )


def _held(bar: Bar, value: float) -> Bar:
    met = value <= bar.value if bar.at_most else value >= bar.value
    return msgspec.structs.replace(bar, met=met)


def spread_of(values: Sequence[float], digits: int | None = None) -> Spread:
    """Return the spread of some values, rounded to so many decimals, or else to four digits that count.

    Examples
    --------
    >>> spread_of([0.123456, 7.0, 1234.56]), spread_of([123_456])
    (Spread(min=0.1235, median=7.0, max=1235.0), Spread(min=123456.0, median=123456.0, max=123456.0))
    """
    if digits is None and all(isinstance(each, int) for each in values):
        # A count is told as it is.
        digits = 1
    return Spread(*(_rounded(each, digits) for each in (min(values), median(values), max(values))))


def _rounded(value: float, digits: int | None) -> float:
    return float(f"{value:.{_DIGITS}g}" if digits is None else round(value, digits))


def share_of(values: Sequence[float], share: float) -> float:
    """Return the value that a share of the others are below.

    Examples
    --------
    >>> share_of([5.0, 1.0, 2.0, 4.0, 3.0], 0.5), share_of([1.0], 0.99)
    (3.0, 1.0)
    """
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def in_own_process(call: Callable[..., Result], *arguments: object) -> Result:
    """Call something in a new process, so that nothing of another measurement is in its memory."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(call, *arguments).result()
