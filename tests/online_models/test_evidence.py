"""Sums of evidence equal a plain addition, in order, with the strongest reasons first."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.evidence import Evidence, ItemNumbers
from online_models.sources import POPULAR_ALL, POPULAR_SEGMENT, POPULAR_THERE, SOURCES, PopularBlock
from tests.online_models.shop_views import ITEMS

Said = list[tuple[float, list[tuple[str, float]]]]
_items = st.lists(st.tuples(st.sampled_from(ITEMS), st.floats(0, 9)), max_size=6, unique_by=lambda x: x[0])
_said = st.lists(st.tuples(st.floats(0, 2), _items), max_size=5)


def evidence(said: Said, numbers: ItemNumbers) -> Evidence:
    blocks = [
        (factor, PopularBlock(numbers, f"s{n}", found, largest=1.0)) for n, (factor, found) in enumerate(said)
    ]
    return Evidence(numbers, blocks)


@given(_said)
def test_sums_equal_a_plain_addition(said: Said) -> None:
    expected: defaultdict[str, float] = defaultdict(float)
    for factor, found in said:
        for item, amount in found:
            expected[item] += factor * amount
    sums = list(evidence(said, ItemNumbers()).best_first())
    assert dict(sums) == pytest.approx(dict(expected))
    assert sorted(evidence(said, ItemNumbers()).items()) == sorted(expected)
    assert [amount for _, amount in sums] == sorted((amount for _, amount in sums), reverse=True)


@given(_said, st.integers(1, 4))
def test_reasons_are_the_strongest_pieces(said: Said, most: int) -> None:
    total = evidence(said, ItemNumbers())
    items = total.items()
    for item, reasons in zip(items, total.reasons(items, max_reasons=most), strict=True):
        pieces = [
            (factor * dict(found)[item], n) for n, (factor, found) in enumerate(said) if item in dict(found)
        ]
        strongest = sorted(pieces, key=lambda piece: (-piece[0], piece[1]))[:most]
        assert [reason["scope"] for reason in reasons] == [f"s{n}" for _, n in strongest]


def test_more_items_than_are_ranked_first_stay_in_order() -> None:
    found = [(f"item-{n:03}", float(n)) for n in range(200)]
    ranked = list(evidence([(1.0, found)], ItemNumbers()).best_first())
    assert ranked == found[::-1]


def test_numbers_that_others_use_do_not_matter() -> None:
    numbers = ItemNumbers()
    numbers.of(["x", "y", "b", "z"])
    said: Said = [(1.0, [("a", 1.0), ("b", 2.0)])]
    assert list(evidence(said, numbers).best_first()) == [("b", 2.0), ("a", 1.0)]
    assert evidence(said, numbers).reasons([], max_reasons=3) == []


def test_ties_are_in_the_order_of_their_ids_however_many_there_are() -> None:
    found = [(f"item-{n * 37 % 300:03}", float(n < 20)) for n in range(300)]
    ranked = list(evidence([(1.0, found)], ItemNumbers()).best_first())
    assert ranked == sorted(found, key=lambda each: (-each[1], each[0]))


def test_scores_that_a_rounding_makes_equal_are_ties_too() -> None:
    found = [("b", 1.0004), ("a", 1.0), ("c", 2.0)]
    ranked = evidence([(1.0, found)], ItemNumbers()).best_first(lambda sums: np.round(sums, 2))
    assert list(ranked) == [("c", 2.0), ("a", 1.0), ("b", 1.0)]


def test_an_item_that_nobody_speaks_for_has_no_reasons_and_mixes_up_no_others() -> None:
    numbers = ItemNumbers()
    numbers.of(["x", "y"])
    total = evidence([(1.0, [("a", 1.0), ("b", 2.0)])], numbers)
    total.reasons(["b", "a"], max_reasons=1)
    told = total.reasons(["b", "x", "never heard of", "a", "y"], max_reasons=1)
    assert [[reason["value"] for reason in reasons] for reasons in told] == [[2.0], [], [], [1.0], []]


@given(_said, st.integers(1, 20))
def test_the_best_are_those_with_the_largest_sums(said: Said, most: int) -> None:
    numbers = ItemNumbers()
    total = evidence(said, numbers)
    ranked = list(total.best_first())
    best, sums = total.among_best(most)
    assert sums.tolist() == [amount for _, amount in ranked[:most]]
    by_item = dict(ranked)
    assert [by_item[numbers.names[number]] for number in best.tolist()] == sums.tolist()
    assert len(set(best.tolist())) == len(best)


@given(_said, st.lists(st.sampled_from([*ITEMS, "new"]), unique=True), st.integers(1, 20))
def test_what_each_source_says_equals_a_plain_addition(said: Said, proposed: list[str], most: int) -> None:
    scopes = ["all", "category:x", "category:y", "segment:0", "segment:1"]
    sources = [POPULAR_ALL, POPULAR_THERE, POPULAR_THERE, POPULAR_SEGMENT, POPULAR_SEGMENT]
    numbers = ItemNumbers()
    blocks = [
        (factor, PopularBlock(numbers, scopes[n], found, largest=1.0))
        for n, (factor, found) in enumerate(said)
    ]
    evidence = Evidence(numbers, blocks)
    best, _ = evidence.among_best(most)
    names = [numbers.names[number] for number in best.tolist()]
    asked = [*proposed, *(item for item in names if item not in proposed)]
    expected = {item: [0.0] * SOURCES for item in asked}
    for n, (factor, found) in enumerate(said):
        for item, amount in found:
            if item in expected:
                expected[item][sources[n]] += factor * amount
    items, found_sums = evidence.described(best, numbers.of(proposed), SOURCES)
    assert [numbers.names[number] for number in items.tolist()] == asked
    assert found_sums.shape == (len(asked), SOURCES)
    assert found_sums.ravel().tolist() == pytest.approx([x for item in asked for x in expected[item]])


@given(
    st.lists(st.sampled_from(ITEMS)),
    st.lists(st.sampled_from(ITEMS), unique=True),
    st.lists(st.sampled_from(ITEMS)),
)
def test_places_are_told_of_those_alone_that_have_one(
    asked: list[str], among: list[str], before: list[str]
) -> None:
    numbers = ItemNumbers()
    numbers.places[:] = 7
    numbers.of(before)
    places = numbers.places_if(numbers.of(asked), numbers.of(among))
    assert places.tolist() == [among.index(item) if item in among else -1 for item in asked]
