"""The verdict: about the goal alone, and none where the groups are not comparable."""

import msgspec
import pytest

from online_models.experiments.report import TOO_EARLY, report
from online_models.experiments.tallies import AMOUNTS, ArmChange, add
from schemas.experiments import ArmTallies, ArmTally, Experiment, ExperimentReport, Variant


def an_experiment(*others: str, goal: str = "conversion") -> Experiment:
    names = ("control", *others)
    variants = tuple(Variant(name=name, share=1 / len(names)) for name in names)
    return msgspec.convert({"name": "a", "goal": goal, "variants": variants}, Experiment)


def arms(**found: tuple[int, int]) -> dict[str, ArmTally]:
    """Customers of each variant, and how many of them ordered; everybody was shown a list, nobody clicked."""
    tallies = ArmTallies({})
    for name, (customers, buyers) in found.items():
        for n in range(customers):
            has = {"lists": 1, "visits": 1, "buyer": int(n < buyers), "orders": int(n < buyers)}
            amounts = [has.get(amount, 0) for amount in AMOUNTS]
            add(tallies, ArmChange(f"a:{name}", n, [0] * len(AMOUNTS), amounts, entered=1))
    return tallies.arms


def verdicts(found: ExperimentReport) -> dict[str, str]:
    return {arm.variant: arm.verdict for arm in found.arms}


@pytest.mark.parametrize(
    ("buyers", "verdict"),
    [(100, TOO_EARLY), (200, "better than the control"), (20, "worse than the control")],
)
def test_a_verdict_needs_a_difference_that_is_more_than_chance(buyers: int, verdict: str) -> None:
    found = report(an_experiment("b"), arms(control=(1_000, 100), b=(1_000, buyers)))
    assert verdicts(found) == {"control": "the control", "b": verdict}


def test_it_is_about_the_goal_alone() -> None:
    tallies = arms(control=(1_000, 100), b=(1_000, 300))
    found = report(an_experiment("b", goal="click_through"), tallies)
    compared = {each.metric: each.against_control for each in found.arms[1].metrics}["conversion"]
    assert compared is not None
    assert compared.low > 0
    assert verdicts(found)["b"] == TOO_EARLY


def test_there_is_none_where_customers_came_in_other_shares() -> None:
    found = report(an_experiment("b"), arms(control=(1_500, 150), b=(1_000, 300)))
    assert found.sample_ratio.mismatch
    assert verdicts(found)["b"].startswith("not valid: customers are not shared out")


def test_there_is_none_where_too_many_were_in_two_variants() -> None:
    tallies = arms(control=(1_000, 100), b=(1_000, 300))
    tallies["a:b"].crossed = 21
    assert verdicts(report(an_experiment("b"), tallies))["b"].startswith("not valid: too many")
    tallies["a:b"].crossed = 20
    assert verdicts(report(an_experiment("b"), tallies))["b"] == "better than the control"


def test_few_customers_are_not_compared() -> None:
    found = report(an_experiment("b"), arms(control=(29, 0), b=(29, 29)))
    assert all(each.against_control is None for each in found.arms[1].metrics)
    assert verdicts(found)["b"] == TOO_EARLY


def test_with_more_variants_each_has_to_be_surer() -> None:
    def width(*others: str) -> float:
        tallies = arms(control=(500, 50), **dict.fromkeys(others, (500, 60)))
        compared = report(an_experiment(*others), tallies).arms[1].metrics[2].against_control
        assert compared is not None
        return compared.high - compared.low

    assert width("b") < width("b", "c") < width("b", "c", "d")


def test_nothing_in_it_is_more_exact_than_six_digits() -> None:
    found = report(an_experiment("b", "c"), arms(control=(700, 33), b=(690, 41), c=(710, 37)))
    for arm in found.arms:
        for each in arm.metrics:
            assert each.value is None or each.value == float(f"{each.value:.6g}")
