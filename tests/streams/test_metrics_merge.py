"""Several Prometheus texts become one that a scraper reads without loss."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streams.metrics_merge import Merged


def test_a_family_has_one_head_and_the_samples_of_all() -> None:
    merged = Merged()
    merged.add("a", "# HELP x_total seen\n# TYPE x_total counter\nx_total 1\n")
    merged.add("b", "# HELP x_total seen\n# TYPE x_total counter\nx_total 2\n")
    assert merged.render().decode().splitlines() == [
        "# HELP x_total seen",
        "# TYPE x_total counter",
        'x_total{group="a"} 1.0',
        'x_total{group="b"} 2.0',
    ]


def test_a_histogram_stays_one() -> None:
    text = '# TYPE h histogram\nh_bucket{le="1.0"} 1\nh_bucket{le="+Inf"} 2\nh_count 2\nh_sum 3.5\n'
    merged = Merged()
    merged.add("a", text)
    (family,) = text_string_to_metric_families(merged.render().decode())
    assert (family.type, [sample.value for sample in family.samples]) == ("histogram", [1, 2, 2, 3.5])
    assert {sample.labels["group"] for sample in family.samples} == {"a"}


def test_a_sample_that_names_a_group_keeps_it() -> None:
    merged = Merged()
    merged.add("supervisor", '# TYPE up gauge\nup{group="rules"} 0\n')
    assert 'up{group="rules"} 0.0' in merged.render().decode().splitlines()


def test_nothing_of_a_broken_text_is_taken() -> None:
    merged = Merged()
    with pytest.raises(ValueError, match=r"broken|float"):
        merged.add("a", "# TYPE good gauge\ngood 1\nbad broken\n")
    assert merged.render() == b""


@given(st.text(), st.text(), st.floats(min_value=0, allow_nan=False))
def test_help_label_and_value_survive(told: str, value: str, amount: float) -> None:
    registry = CollectorRegistry()
    counter = Counter("x", " ".join(told.split()), ["l"], registry=registry)
    counter.labels(l=value).inc(amount)
    merged, again = Merged(), Merged()
    merged.add("a", generate_latest(registry).decode())
    again.add("b", merged.render().decode())
    assert again.render() == merged.render()
    (family,) = text_string_to_metric_families(merged.render().decode())
    assert family.samples[0].value == amount
