"""What trees ask: every number has its bin, every question its words."""

from itertools import pairwise

import pytest

from online_models.visit_features import (
    BINS,
    CATEGORIES,
    FEATURES,
    MAX_CATEGORIES,
    NUMBERS,
    Number,
    bins_of,
    in_words,
)

NONE = [""] * len(CATEGORIES)
KNOWN = [f"category {n}" for n in range(MAX_CATEGORIES)]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
def test_thresholds_ascend_and_fit_into_the_bins(number: Number) -> None:
    assert 0 < len(number.edges) < BINS
    assert all(one < two for one, two in pairwise(number.edges))


@pytest.mark.parametrize("feature", range(len(NUMBERS)), ids=[number.name for number in NUMBERS])
def test_a_number_at_a_threshold_goes_where_the_words_say(feature: int) -> None:
    for place, edge in enumerate(NUMBERS[feature].edges):
        numbers = [0.0] * len(NUMBERS)
        numbers[feature] = edge
        assert bins_of(numbers, NONE, [])[feature] == place + 1
        numbers[feature] = edge - 1e-6
        assert bins_of(numbers, NONE, [])[feature] == place
        assert in_words(feature, place, [], right=True) != in_words(feature, place, [], right=False)


def test_each_category_has_a_bin_and_so_have_the_others_and_none() -> None:
    names = [*KNOWN, "rare", ""]
    found = [bins_of([0.0] * len(NUMBERS), [name, "", "", ""], KNOWN)[len(NUMBERS)] for name in names]
    assert found == list(range(BINS))
    words = [in_words(len(NUMBERS), place, KNOWN, right=True) for place in range(BINS)]
    assert words[3] == "the last category is category 3"
    assert words[-2:] == ["the last category is a rare one", "the last category is unknown"]


def test_every_question_has_words_of_its_own() -> None:
    said = [
        in_words(feature, place, KNOWN, right=right)
        for feature in range(FEATURES)
        for place in range(len(NUMBERS[feature].edges) if feature < len(NUMBERS) else BINS)
        for right in (False, True)
    ]
    assert len(set(said)) == len(said)


def test_times_and_shares_are_said_in_their_units() -> None:
    by_name = {number.name: n for n, number in enumerate(NUMBERS)}
    assert in_words(by_name["session"], 5, [], right=True) == "for 10 min or longer"
    assert in_words(by_name["order_days"], 1, [], right=False) == "last order less than 6 hours ago"
    assert in_words(by_name["order_days"], 12, [], right=True) == "never had an order before"
    assert in_words(by_name["buying_share"], 1, [], right=False) == (
        "bought in less than 10% of the sessions before"
    )
