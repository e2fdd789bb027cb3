"""The story of a demo: everything of the plan, in order, within the time that there is."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.worlds import PRESETS, Storefront, diverging_twins
from streams.demo.script import Moment, script

PLAN = diverging_twins(Storefront(PRESETS["demo"]).answer(), 1)
OTHERS = ("carla", "david")


def of_phase(moments: tuple[Moment, ...], phase: str) -> list[Moment]:
    return [moment for moment in moments if moment.phase == phase]


@given(st.floats(5, 10_000), st.sampled_from([OTHERS, OTHERS[:1], ()]))
def test_moments_follow_each_other_within_the_demo(seconds: float, others: tuple[str, ...]) -> None:
    times = [moment.at_s for moment in script(PLAN, others, seconds)]
    assert times == sorted(set(times))
    assert times[0] > 0
    assert times[-1] < seconds


def test_both_do_what_the_plan_says_first_alike_then_apart() -> None:
    moments = script(PLAN, OTHERS, 42)
    shared, apart = of_phase(moments, "shared"), of_phase(moments, "apart")
    assert [moment.acts for moment in shared] == [(act, act) for act in PLAN.shared]
    assert [moment.acts[0] for moment in apart] == [*PLAN.first_then]
    assert [moment.acts[1] for moment in apart] == [*PLAN.second_then]
    assert {moment.users for moment in (*shared, *apart)} == {("anna", "ben")}
    assert shared[-1].at_s < apart[0].at_s


def test_the_ways_part_with_another_item_for_each() -> None:
    assert all(one != other for one, other in zip(PLAN.first_then, PLAN.second_then, strict=True))


def test_others_are_looked_at_in_turn_before_the_two_come_in_and_do_nothing_by_script() -> None:
    moments = script(PLAN, OTHERS, 42)
    glimpses = of_phase(moments, "glimpse")
    assert [moment.users for moment in glimpses] == [("carla",), ("david",), ("carla",)]
    assert [moment.acts for moment in glimpses] == [()] * 3
    assert list(moments[:3]) == glimpses


def test_without_others_only_the_two_are_seen() -> None:
    assert {moment.users for moment in script(PLAN, (), 42)} == {("anna", "ben")}


def test_a_demo_twice_as_long_is_the_same_story_at_half_the_speed() -> None:
    short, long = script(PLAN, OTHERS, 10), script(PLAN, OTHERS, 20)
    slowed = [msgspec.structs.replace(moment, at_s=0.0) for moment in short]
    assert [msgspec.structs.replace(moment, at_s=0.0) for moment in long] == slowed
    assert [moment.at_s for moment in long] == pytest.approx([2 * moment.at_s for moment in short])


def test_a_plan_that_gives_one_of_them_more_to_do_is_refused() -> None:
    plan = msgspec.structs.replace(PLAN, second_then=PLAN.second_then[:1])
    with pytest.raises(ValueError, match="shorter"):
        script(plan, (), 42)
