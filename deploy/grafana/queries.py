"""Queries and panels that the dashboards have in common. How they look is in `panels`.

Every metric is one of docs/metrics.md, a recorded one of deploy/prometheus/rules, or of the process.
"""

from typing import Final

from deploy.grafana.panels import Panel, Query

HERE: Final = 'instance=~"$instance"'
OVER: Final = "[$__rate_interval]"


def per_second(metric: str, *by: str) -> str:
    """Rate of a counter, summed over all but some labels.

    Examples
    --------
    >>> per_second("freshrec_rejected_total", "reason")
    'sum by (reason) (rate(freshrec_rejected_total{instance=~"$instance"}[$__rate_interval]))'
    """
    return f"sum by ({', '.join(by)}) (rate({metric}{{{HERE}}}{OVER}))"


def quantile(share: float, histogram: str, *by: str) -> str:
    """Quantile of a histogram, for each value of some labels."""
    return f"histogram_quantile({share:g}, {per_second(f'{histogram}_bucket', *by, 'le')})"


def level(metric: str, *by: str, how: str = "sum") -> str:
    """A gauge, summed (or as `how` says) over all but some labels."""
    return f"{how} by ({', '.join(by)}) ({metric}{{{HERE}}})"


def one(title: str, unit: str, reading: str, expression: str, limit: float | None = None) -> Panel:
    """A panel with one number."""
    return Panel(title, unit, reading, (Query(expression),), kind="stat", width=6, limit=limit)


def each(
    title: str, unit: str, reading: str, expression: str, legend: str, *, stacked: bool = False, **more: float
) -> Panel:
    """A panel with a line for each value of a label."""
    limit = more.get("limit")
    return Panel(title, unit, reading, (Query(expression, legend),), stacked=stacked, limit=limit)


LIST_AGE: Final = "freshrec_event_to_recommendation_seconds"
LEARNED_FROM: Final = ".*(item-deltas|facts|samples|learning|outcomes|need-lessons)"
RATE, SECONDS, SHARE, BYTES, COUNT = "ops", "s", "percentunit", "bytes", "short"
