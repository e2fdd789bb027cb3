"""What a customer does, what a list holds and why, as a person reads it. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from schemas.events import Browse, PublicMessage, Purchase, Rating
from schemas.recommendations import Reason, Recommendation
from streams.in_words import in_words

Titles = Mapping[str, str]
"""Title of each item by its id."""


class Place(NamedTuple):
    """A place of a list: what is there, the strongest reason, and how it moved: new, +2, -1 or nothing."""

    rank: int
    title: str
    why: str
    change: str


def act(message: PublicMessage, titles: Titles) -> str | None:
    """Say what a customer does; None for what doesn't change a list.

    Examples
    --------
    >>> act(Browse(event_id="b-1", user_id="anna", item_id="i7", action="cart", at=0), {"i7": "Blue kite"})
    'puts Blue kite into the cart'
    """
    if isinstance(message, Browse):
        title = titles.get(message.item_id, message.item_id)
        return f"puts {title} into the cart" if message.action == "cart" else f"looks at {title}"
    if isinstance(message, Purchase):
        return "buys " + " and ".join(titles.get(line.item_id, line.item_id) for line in message.lines)
    if isinstance(message, Rating):
        title = titles.get(message.item_id, message.item_id)
        return f"gives {title} {message.value:g} of {message.scale_max:g} stars"
    return None


def why(reason: Reason, titles: Titles) -> str:
    """Say why an item is in a list, with titles for ids.

    Examples
    --------
    >>> why({"source": "similarity", "item_id": "i7", "similarity": 0.41}, {"i7": "Blue kite"})
    'similar to Blue kite (0.41)'
    >>> why({"source": "popularity", "scope": "category:toys", "value": 8.0}, {})
    'popular: in toys'
    """
    told = dict(reason)
    if "item_id" in told:
        told["item_id"] = titles.get(told["item_id"], told["item_id"])
    if told["source"] == "popularity":
        told["scope"] = _scope(str(told["scope"]))
    return in_words(told)


def places(
    message: Recommendation, before: Sequence[str], titles: Titles, *, count: int
) -> tuple[Place, ...]:
    """Describe the first places of a list.

    Parameters
    ----------
    message : Recommendation
        The list.
    before : sequence of str
        Items of the list that the customer had until now, best first; nothing is new without one.
    titles : mapping of str to str
        Titles of items.
    count : int
        Places described.
    """
    return tuple(
        Place(
            item.rank,
            titles.get(item.item_id, item.item_id),
            why(item.reasons[0], titles),
            change(item.item_id, item.rank, before),
        )
        for item in message.items[:count]
    )


def change(item: str, rank: int, before: Sequence[str]) -> str:
    """Say how an item moved since the list before.

    Examples
    --------
    >>> [change(item, rank, ["tea", "cup"]) for rank, item in enumerate(["jam", "cup", "tea"], start=1)]
    ['new', '', '-2']
    """
    if not before:
        return ""
    if item not in before:
        return "new"
    moved = before.index(item) + 1 - rank
    return f"{moved:+d}" if moved else ""


def fitted(text: str, width: int) -> str:
    """Shorten a text to a width, sparing the numbers in brackets at its end.

    Examples
    --------
    >>> fitted("similar to Brass lantern hook (0.37)", 30)
    'similar to Brass lante… (0.37)'
    """
    if len(text) <= width:
        return text
    head, bracket, numbers = text.rpartition(" (")
    room = width - len(bracket) - len(numbers) - 1
    return f"{head[:room]}…{bracket}{numbers}" if bracket and room > 0 else f"{text[: width - 1]}…"


def duration(seconds: float) -> str:
    """Write a short time as precisely as it interests.

    Examples
    --------
    >>> duration(0.0004), duration(0.0213), duration(1.2)
    ('0.4 ms', '21 ms', '1.20 s')
    """
    if seconds < 1:
        return f"{1000 * seconds:.{1 if seconds < 0.01 else 0}f} ms"
    return f"{seconds:.2f} s"


def differing(one: Sequence[str], other: Sequence[str]) -> int:
    """Count the places in which two lists differ; a place that only one of them has counts too.

    Examples
    --------
    >>> differing(["tea", "cup", "jam"], ["tea", "jam"])
    2
    """
    common = sum(a == b for a, b in zip(one, other, strict=False))
    return max(len(one), len(other)) - common


def _scope(scope: str) -> str:
    kind, _, name = scope.partition(":")
    return {"all": "in the whole shop", "category": f"in {name}", "segment": f"in segment {name}"}.get(
        kind, scope
    )
