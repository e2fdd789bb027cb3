"""Scenario `rules`: the same rules as mlxtend's, every pair counted, in tenths."""

from pathlib import Path

import pytest

from streams.bench.rule_mining import Plan, baskets_of, measure, pairs_in

SMALL = Plan(count=300, items=40, size=4.0, min_support=0.02)


def test_drawn_baskets_have_the_rules_that_are_mined() -> None:
    found = {name: spread.median for name, spread in measure(SMALL, runs=1).figures.items()}
    assert (found["same_rules"], found["baskets"]) == (1, 300)
    assert found["pair_increments"] == pairs_in(baskets_of(SMALL, 1))
    assert found["pair_us"] == pytest.approx(
        1e6 * found["learn_seconds"] / found["pair_increments"], rel=0.01
    )
    assert found["rules"] > 0


def test_baskets_are_those_of_a_file_or_of_the_seed(tmp_path: Path) -> None:
    assert baskets_of(SMALL, 1) == baskets_of(SMALL, 1) != baskets_of(SMALL, 2)
    file = tmp_path / "baskets.csv"
    file.write_text("tea,cup\nmat\n")
    plan = Plan(baskets_file=str(file), baskets_format="baskets")
    assert baskets_of(plan, 1) == [["tea", "cup"], ["mat"]]
