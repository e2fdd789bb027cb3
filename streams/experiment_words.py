"""What came of an experiment, as people read it: figures, differences and what follows from them. Pure."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from online_models.experiments.report import BETTER, TOO_EARLY
from schemas.experiments import ExperimentReport, MetricInWords, MetricReport

EXAMPLE: Final = """\
[experiments.longer-lists]
goal = "conversion"

[experiments.longer-lists.variants.control]
share = 0.5

[experiments.longer-lists.variants.long]
share = 0.5
recommend.k = 20
"""
"""How one is set in freshrec.toml."""

_PER_CENT: Final = frozenset(
    {"click_through", "list_conversion", "conversion", "repeat_purchase", "satisfaction"}
)


class Sentence(NamedTuple):
    """What is to be said about something; `well` is false for what somebody should look at."""

    about: str
    words: str
    well: bool


def sentences(found: ExperimentReport) -> Iterator[Sentence]:
    """Say whether customers came in the shares that are set, and the verdict on each variant but the control.

    Parameters
    ----------
    found : ExperimentReport
        What may be said now.

    Examples
    --------
    >>> from online_models.experiments.report import report
    >>> from schemas.experiments import Experiment, Variant
    >>> halves = tuple(Variant(name=name, share=0.5) for name in ("control", "long"))
    >>> for about, words, _ in sentences(report(Experiment(name="length", variants=halves), {})):
    ...     print(f"{about}: {words}")
    shares of customers: as set (p 1)
    long: too early to tell
    """
    ratio = found.sample_ratio
    judged = "MISMATCH: find out why before anything else" if ratio.mismatch else "as set"
    yield Sentence("shares of customers", f"{judged} (p {ratio.p_value:.3g})", not ratio.mismatch)
    for arm in found.arms:
        if arm.variant != found.control:
            yield Sentence(arm.variant, arm.verdict, arm.verdict in (BETTER, TOO_EARLY))


def metric_in_words(metric: MetricReport) -> MetricInWords:
    """Return a metric as people read it.

    Parameters
    ----------
    metric : MetricReport
        Of one arm.

    Examples
    --------
    >>> from schemas.experiments import ComparedMetric
    >>> compared = ComparedMetric(-0.02, -0.2, -0.05, 0.01, 0.25)
    >>> told = metric_in_words(MetricReport("conversion", 0.08, 0.07, 0.09, compared))
    >>> told.value, told.interval, told.difference, told.at_any_time
    ('8.00%', '7.00% to 9.00%', '-2.00% (-20.0%)', '-5.00% to +1.00%')
    """
    name = metric.metric
    if metric.value is None or metric.low is None or metric.high is None:
        return MetricInWords()
    value, interval = _figure(name, metric.value), _ends(name, metric.low, metric.high)
    compared = metric.against_control
    if compared is None:
        return MetricInWords(value, interval)
    relative = "" if compared.relative is None else f" ({compared.relative:+.1%})"
    return MetricInWords(
        value,
        interval,
        f"{_figure(name, compared.difference, sign='+')}{relative}",
        _ends(name, compared.low, compared.high, sign="+"),
        f"{compared.p_value:.3g}",
    )


def _figure(name: str, value: float, *, sign: str = "") -> str:
    return format(value, f"{sign}.2%" if name in _PER_CENT else f"{sign}.3f")


def _ends(name: str, low: float, high: float, *, sign: str = "") -> str:
    return f"{_figure(name, low, sign=sign)} to {_figure(name, high, sign=sign)}"
