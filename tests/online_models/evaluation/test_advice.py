"""Advice: what each trait of a log leads to, and that what is advised can be done."""

from typing import Any

import pytest
from msgspec.structs import replace

from online_models.evaluation.advice import Plan, advise
from online_models.evaluation.catalog import CONTENDERS, with_options
from online_models.evaluation.traits import Traits
from schemas.settings import Settings

SHOP = Traits(
    events=100_000,
    customers=5_000,
    items=2_000,
    sessions=20_000,
    days=90.0,
    guests=0.2,
    events_per_customer=12.0,
    events_per_session=5.0,
    sparsity=0.99,
    repeats=0.3,
    cold=0.3,
    turnover=0.1,
    drift=0.2,
    head=0.2,
    orders=0.05,
    ratings=0.0,
    described=1.0,
    links=6_000,
)
"""A shop with something for every model."""


def verdicts(plan: Plan) -> dict[str, str]:
    return {each.model: each.verdict for each in plan.advice}


def test_a_shop_that_has_everything_uses_everything_but_what_was_behind_wherever_it_was_measured() -> None:
    found = verdicts(advise(SHOP))
    assert {name: verdict for name, verdict in found.items() if verdict != "use"} == {
        "factors": "measure",
        "deep": "measure",
    }


@pytest.mark.parametrize(
    ("change", "model", "verdict"),
    [
        ({"events_per_session": 1.0}, "sessions", "leave out"),
        ({"events_per_session": 1.5}, "sessions", "measure"),
        ({"events_per_customer": 1.0}, "similarity", "measure"),
        ({"orders": 0.0}, "rules", "leave out"),
        ({"orders": 0.01}, "rules", "measure"),
        ({"guests": 1.0}, "users", "leave out"),
        ({"events_per_customer": 2.0}, "users", "measure"),
        ({"described": 0.0}, "content", "leave out"),
        ({"turnover": 0.0}, "content", "measure"),
        ({"links": 0}, "social", "leave out"),
        ({"links": 10}, "social", "measure"),
        ({"events_per_customer": 2.0}, "factors", "leave out"),
        ({"customers": 100}, "segments", "leave out"),
        ({"orders": 0.001}, "trees", "leave out"),
        ({"events": 500}, "ranker", "measure"),
        ({"events": 5_000}, "deep", "leave out"),
        ({"events_per_session": 1.5}, "deep", "leave out"),
    ],
)
def test_what_is_missing_speaks_against_a_model(change: dict[str, Any], model: str, verdict: str) -> None:
    assert verdicts(advise(replace(SHOP, **change)))[model] == verdict


@pytest.mark.parametrize("drift", [0.0, 1.0])
@pytest.mark.parametrize("guests", [0.0, 1.0])
@pytest.mark.parametrize("least", [True, False])
def test_what_is_advised_can_be_set_and_measured(drift: float, guests: float, *, least: bool) -> None:
    few = {"orders": 0.0, "described": 0.0, "links": 0, "events_per_customer": 1.0, "repeats": 0.0}
    plan = advise(replace(SHOP, drift=drift, guests=guests, **(few if least else {})))
    given = {name: value for each in plan.advice for name, value in each.settings.items()}
    assert with_options(Settings(), given) != Settings()
    assert set(plan.contenders) <= set(CONTENDERS)
    assert plan.protocol == ("sessions" if guests > 0.5 else "prequential")


def test_ratings_are_measured_by_those_that_are_high() -> None:
    plan = advise(replace(SHOP, ratings=1.0, repeats=0.0))
    assert plan.options == ["--relevant", "rating>=4", "--others", "drop"]
    assert "cosine-10" in plan.contenders


def test_popularity_fades_faster_where_it_changes() -> None:
    (popularity,) = (each for each in advise(replace(SHOP, drift=0.9)).advice if each.model == "popularity")
    assert popularity.settings == {"popularity.half_life_s": 90 * 86_400 // 20}
