"""Items by words of their titles and beginnings of their ids."""

import asyncio

import msgspec

from schemas.messages import ItemFacts
from streams.serving.live.item_words import MOST_FOUND, ItemWords


def a_row(item: str, title: str | None) -> bytes:
    return msgspec.msgpack.encode(ItemFacts(item, title, [], None, None, [], True, 0))


def find(words: ItemWords, text: str) -> list[str]:
    return asyncio.run(words.find(text))


def words_of(most: int = 100, **titles: str | None) -> ItemWords:
    words = ItemWords(most)
    for item, title in titles.items():
        words.learn(item, a_row(item, title))
    return words


def test_every_word_begins_a_word_of_the_title_or_the_id() -> None:
    words = words_of(k1="Electric Kettle, steel", k2="Kettle of clay", p1="Teapot", x9=None)
    assert find(words, "kettle") == ["k2", "k1"]
    assert find(words, " KET  elec ") == ["k1"]
    assert find(words, "X") == ["x9"]
    assert find(words, "k1 kettle") == ["k1"]
    assert find(words, "pot") == find(words, "") == find(words, "  ") == []


def test_titles_in_other_scripts_are_found() -> None:
    assert find(words_of(a="Straße", b="чайник"), "STRASSE") == ["a"]
    assert find(words_of(a="Straße", b="Чайник"), "чай") == ["b"]


def test_a_new_title_takes_the_place_of_the_old_one_and_what_is_withdrawn_is_gone() -> None:
    words = words_of(a="tea", b="cup")
    words.learn("a", a_row("a", "mug"))
    words.learn("b", b"nonsense")
    assert find(words, "cup") == []
    words.learn("b", None)
    assert (find(words, "tea"), find(words, "mug"), find(words, "cup"), len(words)) == ([], ["a"], [], 1)


def test_the_oldest_goes_when_there_are_too_many() -> None:
    words = words_of(2, a="tea", b="tea", c="tea")
    assert find(words, "tea") == ["c", "b"]
    assert find(words_of(0, a="tea"), "tea") == []
    many = words_of(1_000, **{f"i{n}": "tea" for n in range(1_000)})
    assert len(find(many, "tea")) == MOST_FOUND
