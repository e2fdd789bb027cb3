"""Live quality: places as a plain search finds them, exposure as the reference has it, bounded memory."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.exposure import exposure_gini, popularity_lift
from online_models.live_quality import LiveQuality, Places

ITEMS = st.lists(st.sampled_from("abcdefgh"), max_size=6, unique=True)


def test_each_act_is_compared_with_the_list_as_it_was() -> None:
    quality = LiveQuality()
    quality.give("u:anna", ["tea", "cup", "pot"], popular=["cup", "tea", "jam", "mat"])
    assert quality.act("u:anna", ["pot"]) == Places(3, 0)
    assert quality.act("u:anna", ["mat"]) == Places(0, 0)
    quality.give("u:anna", ["mat"], popular=["tea"])
    assert quality.act("u:anna", ["mat", "tea"]) == Places(1, 1)


def test_who_has_no_list_or_does_nothing_with_items_is_no_query() -> None:
    quality = LiveQuality()
    assert quality.act("u:anna", ["tea"]) is None
    quality.give("u:anna", ["tea"], popular=[])
    assert quality.act("u:anna", []) is None
    quality.forget("u:anna")
    quality.forget("u:nobody")
    assert quality.act("u:anna", ["tea"]) is None


def test_the_weight_of_a_list_is_told_once_and_goes_with_the_list() -> None:
    quality = LiveQuality(customers=2)
    quality.give("u:a", ["tea"], popular=[], weight=1.25)
    assert quality.act("u:a", ["tea"]) == Places(1, 0, 1.25)
    assert quality.act("u:a", ["tea"]) == Places(1, 0, None)
    quality.give("u:a", ["tea"], popular=[], weight=0.0)
    quality.give("u:a", ["tea"], popular=[])
    assert quality.act("u:a", ["cup"]) == Places(0, 0, None)
    for key in ("u:a", "u:b", "u:c"):
        quality.give(key, ["tea"], popular=[], weight=2.0)
    quality.forget("u:b")
    assert quality._weights == {"u:c": 2.0}


def test_the_list_that_was_given_longest_ago_makes_room() -> None:
    quality = LiveQuality(customers=2)
    for key in ("u:a", "u:b", "u:a", "u:c"):
        quality.give(key, ["tea"], popular=[])
    found = [quality.act(key, ["tea"]) is not None for key in ("u:a", "u:b", "u:c")]
    assert found == [True, False, True]


def test_without_lists_or_acts_there_is_no_exposure() -> None:
    quality = LiveQuality()
    assert quality.exposure() is None
    quality.give("u:a", ["tea"], popular=[])
    assert quality.exposure() is None
    quality.act("u:b", ["tea"])
    assert quality.exposure() == (1, 0.0, 0.0)


@given(st.lists(st.tuples(ITEMS, ITEMS), min_size=1, max_size=12))
def test_exposure_is_that_of_the_newest_lists_and_acts(rounds: list[tuple[list[str], list[str]]]) -> None:
    quality = LiveQuality(window=5)
    for ranked, items in rounds:
        quality.give("u:a", ranked, popular=[])
        quality.act("u:a", items)
    lists = [ranked for ranked, _ in rounds][-5:]
    acted = Counter([item for _, items in rounds for item in items][-5:])
    shown = {item for ranked in lists for item in ranked}
    found = quality.exposure()
    if not shown or not acted:
        assert found is None
        return
    assert found is not None
    assert found.items == len(shown)
    assert found.gini == pytest.approx(exposure_gini(lists, shown | acted.keys(), 6))
    assert found.lift == pytest.approx(popularity_lift(lists, acted, 6))


@pytest.mark.parametrize("bounds", [(0, 1), (1, 0)])
def test_bounds_of_nothing_are_refused(bounds: tuple[int, int]) -> None:
    customers, window = bounds
    with pytest.raises(ValueError, match="expected at least 1 of each"):
        LiveQuality(customers=customers, window=window)
