"""Panels of a dashboard and the JSON that Grafana wants of them. Pure; what they ask for is in `boards`."""

from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

Kind = Literal["timeseries", "stat", "heatmap", "table"]
COLUMNS: Final = 24
HEIGHT: Final = 8
SCHEMA: Final = 39
"""Version of Grafana's dashboard JSON (Grafana 11 and 12)."""

DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


class Query(NamedTuple):
    """What a panel asks Prometheus for, and how each series is called."""

    expression: str
    legend: str = ""


class Panel(NamedTuple):
    """A panel: its title, its unit as Grafana calls it, a sentence on how to read it, its queries."""

    title: str
    unit: str
    reading: str
    queries: tuple[Query, ...]
    kind: Kind = "timeseries"
    width: int = 12
    stacked: bool = False
    limit: float | None = None
    """Where the line of an alert or an objective is drawn."""


class Board(NamedTuple):
    """A dashboard; `name` is its file and the end of its uid."""

    name: str
    title: str
    panels: tuple[Panel, ...]


def dashboard(board: Board) -> dict[str, Any]:
    """JSON of a dashboard; panels follow each other from left to right.

    Examples
    --------
    >>> made = dashboard(Board("b", "B", (Panel("P", "s", "Low is good.", (Query("up"),)),)))
    >>> [panel["gridPos"] for panel in made["panels"]]
    [{'h': 8, 'w': 12, 'x': 0, 'y': 0}]
    """
    return {
        "uid": f"freshrec-{board.name}",
        "title": f"freshrec: {board.title}",
        "tags": ["freshrec"],
        "schemaVersion": SCHEMA,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "15s",
        "time": {"from": "now-3h", "to": "now"},
        "links": [{"type": "dashboards", "tags": ["freshrec"], "title": "freshrec", "asDropdown": False}],
        "templating": {"list": _variables()},
        "panels": _placed(board.panels),
    }


def _placed(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    placed, x, y = [], 0, 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > COLUMNS:
            x, y = 0, y + HEIGHT
        placed.append(_panel(panel, number) | {"gridPos": {"h": HEIGHT, "w": panel.width, "x": x, "y": y}})
        x += panel.width
    return placed


def _panel(panel: Panel, number: int) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": number,
        "title": panel.title,
        "description": panel.reading,
        "type": panel.kind,
        "datasource": DATASOURCE,
        "targets": [_target(query, place, panel.kind) for place, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
    }
    if panel.kind == "heatmap":
        made["options"] = {"calculate": False, "yAxis": {"unit": panel.unit}, "color": {"scheme": "Blues"}}
    elif panel.kind == "stat":
        made["options"] = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value"}
    elif panel.kind == "timeseries":
        legend = {"displayMode": "table", "placement": "bottom", "calcs": ["mean", "lastNotNull"]}
        made["options"] = {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
    return made


def _defaults(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0}
    if panel.limit is not None:
        steps.append({"color": "red", "value": panel.limit})
    defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    if panel.kind == "timeseries":
        custom: dict[str, Any] = {"fillOpacity": 10, "showPoints": "never"}
        if panel.stacked:
            custom |= {"stacking": {"mode": "normal"}, "fillOpacity": 40}
        if panel.limit is not None:
            custom["thresholdsStyle"] = {"mode": "line"}
        defaults["custom"] = custom
    return defaults


def _target(query: Query, place: int, kind: Kind) -> dict[str, Any]:
    target: dict[str, Any] = {
        "refId": chr(ord("A") + place),
        "datasource": DATASOURCE,
        "expr": query.expression,
        "legendFormat": query.legend or "__auto",
    }
    if kind == "heatmap":
        target["format"] = "heatmap"
    if kind == "table":
        target |= {"format": "table", "instant": True}
    return target


def _variables() -> list[dict[str, Any]]:
    asked = "label_values(freshrec_build_info, instance)"
    return [
        {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"},
        {
            "name": "instance",
            "type": "query",
            "label": "worker",
            "datasource": DATASOURCE,
            "definition": asked,
            "query": {"query": asked, "refId": "instance"},
            "refresh": 2,
            "sort": 1,
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        },
    ]
