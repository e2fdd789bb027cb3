"""What the history stage tells of its lists: hits against popularity, what they rest on, and exposure."""

from math import prod
from pathlib import Path

import msgspec
import pytest

from schemas.experiments import Experiment, Variant
from schemas.settings import RecommendSettings, Settings
from streams.stages.list_quality import MEASURE_INTERVAL_MS, most_explored
from tests.streams.stages.parts import an_event, settings_of, worked
from tests.streams.stages.test_history import Desk


def test_acts_are_compared_with_the_list_that_was_given_before(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, an_event(0, "view", "tea"))
    assert not desk.shows("freshrec_list_queries_total 1.0")
    (given,) = desk.lists()
    places = [item.item_id for item in given.items]
    assert places.index("jam") < places.index("cup")
    desk.learn(1, an_event(1, "view", "cup"))
    assert desk.shows("freshrec_list_queries_total 1.0")
    assert desk.shows('freshrec_list_hits_total{list="given"} 1.0')
    assert desk.shows('freshrec_list_hits_total{list="popular"} 1.0')
    assert desk.shows('freshrec_list_reciprocal_ranks_total{list="popular"} 0.5')
    desk.learn(2, an_event(2, "view", "mat"), an_event(3, "impression", "cup"))
    assert desk.shows("freshrec_list_queries_total 2.0")
    assert desk.shows('freshrec_list_hits_total{list="given"} 1.0')


def test_an_event_that_came_before_is_no_query(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, an_event(0, "view", "tea"))
    desk.lists()
    desk.learn(1, an_event(1, "view", "tea"), an_event(1, "view", "tea"))
    assert desk.shows("freshrec_list_queries_total 1.0")


def test_the_list_of_somebody_who_is_forgotten_is_forgotten(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, an_event(0, "view", "tea"))
    desk.lists()
    desk.learn(1, an_event(1, "erasure", lines=[], event_id=None))
    assert desk.context.quality.act("u:anna", ["jam"]) is None


def test_lists_say_what_they_rest_on_and_exposure_is_measured_now_and_then(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, an_event(0, "purchase", "tea", order_id="o-1"))
    desk.now += MEASURE_INTERVAL_MS
    worked(desk.part)
    assert desk.shows('freshrec_lists_total{basis="popular"} 1.0')
    desk.now += MEASURE_INTERVAL_MS
    desk.learn(1, an_event(1, "view", "cup"))
    worked(desk.part)
    assert desk.shows('freshrec_lists_total{basis="personal"} 1.0')
    desk.now += MEASURE_INTERVAL_MS
    worked(desk.part)
    assert desk.shows("freshrec_exposed_items 2.0")
    lines = desk.metrics.render().decode().splitlines()
    (lift,) = (line for line in lines if line.startswith("freshrec_popularity_lift_ratio "))
    assert float(lift.split()[1]) < 0


@pytest.mark.parametrize("explore", [0.0, 0.4, 0.6])
def test_a_list_with_drawn_places_is_weighed_once_if_its_propensities_tell_them(
    tmp_path: Path, explore: float
) -> None:
    desk = Desk(tmp_path, settings_of(recommend={"explore": explore}))
    desk.learn(0, an_event(0, "view", "tea"))
    (given,) = desk.lists()
    chances = [item.propensity or 0.0 for item in given.items]
    weight = 1 / prod(chances) if min(chances) > 0.5 else 0.0
    desk.learn(1, an_event(1, "view", given.items[0].item_id))
    desk.learn(2, an_event(2, "view", "mat"))
    counted = 0.0 < explore <= 0.5
    assert desk.shows('freshrec_explored_total{of="lists"} 1.0') == counted
    assert desk.shows('freshrec_explored_total{of="hits"} 1.0') == counted
    if counted:
        assert desk.shows(f'freshrec_explored_weights_total{{of="hits"}} {weight}')
        assert desk.shows(f'freshrec_explored_squared_weights_total{{of="lists"}} {weight * weight}')


def test_variants_that_draw_more_are_looked_at_too() -> None:
    wild = Variant(name="wild", share=0.5, changes=(("recommend.explore", 0.9),))
    control = Variant(name="control", share=0.5)
    settings = Settings(recommend=RecommendSettings(explore=0.1))
    assert most_explored(settings) == 0.1
    experiments = (Experiment(name="more", variants=(control, wild)),)
    assert most_explored(msgspec.structs.replace(settings, experiments=experiments)) == 0.9
