"""Scenario `ingest`: every record goes through the worker's code and through a plain Faust agent."""

import pytest

from streams.bench.ingest import Plan, measure


def test_records_are_taken_in_beside_a_plain_agent_that_gets_the_same_ones() -> None:
    found = measure(Plan(items=2_000, settle=1_000, count=4_000, plain=2_000), runs=1)
    figures = {name: spread.median for name, spread in found.figures.items()}
    assert (found.scenario, found.runs) == ("ingest", 1)
    assert figures["events_per_s"] == pytest.approx(1e6 / figures["event_us"], rel=0.01)
    ratio = figures["plain_faust_event_us"] / figures["event_us"]
    assert figures["times_as_fast_as_plain_faust"] == pytest.approx(ratio, rel=0.01)
    assert ratio > 1
    assert [bar.figure for bar in found.bars] == ["events_per_s", "times_as_fast_as_plain_faust"]
