"""The right answer of a shop: who belongs together, what goes with what, and who likes what best."""

from collections.abc import Mapping

import msgspec
import numpy as np

from online_models.worlds.latent import Floats, Ints, Latent
from online_models.worlds.records import customer_ids, item_ids
from online_models.worlds.settings import StorefrontSettings
from online_models.worlds.tastes import Tastes
from online_models.worlds.words import category_name

_FAVOURITES = 20


class PlantedPair(msgspec.Struct, frozen=True):
    """Two items that are ordered together: the first brings the second with a given chance.

    `expected_lift` is about what a recount of the orders shows; it leaves out that carts of one visit
    hold similar items anyway.
    """

    first: str
    second: str
    chance: float
    expected_lift: float


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a model that learns from the stream should find out."""

    groups: Mapping[str, int]
    """Latent group of each customer."""
    categories: Mapping[str, str]
    """Category of each item."""
    prices: Mapping[str, float]
    """Price of each item."""
    pairs: tuple[PlantedPair, ...]
    """Planted pairs, highest expected lift first."""
    tastes: Mapping[int, Mapping[str, float]]
    """Share of each category in the views of each group."""
    favourites: Mapping[int, tuple[str, ...]]
    """The 20 items each group views most, the most viewed first."""
    bestsellers: Mapping[str, tuple[str, ...]]
    """The 20 items of each category that are viewed most, the most viewed first."""
    scripted: tuple[str, ...]
    """Customers that never act by themselves."""


def right_answer(settings: StorefrontSettings, latent: Latent, tastes: Tastes) -> Answer:
    """Write down a shop's right answer under the tastes of one day."""
    items, chances = item_ids(settings), tastes.of_items()
    names = [category_name(number) for number in range(settings.categories)]
    overall = chances.mean(axis=0)
    members = [np.flatnonzero(latent.item_category == number) for number in range(settings.categories)]
    return Answer(
        groups=dict(zip(customer_ids(settings), latent.customer_group.tolist(), strict=True)),
        categories={item: names[c] for item, c in zip(items, latent.item_category.tolist(), strict=True)},
        prices={item: cents / 100 for item, cents in zip(items, latent.item_cents.tolist(), strict=True)},
        pairs=_planted_pairs(settings, latent, chances, items),
        tastes={
            group: dict(zip(names, shares, strict=True))
            for group, shares in enumerate(tastes.of_categories.tolist())
        },
        favourites={
            group: _best(items, np.arange(len(items)), chances[group]) for group in range(settings.groups)
        },
        bestsellers={name: _best(items, of, overall) for name, of in zip(names, members, strict=True)},
        scripted=tuple(customer_ids(settings)[: settings.scripted_customers]),
    )


def _best(items: list[str], among: Ints, chance: Floats) -> tuple[str, ...]:
    order = among[np.argsort(-chance[among], kind="stable")]
    return tuple(items[number] for number in order[:_FAVOURITES].tolist())


def _planted_pairs(
    settings: StorefrontSettings, latent: Latent, chances: Floats, items: list[str]
) -> tuple[PlantedPair, ...]:
    """Work out lift = P(second, given first) / P(second), in orders that draw the mean number of items."""
    orders = np.minimum(settings.buy_share * latent.propensity, 1.0)
    views = np.maximum(settings.views_per_visit * latent.visit_length, 1.0)
    drawn = 1.0 + (views - 1.0) * settings.cart_share + settings.impulse_share
    in_cart = (orders / orders.sum()) @ (1.0 - (1.0 - chances) ** drawn[:, None])
    first, second = latent.pairs.T
    added = in_cart[first] * settings.pair_strength
    in_order = in_cart[second] + added * (1.0 - in_cart[second])
    # The second item can also be in the cart by itself when the first one is.
    together = settings.pair_strength + (1.0 - settings.pair_strength) * in_cart[second]
    lift = together / in_order
    best_first = np.argsort(-lift, kind="stable").tolist()
    return tuple(
        PlantedPair(items[first[n]], items[second[n]], settings.pair_strength, round(float(lift[n]), 3))
        for n in best_first
    )
