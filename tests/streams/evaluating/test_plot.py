"""Curves: where a hit rate changed, a dashed line in the model's colour says so."""

from online_models.evaluation.actions import Action
from streams.evaluating.plot import page
from tests.online_models.evaluation.test_report import Fixed, ask, measured


def test_changes_of_hit_rates_are_dashed_lines_with_what_changed() -> None:
    asked: list[Action] = [ask(f"u:{n}", "a" if n < 300 else "b") for n in range(600)]
    found = page(measured(asked, one=Fixed("a"), other=Fixed("c")), title="shop", k=2)
    assert found.count("stroke-dasharray") == 2
    assert "one: 1.000 to 0.000" in found
    assert "other: " not in found
