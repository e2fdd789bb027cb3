"""Dashboards are what their module writes, name no host, and ask for metrics that exist."""

import json

import pytest

from deploy.grafana.__main__ import FOLDER, text
from deploy.grafana.boards import BOARDS
from deploy.grafana.panels import Board, dashboard
from streams.monitoring import METRICS
from tests.deploy.rules import metrics_in
from tests.deploy.test_rules import known_series

OF_THE_PROCESS = {"process_cpu_seconds_total", "process_resident_memory_bytes"}

every_board = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)


def expressions(board: Board) -> list[str]:
    return [query.expression for panel in board.panels for query in panel.queries]


@every_board
def test_the_file_is_what_is_written(board: Board) -> None:
    assert (FOLDER / f"{board.name}.json").read_text() == text(board), "run: python -m deploy.grafana"


def test_there_is_no_other_file() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {board.name for board in BOARDS}


@every_board
def test_a_panel_asks_for_series_that_exist(board: Board) -> None:
    for expression in expressions(board):
        asked = metrics_in(expression)
        assert asked
        assert asked - known_series() - OF_THE_PROCESS == set(), expression


def test_every_metric_is_on_a_dashboard() -> None:
    asked = {name for board in BOARDS for expression in expressions(board) for name in metrics_in(expression)}
    recorded = {"freshrec_event_to_recommendation_seconds"}
    shown = {name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum") for name in asked}
    assert {metric.says.name for metric in METRICS} - shown - recorded == set()


@every_board
def test_a_dashboard_names_no_host_and_takes_its_datasource_from_a_variable(board: Board) -> None:
    made = dashboard(board)
    assert [each["name"] for each in made["templating"]["list"]] == ["datasource", "instance"]
    sources = {json.dumps(target["datasource"]) for panel in made["panels"] for target in panel["targets"]}
    assert sources == {json.dumps({"type": "prometheus", "uid": "${datasource}"})}
    assert "://" not in text(board)


@every_board
def test_panels_do_not_overlap_and_say_how_to_read_them(board: Board) -> None:
    panels = dashboard(board)["panels"]
    places = [panel["gridPos"] for panel in panels]
    cells = [(x, place["y"]) for place in places for x in range(place["x"], place["x"] + place["w"])]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    assert all(panel["description"].endswith(".") for panel in panels)


def test_uids_are_given_once() -> None:
    assert len({dashboard(board)["uid"] for board in BOARDS}) == len(BOARDS) == 6
