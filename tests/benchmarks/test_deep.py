"""The head of a set is its first rows by time; results are shown as they are."""

import gzip
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.deep import head, tables
from benchmarks.deep_costs import views


@pytest.mark.parametrize("most", [2, 10])
def test_the_head_of_a_set_is_its_first_rows_by_time(most: int, tmp_path: Path) -> None:
    source = tmp_path / "ratings.csv.gz"
    source.write_bytes(gzip.compress(b"userId,timestamp\n1,30\n2,4\n3,200\n4,4\n"))
    (tmp_path / "into").mkdir()
    lines = head(source, tmp_path / "into", most).read_text().split()
    assert lines == ["userId,timestamp", "2,4", "4,4", "1,30", "3,200"][: most + 1]


def test_views_are_in_sessions_of_five_in_the_order_of_time() -> None:
    found = list(islice(views(items=3, seed=1), 12))
    assert [each.key for each in found] == ["s:0"] * 5 + ["s:1"] * 5 + ["s:2"] * 2
    assert [each.at for each in found] == sorted(each.at for each in found)
    assert {each.lines[0].item for each in found} <= {"i0", "i1", "i2"}


def test_tables_show_what_was_measured() -> None:
    seconds = {"mean": 0.0012, "p50": 0.001}
    report = {"queries": 1200, "recall": 0.25, "mrr": 0.125, "learn_s": seconds, "recommend_s": seconds}
    cost = {"mean": 20.0, "p50": 12.0}
    shown = tables(
        {
            "worlds": {"order": {"chance": 0.025, "most_at_once": 3.64}},
            "sets": {"movielens": {"models": {"cnn": report}}},
            "costs": {"bound": 5_000, "cnn, 200 items": {"learn_us": cost, "rank_us": cost}},
            "memory": {
                "bound": 500,
                **{name: {"bytes": [1_000, 1_001], "times": 1.001} for name in ("cnn", "dqn")},
            },
        }
    )
    for line in (
        "| most at once | 3.64 |",
        "| movielens, cnn | 1,200 | 0.2500 | 0.1250 | 1,200 | 1,200 |",
        "| cnn, 200 items | 12 | 12 |",
        "| dqn | 1,000 | 1,001 | 1.0010 |",
    ):
        assert line in shown.splitlines()
