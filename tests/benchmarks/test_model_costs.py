"""What the benchmark of costs measures: the contenders as they are, what they hold, and ratios of it."""

import json
import multiprocessing
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks import model_costs
from benchmarks.loads import Load, events
from benchmarks.model_costs import Bounds, Plan, askers, costs, made, memory, with_ratios
from online_models.evaluation.catalog import CONTENDERS
from schemas.settings import Settings
from streams.evaluating.state_size import bytes_of

TINY = Plan(warm_up=300, settle=20, measured=40, fill=400)
SMALL = model_costs.SMALL_SETTINGS
every_model = pytest.mark.parametrize("name", model_costs.MODELS)


@every_model
def test_a_model_is_made_as_the_catalogue_makes_it(name: str) -> None:
    mine, _ = made(name, Settings(), Bounds())
    theirs = CONTENDERS[name].make(Settings(), {})
    assert type(mine) is type(theirs)
    assert bytes_of(mine) == pytest.approx(bytes_of(theirs), rel=1e-3, abs=200)
    for event in islice(events(Load(items=50)), 200):
        mine.learn_one(event)
        theirs.learn_one(event)
    assert bytes_of(mine) == pytest.approx(bytes_of(theirs), rel=1e-3, abs=200)


@every_model
def test_costs_are_those_of_each_event_and_each_list(name: str) -> None:
    found = costs(name, Load(items=100), TINY, SMALL, model_costs.SMALL_BOUNDS)
    for part in ("learn_us", "rank_us"):
        assert 0 < found[part]["p50"] <= found[part]["p90"] <= found[part]["p99"]
        assert found[part]["mean"] > 0
    assert found["state_bytes"] > 1_000
    assert found["peak_rss_bytes"] > found["state_bytes"]
    assert set(found["not_at_bound"]) | set(found["no_bound"]) <= set(found["holds"])


def test_what_is_held_is_told_with_its_bound() -> None:
    found = {}
    for name in model_costs.MODELS:
        contender, held = made(name, SMALL, Bounds(sessions=20, open_sessions=15, rows=10, entries=3))
        for event in islice(events(Load(items=40, customers=30)), 600):
            contender.learn_one(event)
        found[name] = {key: (each.now, each.most) for key, each in held().items()}
    assert found["vsknn"] == found["stan"] == found["vstan"] == {"sessions": (20, 20)}
    assert found["session-blend"] == {"sessions": (20, 20), "open_sessions": (15, 15)}
    for name in ("ar", "sr"):
        assert found[name]["rows"] == (10, 10)
        assert found[name]["open_sessions"] == (15, 15)
        assert 0 < found[name]["entries"][0] <= found[name]["entries"][1] == 50
    blend = found["blend"]
    rows, most = blend["pair_rows"]
    assert (30 < rows <= 40, most) == (True, 0)
    assert 0 < blend["full_pair_rows"][0] <= blend["full_pair_rows"][1] == rows
    assert 0 < blend["full_histories"][0] < blend["full_histories"][1] == blend["histories"][0]
    assert 100 < blend["sessions"][0] <= blend["sessions"][1] == 500


def test_fewer_sessions_make_fewer_of_what_hangs_on_them() -> None:
    assert model_costs.bounds_of(150_000) == Bounds()
    assert model_costs.bounds_of(20) == Bounds(sessions=20, open_sessions=20, rows=20)
    assert model_costs.bounds_of(500_000) == Bounds(sessions=500_000)


def test_whoever_is_asked_after_is_known_beforehand() -> None:
    load = Load(items=40, customers=30)
    part = list(islice(events(load), 40_000))
    for start, count in ((0, 5), (300, 60), (31_000, 3_000), (39_990, 10)):
        assert askers(load, start, count) == {event.key for event in part[start : start + count]}


@pytest.mark.parametrize("name", ["vsknn", "sr"])
def test_memory_does_not_grow_with_the_stream(name: str) -> None:
    bounds = Bounds(sessions=30, open_sessions=30, rows=30, entries=5)
    found = memory(name, 1, Plan(fill=1_500), SMALL, bounds)
    assert found["events"] == [1_500, 15_000]
    assert 0.8 < found["ratio"] < 1.2
    assert found["ratio"] == round(found["bytes"][1] / found["bytes"][0], 3)


def test_memory_that_grows_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hoard:
        def __init__(self) -> None:
            self.seen: list[object] = []

        def learn_one(self, x: object) -> None:
            self.seen.append(x)

    hoarding: Callable[..., Any] = lambda *_: (Hoard(), dict)  # noqa: E731
    monkeypatch.setattr(model_costs, "made", hoarding)
    found = memory("sr", 1, Plan(fill=100), SMALL, Bounds())
    assert found["ratio"] > 8
    assert not found["flat"]


def cost(us: float, size: int) -> dict[str, Any]:
    spread = {"mean": us, "p50": us / 2, "p90": 2 * us, "p99": 3 * us}
    return {"learn_us": spread, "rank_us": {**spread, "p99": 10.0}, "state_bytes": size}


def test_ratios_are_to_the_smallest_catalogue_and_none_may_be_above_the_bar() -> None:
    found = with_ratios({"1000": cost(6.0, 30), "90": cost(2.0, 10), "20000": cost(6.1, 10)})
    assert found["90"]["ratio"]["learn_us"] == {"mean": 1.0, "p50": 1.0, "p90": 1.0, "p99": 1.0}
    assert found["1000"]["ratio"]["rank_us"] == {"mean": 3.0, "p50": 3.0, "p90": 3.0, "p99": 1.0}
    assert found["1000"]["ratio"]["state_bytes"] == 3.0
    assert [found[size]["within_bar"] for size in ("90", "1000", "20000")] == [True, True, False]


def test_the_command_writes_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # In this process, so that it takes no minute; what a new one gives is tested below.
    monkeypatch.setattr(model_costs, "alone", lambda call, *arguments: call(*arguments))
    monkeypatch.setattr(
        model_costs, "SMALL_BOUNDS", Bounds(sessions=30, open_sessions=30, rows=30, entries=5)
    )
    monkeypatch.setenv("COLUMNS", "160")
    out = tmp_path / "results" / "found.json"
    arguments = ["--items", "200,50", "--models", "vsknn,ar", "--warm-up", "300", "--measured", "30"]
    done = CliRunner().invoke(
        model_costs.main, [*arguments, "--fill", "400", "--seed", "7", "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    found = json.loads(out.read_text())
    assert (found["seed"], found["load"]["items"]) == (7, [50, 200])
    assert {name: list(sizes) for name, sizes in found["costs"].items()} == {
        name: ["50", "200"] for name in ("vsknn", "ar")
    }
    assert {"processor", "python", "commit"} <= set(found["machine"])
    assert found["clock"]["read_us"] > 0
    assert found["settings"]["sessions"]["held"] == 150_000
    assert set(found["memory"]) == {"vsknn", "ar"}
    shown = found["costs"]["ar"]["200"]["ratio"]["learn_us"]["mean"]
    assert f"{shown:.2f}" in done.output


@pytest.mark.parametrize("wrong", [["--items", "ten"], ["--items", "0"], ["--models", "none"]])
def test_what_can_not_be_measured_is_said(wrong: list[str]) -> None:
    done = CliRunner().invoke(model_costs.main, wrong)
    assert done.exit_code == 2
    assert wrong[1] in done.output


def test_a_measurement_is_made_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    assert model_costs.alone(_process_id) not in ("MainProcess", multiprocessing.current_process().name)
    assert "benchmarks.model_costs" in sys.modules


def _process_id() -> str:
    return multiprocessing.current_process().name
