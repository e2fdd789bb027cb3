"""What an item is like, by its catalogue row: names of attributes with weights, and the words of a text."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from math import floor, log2
from typing import Final

from schemas.messages import ItemFacts

CATEGORIES: Final = 8
TAGS: Final = 10
WORDS: Final = 12
"""So many categories, tags and words of an item count; brand and price band are one attribute each."""

MOST: Final = CATEGORIES + TAGS + WORDS + 2
"""Attributes of an item at most."""

KINDS: Final = {"category": 1.0, "tag": 1.0, "brand": 1.0, "price": 0.5, "word": 0.5}
"""How much an attribute counts beside others that are as rare."""

_WORD: Final = re.compile(r"[^\W\d_]{3,32}")


def words_of(text: str, most: int = WORDS) -> list[str]:
    """Return the words of a text that are in it most often, ties in the order in which they come.

    Parameters
    ----------
    text : str
        Of any language that sets words apart; those of less than 3 letters are left out.
    most : int
        Words at most.

    Examples
    --------
    >>> words_of("A kettle of steel. This kettle sings.", most=3)
    ['kettle', 'steel', 'this']
    """
    counted = Counter(_WORD.findall(text.casefold()))
    return [word for word, _ in counted.most_common(most)]


def price_band(price: float) -> str:
    """Return the half octave that a price is in, by its bounds; "" for a price that is not above 0.

    Examples
    --------
    >>> price_band(9.9), price_band(0.0)
    ('8-11.3', '')
    """
    if not price > 0:
        return ""
    band = floor(2 * log2(price))
    low, high = 2.0 ** (band / 2), 2.0 ** ((band + 1) / 2)
    return f"{low:.3g}-{high:.3g}"


def attributes_of(facts: ItemFacts) -> list[str]:
    """Return the attributes of an item, each once, at most `MOST`; what is before the colon is in `KINDS`.

    Words are those of the title, then those that ingest took from the text.

    Examples
    --------
    >>> facts = ItemFacts("i1", "Blue kettle", ["kitchen"], "Acme", 9.9, ["steel"], True, 0, ["whistle"])
    >>> attributes_of(facts)[:4]
    ['category:kitchen', 'tag:steel', 'brand:Acme', 'price:8-11.3']
    >>> attributes_of(facts)[4:]
    ['word:blue', 'word:kettle', 'word:whistle']
    """
    return list(dict.fromkeys(_all(facts)))


def _all(facts: ItemFacts) -> Iterator[str]:
    for name in facts.categories[:CATEGORIES]:
        yield f"category:{name}"
    for name in facts.tags[:TAGS]:
        yield f"tag:{name}"
    if facts.brand:
        yield f"brand:{facts.brand}"
    if facts.price is not None and (band := price_band(facts.price)):
        yield f"price:{band}"
    words = dict.fromkeys([*words_of(facts.title or ""), *facts.words])
    for word in islice(words, WORDS):
        yield f"word:{word}"
