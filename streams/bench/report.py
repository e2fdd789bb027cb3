"""One HTML page of results files that needs nothing else: figures of each scenario as SVG, written here.

A figure is a bar up to its median with a line from its least to its most, as a share of its largest value;
what it has to reach is a dash across. Nothing is measured.
"""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import msgspec

from streams.bench.compare import CompareError, figures_in

_WIDTH, _ROW, _LABEL, _RIGHT = 860, 22, 330, 130
_STYLE = (
    "body{font:15px system-ui,sans-serif;margin:2rem auto;max-width:900px;color:#222}"
    "svg{width:100%;height:auto}p{color:#555}.missed{color:#b3261e}h2{margin:2rem 0 .2rem}"
    "table{border-collapse:collapse}td,th{padding:.15rem .8rem;text-align:right}"
    "td:first-child,th:first-child{text-align:left}tr+tr{border-top:1px solid #ddd}"
)
_INK, _MISSED = "#1b6ca8", "#b3261e"


class Row(msgspec.Struct, frozen=True):
    """A figure with its least, median and most, which are one where it was measured once, and its bar."""

    name: str
    low: float
    middle: float
    high: float
    bar: float | None = None
    at_most: bool = True

    @property
    def missed(self) -> bool:
        """Whether there is a bar that the median does not reach."""
        return self.bar is not None and (self.middle > self.bar if self.at_most else self.middle < self.bar)


def results_of(path: Path) -> dict[str, Mapping[str, Any]]:
    """Return the documents of results files by scenario; what is none of `freshrec bench` is passed over.

    Raises
    ------
    CompareError
        There is none.
    """
    found = {}
    for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
        try:
            document = msgspec.json.decode(file.read_bytes())
            found[str(document["result"]["scenario"])] = document
        except (OSError, msgspec.DecodeError, TypeError, KeyError):
            continue
    if not found:
        raise CompareError(f"{path} has no results of `freshrec bench`; measure something first")
    return found


def page(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page.

    Parameters
    ----------
    results : mapping of str to mapping
        Documents of results files, by scenario.
    """
    parts = [_scenario(name, document) for name, document in results.items()]
    links = " &middot; ".join(f'<a href="#{escape(name)}">{escape(name)}</a>' for name in results)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Benchmarks</title>'
        f"<style>{_STYLE}</style></head><body>\n<h1>Benchmarks</h1>\n<p>{links}</p>\n"
        + "\n".join(parts)
        + "</body></html>\n"
    )


def _scenario(name: str, document: Mapping[str, Any]) -> str:
    rows = rows_of(document["result"])
    return (
        f'<h2 id="{escape(name)}">{escape(name)}</h2>\n<p>{escape(_machine(document))}</p>\n'
        + _picture(name, rows)
        + _table(rows)
    )


def _machine(document: Mapping[str, Any]) -> str:
    about: Mapping[str, Any] = document.get("machine", {})
    runs = document["result"].get("runs", 1)
    known = [f"{about[key]} {unit}".strip() for key, unit in _ABOUT if key in about]
    return ", ".join([f"{runs} run{'s' if runs != 1 else ''}", *known])


_ABOUT = (
    ("processor", ""),
    ("cores", "cores"),
    ("memory_gib", "GiB"),
    ("python", "(Python)"),
    ("commit", "(commit)"),
)


def rows_of(result: Mapping[str, Any]) -> list[Row]:
    """Return the figures of a result, of any scenario.

    Examples
    --------
    >>> bar = {"figure": "event_us", "value": 6, "at_most": True, "met": False}
    >>> figures = {"event_us": {"min": 6.5, "median": 7.0, "max": 9.0}}
    >>> (row,) = rows_of({"scenario": "ingest", "runs": 3, "figures": figures, "bars": [bar]})
    >>> row, row.missed
    (Row(name='event_us', low=6.5, middle=7.0, high=9.0, bar=6.0, at_most=True), True)
    """
    bars = {bar["figure"]: bar for bar in result.get("bars", ())}
    found = []
    for path, (low, middle, high) in figures_in(result):
        name = path.removeprefix("figures.")
        bar = bars.get(name)
        if bar is None:
            found.append(Row(name, low, middle, high))
        else:
            found.append(Row(name, low, middle, high, float(bar["value"]), bar["at_most"]))
    return [row for row in found if row.name not in {"runs", "count"}]


def _picture(name: str, rows: Sequence[Row]) -> str:
    drawn = [row for row in rows if row.middle > 0]
    lines = "".join(_line(row, _ROW * number + _ROW / 2) for number, row in enumerate(drawn))
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_ROW * len(drawn)}" role="img" aria-label="figures of {escape(name)}">'
        f"{lines}</svg>\n"
    )


def _line(row: Row, y: float) -> str:
    largest = max(row.high, row.bar or 0.0)
    low, middle, high = (_LABEL + _inner() * value / largest for value in (row.low, row.middle, row.high))
    colour = _MISSED if row.missed else _INK
    parts = [
        f'<text x="{_LABEL - 10}" y="{y + 4:.1f}" text-anchor="end" font-size="12">{escape(row.name)}</text>',
        f'<path d="M{_LABEL} {y:.1f}H{middle:.1f}" stroke="{colour}" stroke-width="8" opacity=".45"/>',
        f'<path d="M{low:.1f} {y:.1f}H{high:.1f}" stroke="{colour}" stroke-width="3"/>',
        f'<text x="{_WIDTH - _RIGHT + 12}" y="{y + 4:.1f}" font-size="12">{_number(row.middle)}</text>',
    ]
    if row.bar is not None:
        x = _LABEL + _inner() * row.bar / largest
        told = f"{'at most' if row.at_most else 'at least'} {_number(row.bar)}"
        parts.append(
            f'<path d="M{x:.1f} {y - 9:.1f}v18" stroke="#222" stroke-width="2"><title>{told}</title></path>'
        )
    return "".join(parts)


def _inner() -> float:
    return _WIDTH - _LABEL - _RIGHT


def _table(rows: Sequence[Row]) -> str:
    with_bars = [row for row in rows if row.bar is not None]
    if not with_bars:
        return ""
    body = "".join(
        f"<tr><td>{escape(row.name)}</td><td>{_number(row.middle)}</td>"
        f"<td>{'at most' if row.at_most else 'at least'} {_number(row.bar or 0.0)}</td>"
        + ('<td class="missed">missed</td></tr>' if row.missed else "<td>met</td></tr>")
        for row in with_bars
    )
    return f"<table><tr><th>figure</th><th>median</th><th>bar</th><th></th></tr>{body}</table>\n"


def _number(value: float) -> str:
    """Write a number with three digits that count, or all of a whole one.

    Examples
    --------
    >>> _number(1429.4), _number(0.31234), _number(3.0), _number(0.0)
    ('1,429', '0.312', '3', '0')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
