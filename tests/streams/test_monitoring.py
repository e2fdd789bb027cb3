"""One list of metrics, named by Prometheus's conventions, and docs that say the same."""

import re
from pathlib import Path

import pytest
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

from streams.monitoring import (
    LATENCY_S,
    METRICS,
    Metric,
    Metrics,
    ServeMetrics,
    SupervisorMetrics,
    document,
)

ROOT = Path(__file__).parents[2]
UNITS = ("_seconds", "_bytes", "_records")

every_metric = pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.says.name)


@every_metric
def test_names_follow_the_conventions(metric: Metric) -> None:
    name = metric.says.name
    assert re.fullmatch(r"freshrec_[a-z0-9]+(_[a-z0-9]+)*", name)
    assert name.endswith("_total") == (metric.kind is Counter)
    if metric.kind is Histogram:
        assert name.endswith(UNITS)
        assert list(metric.says.buckets) == sorted(set(metric.says.buckets))
        assert metric.says.buckets
    else:
        assert metric.says.buckets == ()


@every_metric
def test_every_metric_and_label_is_explained(metric: Metric) -> None:
    assert metric.says.help.endswith(".")
    assert all(label and values for label, values in metric.says.labels)


@every_metric
def test_no_label_names_a_customer_an_item_or_an_order(metric: Metric) -> None:
    known = {"type", "result", "reason", "stage", "topic", "partition", "source", "view", "version", "python"}
    known |= {"group", "basis", "list", "lesson", "series", "route", "status", "experiment", "variant", "of"}
    assert {label for label, _ in metric.says.labels} <= known


def test_names_and_attributes_are_unique() -> None:
    assert len({metric.says.name for metric in METRICS}) == len(METRICS)
    assert len({metric.attribute for metric in METRICS}) == len(METRICS)


def test_latency_buckets_reach_from_a_millisecond_to_a_minute() -> None:
    assert (LATENCY_S[0], LATENCY_S[-1]) == (0.001, 60.0)
    assert 0.5 in LATENCY_S


def test_what_is_counted_is_rendered_with_its_labels() -> None:
    metrics = Metrics()
    metrics.events.labels(type="purchase", result="duplicate").inc()
    metrics.lag.labels(topic="events", partition="3").set(17)
    metrics.recommendation_latency.observe(0.04)
    metrics.gaps.inc(2)
    lines = metrics.render().decode().splitlines()
    assert 'freshrec_events_total{result="duplicate",type="purchase"} 1.0' in lines
    assert 'freshrec_lag_records{partition="3",topic="events"} 17.0' in lines
    assert 'freshrec_event_to_recommendation_seconds_bucket{le="0.03"} 0.0' in lines
    assert 'freshrec_event_to_recommendation_seconds_bucket{le="0.05"} 1.0' in lines
    assert "freshrec_gaps_total 2.0" in lines


def test_every_attribute_holds_the_kind_it_promises() -> None:
    holders = {**vars(Metrics()), **vars(SupervisorMetrics()), **vars(ServeMetrics())}
    for metric in METRICS:
        assert isinstance(holders[metric.attribute], metric.kind)


def test_the_text_holds_every_metric_of_the_list_and_besides_only_those_of_the_process() -> None:
    texts = [each().render().decode() for each in (Metrics, SupervisorMetrics, ServeMetrics)]
    families = {family.name for text in texts for family in text_string_to_metric_families(text)}
    own = {name for name in families if not name.startswith("process_")}
    assert own == {metric.says.name.removesuffix("_total") for metric in METRICS}
    assert "process_resident_memory_bytes" in families


def test_no_creation_times_are_rendered() -> None:
    metrics = Metrics()
    metrics.duplicates.inc()
    assert "_created" not in metrics.render().decode()


def test_two_instances_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.gaps.inc()
    assert "freshrec_gaps_total 0.0" in other.render().decode().splitlines()
    assert isinstance(one.build, Gauge)


def test_the_page_in_the_docs_is_the_generated_one() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text()
    assert page == document(), "run: python -m streams.monitoring > docs/metrics.md"
