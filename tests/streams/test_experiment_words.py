"""An experiment in words: what should be looked at is marked, and the example is one that is taken."""

from pathlib import Path

import pytest

from schemas.experiments import (
    ArmReport,
    ComparedMetric,
    ExperimentReport,
    MetricInWords,
    MetricReport,
    SampleRatio,
)
from streams.config import load
from streams.experiment_words import EXAMPLE, metric_in_words, sentences
from tests.markdown_pages import ROOT, read


def a_report(*verdicts: str, mismatch: bool = False) -> ExperimentReport:
    arms = [
        ArmReport(name, 40, 0, 120, 10, 80, 4, 4, 50.0, [], verdict)
        for name, verdict in zip(("control", "long", "short"), ("the control", *verdicts), strict=False)
    ]
    ratio = SampleRatio({}, 0.00012 if mismatch else 0.5, 0.5, mismatch)
    return ExperimentReport("length", "conversion", "control", ratio, arms)


@pytest.mark.parametrize(
    ("verdict", "well"),
    [
        ("better than the control", True),
        ("too early to tell", True),
        ("worse than the control", False),
        ("not valid: too many customers were in two variants", False),
    ],
)
def test_a_verdict_that_calls_for_somebody_is_marked(verdict: str, well: bool) -> None:
    assert list(sentences(a_report("too early to tell", verdict))) == [
        ("shares of customers", "as set (p 0.5)", True),
        ("long", "too early to tell", True),
        ("short", verdict, well),
    ]


def test_wrong_shares_are_said_before_all_else() -> None:
    first, *_ = sentences(a_report("not valid: customers are not shared out as set", mismatch=True))
    assert first == ("shares of customers", "MISMATCH: find out why before anything else (p 0.00012)", False)


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        (MetricReport("satisfaction"), MetricInWords()),
        (MetricReport("conversion", 0.1, 0.04, 0.23), MetricInWords("10.00%", "4.00% to 23.00%")),
        (
            MetricReport("revenue_per_visit", 2.5, 2.0, 3.0, ComparedMetric(0.5, 0.25, -0.1, 1.1, 0.0421)),
            MetricInWords("2.500", "2.000 to 3.000", "+0.500 (+25.0%)", "-0.100 to +1.100", "0.0421"),
        ),
        (
            MetricReport("conversion", 0.1, 0.05, 0.2, ComparedMetric(0.1, None, 0.05, 0.15, 1e-9)),
            MetricInWords("10.00%", "5.00% to 20.00%", "+10.00%", "+5.00% to +15.00%", "1e-09"),
        ),
    ],
    ids=["nothing was seen", "the control", "in money", "the control has none"],
)
def test_a_metric_is_told_in_its_unit(metric: MetricReport, told: MetricInWords) -> None:
    assert metric_in_words(metric) == told


def test_the_example_is_taken_as_it_stands_and_is_that_of_the_documentation(tmp_path: Path) -> None:
    file = tmp_path / "freshrec.toml"
    file.write_text(EXAMPLE)
    (experiment,) = load(file, {}).settings.experiments
    assert experiment.goal == "conversion"
    assert [variant.changes for variant in experiment.variants] == [(), (("recommend.k", 20),)]
    assert EXAMPLE in read(ROOT / "docs" / "experiments.md").text
