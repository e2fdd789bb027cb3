"""Scenarios of state: what grows with the catalogue, what memory it takes, and how it comes back."""

import pytest

from streams.bench import memory, restore, scale

pytestmark = pytest.mark.slow


def test_sizes_are_measured_one_by_one_and_held_against_the_smallest() -> None:
    plan = scale.Plan(sizes=(4_000, 2_000), past=20, settle=50, count=80, lists=40)
    found = scale.measure(plan, runs=1)
    figures = {name: spread.median for name, spread in found.figures.items()}
    ratio = figures["4000.list_p50_us"] / figures["2000.list_p50_us"]
    assert figures["4000.times_smallest_list_p50"] == pytest.approx(ratio, rel=0.01)
    assert {bar.figure.split(".")[0] for bar in found.bars} == {"4000"}


def test_bytes_are_counted_for_each_customer_item_and_session() -> None:
    found = memory.sizes(memory.Plan(items=2_000, customers=100, past=30, count=200), 1)
    assert found["customers"] == 100
    assert 100 < found["items"] <= 2_000
    for name in ("customer_bytes", "item_bytes", "item_views_bytes", "session_bytes", "item_content_bytes"):
        assert 10 < found[name] < 100_000


def test_the_memory_of_a_process_is_looked_at_while_it_learns() -> None:
    found = memory.growth(memory.Plan(long_items=2_000, long_customers=50, long_count=900), 1)
    assert found["long_rss_bytes"] > 10_000_000
    assert 0.5 < found["times_rss_of_the_middle"] < 2


def test_a_state_comes_back_from_a_snapshot_as_it_was() -> None:
    found = restore.measure(restore.Plan(items=2_000, past=20, count=60), runs=1).figures
    assert found["stores_of_the_state"].median > 5
    seconds = found["state_size_bytes"].median / found["restore_bytes_per_s"].median
    assert seconds == pytest.approx(found["restore_seconds"].median, rel=0.01)
