"""Directions of the map in words."""

from math import sqrt

from online_models.features import FEATURES, buckets
from streams.serving.live.map_axes import MOST_NAMED, axis_in_words


def axis_of(**weights: float) -> list[float]:
    return [weights.get(name, 0.0) for name in FEATURES]


def test_the_heaviest_come_first_and_what_weighs_little_is_left_out() -> None:
    axis = axis_of(monetary=-0.9, sessions=0.4, rating_mean=0.01)
    assert axis_in_words(axis, []) == "less spending, more sessions"
    assert axis_in_words(axis_of(), ["tea"]) == ""
    crowded = axis_of(frequency=0.5, sessions=0.5, monetary=0.5, cart_share=0.5)
    assert axis_in_words(crowded, []).count(",") == MOST_NAMED - 1


def test_what_customers_tell_of_themselves_is_only_another() -> None:
    assert axis_in_words(axis_of(gender=-1.0), []) == "another gender"


def test_a_category_is_named_if_it_is_known() -> None:
    first, second = buckets("tea")
    axis = axis_of(**{f"category_{place:02d}": 1 / sqrt(2) for place in (first, second)})
    assert axis_in_words(axis, ["tea"]) == "more tea"
    assert axis_in_words(axis, []) == ""
