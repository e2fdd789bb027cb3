"""What the page is told of experiments: what the API tells, in words, and how to set one where none is."""

import msgspec

from schemas.experiments import ArmTallies
from streams.experiment_words import EXAMPLE
from streams.serving.live.experiments_now import experiments_now
from tests.online_models.shop_views import NOW
from tests.streams.serving.parts import LENGTH, SETTINGS, Desk, a_shop, tallies


def test_the_page_is_told_what_the_api_tells_and_the_same_in_words() -> None:
    desk = Desk(a_shop())
    told = desk.get("/page/experiments")
    (found,) = told["experiments"]
    assert told["example"] is None
    assert [found["report"]] == desk.get("/v1/experiments")
    assert found["says"] == [
        {"name": "shares of customers", "value": "as set (p 1)", "well": True},
        {"name": "long", "value": "too early to tell", "well": True},
    ]
    control, longer = found["variants"]
    assert (control["changes"], longer["changes"]) == ([], ["recommend.k = 15"])
    assert [len(each["metrics"]) for each in found["variants"]] == [6, 6]
    assert control["metrics"][0] == {
        "value": "8.33%",
        "interval": "3.80% to 12.86%",
        "difference": "",
        "at_any_time": "",
        "p_value": "",
    }
    assert longer["metrics"][0] == {
        "value": "16.67%",
        "interval": "11.44% to 21.90%",
        "difference": "+8.33% (+100.0%)",
        "at_any_time": "-16.56% to +33.22%",
        "p_value": "0.758",
    }
    assert (found["starts_at"], found["ends_at"], found["newest_at"]) == (None, LENGTH.ends_at, NOW)


def test_an_experiment_that_nobody_was_in_yet_is_told_as_such() -> None:
    shop = a_shop()
    shop.learn("experiment-tallies", "0", ArmTallies({}))
    (found,) = Desk(shop).get("/page/experiments")["experiments"]
    assert found["newest_at"] is None
    assert [arm["customers"] for arm in found["report"]["arms"]] == [0, 0]
    assert found["says"][1]["value"] == "too early to tell"


def test_all_partitions_count_and_other_experiments_do_not() -> None:
    other = ArmTallies({"gone:control": tallies().arms["length:control"]})
    told = experiments_now((LENGTH,), [tallies(), other, tallies()])
    assert [[arm.customers for arm in each.report.arms] for each in told.experiments] == [[80, 80]]


def test_how_one_is_set_is_told_where_none_is() -> None:
    none = msgspec.structs.replace(SETTINGS, experiments=())
    assert Desk(a_shop(none), none).get("/page/experiments") == {"experiments": [], "example": EXAMPLE}


def test_it_asks_for_nothing_and_takes_nothing() -> None:
    told = Desk(a_shop()).ask("/page/experiments", method="POST", body={})
    assert told.status == 405
