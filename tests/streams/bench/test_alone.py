"""Scenarios in one process: what they measure, on a small shop."""

from pathlib import Path

import pytest

from online_models.ranking import LearnedOrder
from schemas.settings import Settings, StateSettings
from streams.bench.alone import LEARN_ALL, LEARN_CORE, REFRESH, Plan, measure, rank
from streams.replay import Replay

SMALL = Plan(items=2_000, customers=40, past=40, settle=60, count=50)


@pytest.mark.parametrize("name", [LEARN_CORE, pytest.param(LEARN_ALL, marks=pytest.mark.slow)])
def test_events_are_learned_beside_plain_dicts_that_count_the_same(name: str) -> None:
    found = measure(name, SMALL, runs=1)
    assert (found.scenario, found.runs, found.count) == (name, 1, 50)
    assert found.per_s.median == pytest.approx(1e6 / found.us["mean"].median, rel=0.01)
    assert found.times_plain is not None
    assert found.times_plain.min > 1


def test_lists_are_made_one_after_another_and_each_is_timed() -> None:
    found = measure(REFRESH, SMALL, runs=2)
    assert found.runs == 2
    assert found.times_plain is None
    assert 0 < found.us["p50"].min <= found.us["p90"].min <= found.us["p99"].max
    assert found.us["mean"].min <= found.us["mean"].median <= found.us["mean"].max


def test_lists_that_are_measured_are_ordered_by_the_ranker(tmp_path: Path) -> None:
    settings = Settings(state=StateSettings(dir=str(tmp_path)))
    replay = Replay(settings, on_recommendation=lambda _: None, measure=False)
    order = LearnedOrder(replay.views, settings.ranker)
    assert not order.ready()
    rank(replay)
    assert order.ready()
    replay.close()
