"""Two customers with the same past whose ways part: a plan of acts, times being left to the caller."""

from typing import Literal

import msgspec
import numpy as np

from online_models.worlds.answers import Answer
from online_models.worlds.records import Emitted

Kind = Literal["view", "cart", "purchase", "rating"]
Act = tuple[Kind, str]
"""What is done and to which item."""


class TwinPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What two customers do: first both the same, then each something else."""

    first: str
    second: str
    shared: tuple[Act, ...]
    """Done by both, in this order."""
    first_then: tuple[Act, ...]
    second_then: tuple[Act, ...]


def diverging_twins(answer: Answer, seed: int) -> TwinPlan:
    """Plan two customers who start alike in one category and go on in two others.

    Parameters
    ----------
    answer : Answer
        A shop's right answer; its first two scripted customers play the twins.
    seed : int
        Chooses the categories.

    Raises
    ------
    ValueError
        When the shop has fewer than two scripted customers or three categories.

    Examples
    --------
    >>> from online_models.worlds import PRESETS, Storefront
    >>> plan = diverging_twins(Storefront(PRESETS["demo"]).answer(), seed=1)
    >>> plan.first, plan.second, [kind for kind, _ in plan.shared]
    ('anna', 'ben', ['view', 'view', 'cart', 'purchase', 'view'])
    """
    if len(answer.scripted) < 2 or len(answer.bestsellers) < 3:
        raise ValueError(
            f"scripted customers: {len(answer.scripted)}, categories: {len(answer.bestsellers)}; twins need "
            "2 and 3: set scripted_customers and categories"
        )
    start, *ways = _three_categories(answer, seed)
    best = answer.bestsellers[start]
    shared: tuple[Act, ...] = (
        ("view", best[0]),
        ("view", best[1 % len(best)]),
        ("cart", best[0]),
        ("purchase", best[0]),
        ("view", best[2 % len(best)]),
    )
    then = [_way(answer, category) for category in ways]
    first, second = answer.scripted[:2]
    return TwinPlan(first=first, second=second, shared=shared, first_then=then[0], second_then=then[1])


def enact(act: Act, answer: Answer, *, user_id: str, number: int, at_ms: int) -> Emitted:
    """Write one act of a plan as the message it sends.

    Parameters
    ----------
    act : tuple of kind and item
        One entry of a plan.
    answer : Answer
        Where the item's price is found.
    user_id : str
        Who does it.
    number : int
        Makes the event's id, which must be unique in the stream: `b-twin-<user_id>-<number>` and the like.
    at_ms : int
        Event time, epoch ms.

    Examples
    --------
    >>> from online_models.worlds import PRESETS, Storefront
    >>> answer = Storefront(PRESETS["demo"]).answer()
    >>> enact(("cart", "i00007"), answer, user_id="anna", number=1, at_ms=1_000).value
    b'{"type":"browse","event_id":"b-twin-anna-1","user_id":"anna","item_id":"i00007","action":"cart","at":1000}'
    """
    kind, item_id = act
    name = f"twin-{user_id}-{number}"
    who = f'"user_id":"{user_id}"'
    if kind == "purchase":
        line = f'{{"item_id":"{item_id}","quantity":1,"unit_price":{answer.prices[item_id]}}}'
        topic, text = (
            "purchases",
            f'"purchase","event_id":"p-{name}",{who},"order_id":"o-{name}","lines":[{line}]',
        )
    elif kind == "rating":
        rating = f'"item_id":"{item_id}","value":5.0,"scale_max":5.0'
        topic, text = "ratings", f'"rating","event_id":"r-{name}",{who},{rating}'
    else:
        topic, text = (
            "browses",
            f'"browse","event_id":"b-{name}",{who},"item_id":"{item_id}","action":"{kind}"',
        )
    return Emitted(topic, user_id, f'{{"type":{text},"at":{at_ms}}}'.encode(), at_ms)


def _three_categories(answer: Answer, seed: int) -> list[str]:
    """Choose three categories, favourites of three different groups where there are so many."""
    groups = np.random.Generator(np.random.PCG64(seed)).permutation(list(answer.tastes)).tolist()
    favourites = [max(answer.tastes[group].items(), key=lambda share: share[1])[0] for group in groups]
    return list(dict.fromkeys([*favourites, *answer.bestsellers]))[:3]


def _way(answer: Answer, category: str) -> tuple[Act, ...]:
    """Go on in a category: look at the best-seller, buy and rate an item that brings another one."""
    best = answer.bestsellers[category]
    firsts = [pair.first for pair in answer.pairs if answer.categories[pair.first] == category]
    # The last pair has the lowest lift, which is to say the most orders to learn it from.
    bought = firsts[-1] if firsts else best[1 % len(best)]
    return (("view", best[0]), ("view", bought), ("cart", bought), ("purchase", bought), ("rating", bought))
