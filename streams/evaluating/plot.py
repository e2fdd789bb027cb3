"""Curves over time by model, as one HTML page that needs nothing else: SVG written here."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from math import ceil

from online_models.evaluation.report import ModelReport, Point

_WIDTH, _HEIGHT = 860, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 20, 20, 40
_COLOURS = (
    *("#1b6ca8", "#d1495b", "#2e8b57", "#edae49", "#6a4c93", "#00798c", "#8d5524", "#c1666b"),
    *("#4357ad", "#7a9e7e", "#b5651d", "#555555"),
)
_STYLE = (
    "body{font:15px system-ui,sans-serif;margin:2rem auto;max-width:900px;color:#222}"
    "svg{width:100%;height:auto}td,th{padding:.2rem .8rem;text-align:right}td:first-child{text-align:left}"
    "table{border-collapse:collapse}tr+tr{border-top:1px solid #ddd}"
)


def page(models: Mapping[str, ModelReport], *, title: str, k: int) -> str:
    """Return the page: hit rate and MRR over the queries in their order, and a table.

    Where a hit rate changed, a dashed line says so.

    Parameters
    ----------
    models : mapping of str to ModelReport
        By name.
    title : str
        What was evaluated.
    k : int
        Places of a list that count.
    """
    colours = {name: _COLOURS[n % len(_COLOURS)] for n, name in enumerate(models)}
    charts = [
        _chart(models, colours, f"HR@{k}", lambda point: point.hr),
        _chart(models, colours, f"MRR@{k}", lambda point: point.mrr),
    ]
    return (
        "<!doctype html>\n"
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>\n<h1>{escape(title)}</h1>\n"
        + "\n".join(charts)
        + _table(models, colours, k)
        + "</body></html>\n"
    )


def _chart(
    models: Mapping[str, ModelReport],
    colours: Mapping[str, str],
    name: str,
    value: Callable[[Point], float],
) -> str:
    points = [point for report in models.values() for point in report.curve]
    longest = max((point.queries for point in points), default=1)
    top = _rounded_up(max((value(point) for point in points), default=0.0))
    inner_width, inner_height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def place(point: Point) -> str:
        x = _LEFT + inner_width * point.queries / longest
        y = _TOP + inner_height * (1 - value(point) / top)
        return f"{x:.1f},{y:.1f}"

    lines = "".join(
        f'<polyline fill="none" stroke="{colours[each]}" stroke-width="2" '
        f'points="{" ".join(map(place, report.curve))}"><title>{escape(each)}</title></polyline>'
        for each, report in models.items()
    )
    marks = "".join(
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}" stroke="{colours[each]}" '
        f'stroke-dasharray="4"><title>{escape(each)}: {drift.before:.3f} to {drift.after:.3f}</title></line>'
        for each, report in models.items()
        for drift in report.drifts
        for x in [_LEFT + inner_width * drift.queries / longest]
    )
    return (
        f'<h2>{escape(name)}</h2>\n<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(name)} over the queries">{_grid(top, longest)}{marks}{lines}</svg>\n'
    )


def _grid(top: float, longest: int) -> str:
    parts = []
    for step in range(5):
        y = _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - step / 4)
        x = _LEFT + (_WIDTH - _LEFT - _RIGHT) * step / 4
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" font-size="12">'
            f"{top * step / 4:.3f}</text>"
            f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 20}" text-anchor="middle" font-size="12">'
            f"{longest * step // 4:,}</text>"
        )
    return "".join(parts)


def _table(models: Mapping[str, ModelReport], colours: Mapping[str, str], k: int) -> str:
    rows = "".join(
        f'<tr><td><span style="color:{colours[name]}">&#9632;</span> {escape(name)}</td>'
        f"<td>{report.hr:.4f}</td><td>{report.mrr:.4f}</td><td>{report.ndcg:.4f}</td>"
        f"<td>{report.queries:,}</td></tr>"
        for name, report in models.items()
    )
    head = _cells(["model", f"HR@{k}", f"MRR@{k}", f"NDCG@{k}", "queries"])
    return f"<table><tr>{head}</tr>{rows}</table>\n"


def _cells(names: Sequence[str]) -> str:
    return "".join(f"<th>{escape(name)}</th>" for name in names)


def _rounded_up(value: float) -> float:
    """Return the next value of two digits, so that the grid has round numbers.

    Examples
    --------
    >>> _rounded_up(0.437), _rounded_up(0.0)
    (0.44, 0.01)
    """
    return max(ceil(value * 100 - 1e-9) / 100, 0.01)
