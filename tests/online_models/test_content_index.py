"""The index of the newest items by content: equal to a plain search, bounded, live."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.content_index import BUCKETS, COMPARED, EACH, Content, ContentIndex, stacked
from schemas.messages import ItemFacts
from schemas.state import ContentRows
from tests.online_models.plain_content import similarities

NAMES = st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True, max_size=3)


def an_item(item: str, *categories: str, tags: tuple[str, ...] = (), available: bool = True) -> ItemFacts:
    return ItemFacts(item, None, list(categories), None, None, list(tags), available, 0)


def like(index: ContentIndex, *facts: ItemFacts) -> dict[str, float]:
    found = index.like(stacked([Content.of(each) for each in facts]), [1.0] * len(facts))
    return {
        index.names[row]: float(x) for row, x in zip(found.rows, found.similarities.tolist(), strict=True)
    }


@st.composite
def catalogues(draw: st.DrawFn) -> list[ItemFacts]:
    """Rows of up to 12 items, some of them told again, otherwise."""
    names = draw(st.lists(st.sampled_from([f"i{n}" for n in range(12)]), max_size=25))
    return [
        ItemFacts(
            name,
            draw(st.sampled_from([None, "blue tea", "tea pot"])),
            draw(NAMES),
            draw(st.sampled_from([None, "x", "y"])),
            draw(st.sampled_from([None, 1.0, 9.0])),
            draw(NAMES),
            draw(st.integers(0, 9)) > 0,
            0,
        )
        for name in names
    ]


@given(catalogues(), st.integers(1, 14), st.booleans(), st.data())
def test_what_is_found_equals_a_plain_search_of_the_items_held(
    rows: list[ItemFacts], most: int, euclidean: bool, data: st.DataObject
) -> None:
    index, kept = ContentIndex(items=most, euclidean=euclidean), dict[str, ItemFacts]()
    numbered: list[str | None] = []
    for facts in rows:
        index.learn_one(facts)
        same = (
            facts.item in kept
            and Content.of(kept[facts.item]).buckets.tolist() == Content.of(facts).buckets.tolist()
        )
        if facts.available and same:
            continue
        kept.pop(facts.item, None)
        numbered = [None if name == facts.item else name for name in numbered]
        if facts.available and len(Content.of(facts).buckets):
            kept[facts.item] = facts
            numbered.append(facts.item)
            for name in numbered[:-most]:
                kept.pop(name or "", None)
            numbered = numbered[-most:]
    facts_of = {facts.item: facts for facts in rows}
    asked = data.draw(
        st.lists(st.sampled_from(sorted(facts_of)), unique=True, max_size=4) if rows else st.just([])
    )
    strengths = {item: data.draw(st.sampled_from([0.25, 1.0])) for item in asked}
    assert len(index) == len(kept)
    expected = similarities(list(kept.values()), strengths, facts_of, euclidean=euclidean) if asked else {}
    found = index.like(stacked([Content.of(facts_of[item]) for item in asked]), list(strengths.values()))
    told = {index.names[row]: x for row, x in zip(found.rows, found.similarities.tolist(), strict=True)}
    # The root of a difference that is nearly 0 has half the digits.
    assert told == pytest.approx(expected, rel=1e-3, abs=4e-3 if euclidean else 1e-3)


def test_an_item_is_found_from_the_moment_it_is_described_and_not_while_it_is_unavailable() -> None:
    index = ContentIndex(items=5)
    asked = an_item("asked", "a")
    assert like(index, asked) == {}
    index.learn_one(an_item("new", "a"))
    assert like(index, asked) == {"new": 1.0}
    index.learn_one(an_item("new", "a", available=False))
    assert like(index, asked) == {}
    index.learn_one(an_item("new", "b"))
    assert like(index, asked) == {}


def test_the_newest_items_of_an_attribute_are_compared_and_no_more_than_a_bound() -> None:
    index = ContentIndex(items=5_000)
    for n in range(5_000):
        index.learn_one(an_item(f"i{n:04}", f"c{n % 20}"))
    found = like(index, an_item("asked", "c3"))
    assert sorted(found) == [f"i{n:04}" for n in range(4_983 - 20 * (EACH - 1), 5_000, 20)]
    everything = an_item("asked", *(f"c{n}" for n in range(8)), tags=tuple(f"t{n}" for n in range(10)))
    assert len(like(index, everything)) == 8 * EACH <= COMPARED


def test_memory_is_flat_on_ten_times_more_items_than_it_holds() -> None:
    index = ContentIndex(items=50)
    for n in range(500):
        index.learn_one(an_item(f"i{n}", f"c{n % 7}", tags=(f"t{n}",)))
    assert len(index) == len(index.names) == 50
    assert int(index.items_with.sum()) == 100
    assert (len(index.heads), index.links.shape[0]) == (BUCKETS, 50)
    assert sorted(like(index, an_item("asked", "c3"))) == sorted(
        f"i{n}" for n in range(451, 500) if n % 7 == 3
    )


def test_the_rarest_attributes_come_first() -> None:
    index = ContentIndex(items=9)
    for n in range(4):
        index.learn_one(an_item(f"i{n}", "common", *(["rare"] if n == 0 else [])))
    asked = Content.of(ItemFacts("i9", "xyz", ["common", "rare"], None, None, [], True, 0)).attributes
    assert [*asked] == ["category:common", "category:rare", "word:xyz"]
    assert index.rarest(asked) == [
        "category:rare",
        "word:xyz",
        "category:common",
    ]


def test_similarities_to_single_items_are_those_of_a_profile_of_one() -> None:
    for euclidean in (False, True):
        index = ContentIndex(items=9, euclidean=euclidean)
        facts = [an_item("i0", "a", "b"), an_item("i1", "b"), an_item("i2", "c")]
        for each in facts:
            index.learn_one(each)
        alike = index.similarities(Content.of(facts[0]), stacked([Content.of(each) for each in facts]))
        if not euclidean:
            theirs = [like(index, facts[0]).get(each.item, 0.0) for each in facts]
            np.testing.assert_allclose(alike, theirs, atol=1e-6)
        assert alike[0] == pytest.approx(1.0, abs=4e-3) and alike[0] > alike[1] > alike[2]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("xyz"), st.booleans()), max_size=25))
def test_what_was_saved_goes_on_as_if_nothing_had_happened(rows: list[tuple[str, str, bool]]) -> None:
    whole, first = ContentIndex(items=4), ContentIndex(items=4)
    facts = [ItemFacts(item, None, [category], None, None, [], there, 0) for item, category, there in rows]
    for each in facts[:12]:
        whole.learn_one(each)
        first.learn_one(each)
    second = ContentIndex(items=4)
    saved = msgspec.msgpack.decode(msgspec.msgpack.encode(first.all()), type=ContentRows)
    assert second.restore(saved)
    for each in facts[12:]:
        whole.learn_one(each)
        second.learn_one(each)
    assert second.all() == whole.all()
    assert sorted(second.known()) == sorted(whole.known())
    # Rarities, too, are those of what is held.
    asked = an_item("asked", "x", "y")
    assert like(second, asked) == like(whole, asked)


def test_what_another_index_of_other_bounds_held_is_left_alone() -> None:
    small, large = ContentIndex(items=4), ContentIndex(items=5)
    small.learn_one(ItemFacts("tea", None, ["x"], None, None, [], True, 0))
    assert not large.restore(small.all())
    assert large.known() == []
