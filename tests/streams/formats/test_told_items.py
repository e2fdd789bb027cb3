"""Item messages go out when they say something new, and stand before what needs them."""

from streams.formats.told_items import ToldItems


def test_attributes_are_news_once() -> None:
    told: ToldItems[str] = ToldItems()
    assert told.last("i1") is None
    assert told.is_news("i1", "red", (1, 1))
    assert not told.is_news("i1", "red", (1, 2))
    assert told.is_news("i1", "blue", (2, 3))
    assert told.last("i1") == "blue"


def test_an_earlier_position_needs_the_message_again() -> None:
    told: ToldItems[str] = ToldItems()
    assert told.is_news("i1", "red", (5, 1))
    assert told.is_news("i1", "red", (3, 2))
    assert not told.is_news("i1", "red", (4, 3))
    assert told.is_news("i1", "red", (3, 1))


def test_the_item_not_looked_at_for_longest_is_forgotten() -> None:
    told: ToldItems[str] = ToldItems(max_items=2)
    for position, item in enumerate(["i1", "i2", "i1", "i3"]):
        told.is_news(item, "red", (position, position))
    assert told.last("i2") is None
    assert (told.last("i1"), told.last("i3")) == ("red", "red")
