"""What an item is like: attributes of its catalogue row, words and price bands."""

from online_models.attributes import CATEGORIES, MOST, TAGS, WORDS, attributes_of, price_band, words_of
from schemas.messages import ItemFacts


def test_words_are_the_most_frequent_ones_of_any_script_and_case() -> None:
    assert words_of("Der Kessel, der KESSEL: größer; чай чай чай", most=3) == ["чай", "der", "kessel"]
    assert words_of("a an 12 x9y") == []


def test_a_price_is_in_the_half_octave_that_begins_at_or_below_it() -> None:
    assert [price_band(price) for price in (1.0, 1.41, 1.42, 2.0)] == ["1-1.41", "1-1.41", "1.41-2", "2-2.83"]
    assert price_band(-1.0) == price_band(0.0) == ""


def test_attributes_are_bounded_and_each_is_there_once() -> None:
    many = [f"n{n}" for n in range(50)]
    letters = [f"{chr(97 + n % 26) * 3}{chr(97 + n // 26)}" for n in range(50)]
    facts = ItemFacts("i", "Tea tea", many + many, "b", 3.0, many, True, 0, letters)
    found = attributes_of(facts)
    assert len(found) == len(set(found)) == MOST == CATEGORIES + TAGS + WORDS + 2
    assert attributes_of(ItemFacts("i", None, [], "", None, [], True, 0)) == []
