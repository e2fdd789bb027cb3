"""The page of results: every scenario, its figures and bars; what is no result is passed over."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from streams.bench.compare import CompareError
from streams.bench.figures import at_least, at_most, figures_of
from streams.bench.report import page, results_of
from streams.cli import run
from tests.markdown_pages import ROOT

BARS = (at_least("events_per_s", 150_000.0), at_most("event_us", 6.7))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    result = figures_of("in<gest", [{"events_per_s": 116_000.0, "event_us": 6.5}], *BARS)
    shown = {"scenario": result.scenario, "runs": 1, "bars": [vars_of(bar) for bar in result.bars]}
    shown["figures"] = {name: vars_of(spread) for name, spread in result.figures.items()}
    machine = {"processor": "A & B", "cores": 2, "commit": "abc"}
    (tmp_path / "ingest.json").write_text(json.dumps({"machine": machine, "result": shown}))
    (tmp_path / "e2e.json").write_text(
        json.dumps({"result": {"scenario": "e2e", "learned_per_s": 9.5, "lists": None}})
    )
    (tmp_path / "other.json").write_text("[]")
    return tmp_path


def vars_of(struct: object) -> dict[str, object]:
    return {name: getattr(struct, name) for name in getattr(struct, "__struct_fields__", ())}


def test_the_page_has_each_scenario_and_says_which_bars_are_missed(folder: Path) -> None:
    text = page(results_of(folder))
    assert text.count("<h2 ") == 2
    assert "in&lt;gest" in text
    assert "A &amp; B, 2 cores, abc (commit)" in text
    row = "<tr><td>{}</td><td>{}</td><td>{}</td>{}</tr>"
    missed, met = '<td class="missed">missed</td>', "<td>met</td>"
    assert row.format("events_per_s", "116,000", "at least 150,000", missed) in text
    assert row.format("event_us", "6.5", "at most 6.7", met) in text


def test_pictures_are_whole_and_nothing_is_loaded_from_elsewhere(folder: Path) -> None:
    text = page(results_of(folder))
    pictures = [part.split("</svg>")[0] + "</svg>" for part in text.split("<svg ")[1:]]
    assert len(pictures) == 2
    for picture in pictures:
        ET.fromstring("<svg " + picture)  # noqa: S314  # written a line above
    assert "src=" not in text
    assert "http" not in text


def test_the_results_of_the_project_make_a_small_page(tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    assert run(["bench", "report", str(ROOT / "benchmarks" / "results"), "--out", str(out)]) == 0
    text = out.read_text()
    assert 'id="learn-core"' in text
    assert len(text) < 200_000


def test_a_folder_without_results_is_told(tmp_path: Path) -> None:
    with pytest.raises(CompareError, match="has no results"):
        results_of(tmp_path)
